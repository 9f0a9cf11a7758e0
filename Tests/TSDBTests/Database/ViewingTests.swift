import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct ViewingTests {
    private static func files(_ disk: SimulatedDisk) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for path in disk.paths { files[path] = disk.peek(path) }
        return files
    }

    @Test(arguments: [true, false])
    func `a view answers as the store does, and changes no file`(isDamaged: Bool) throws {
        let disk = SimulatedDisk(seed: 1)
        var options = Database.Options()
        options.minimumBlockDuration = 600_000
        options.maximumBlockDuration = 600_000 * 9
        options.walSegmentSize = 32 << 10
        options.outOfOrderWindow = 600_000
        options.minimumFreeBytes = 0
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<600 {
            let appender = database.appender()
            for index in 0..<5 {
                let late: Int64 = step % 50 == 49 && index == 0 ? 33_333 : 0
                _ = try appender.append(
                    .none, labels: Labels(["__name__": "m", "i": "\(index)"]),
                    timestamp: Int64(step) * 15_000 - late, value: Double(step))
            }
            _ = try appender.commit(.synced)
            if step % 100 == 99 { try database.maintain(now: Int64(step) * 15_000) }
        }
        try database.delete([Matcher("i", equals: "3")], from: 100_000, to: 200_000)
        let expected = try StoreContent.lines(database)
        #expect(database.blocks.count > 2)
        if isDamaged {
            // A torn record at the end of the log is cut off in the view alone.
            let last = try #require(disk.paths.last { $0.contains("/wal/0") })
            disk.poke(last, try #require(disk.peek(last)) + [1, 0, 200, 1, 2])
        }
        let before = Self.files(disk)
        let view = try Database.view("data", fileSystem: disk)
        #expect(try StoreContent.lines(view) == expected)
        try view.close()
        #expect(Self.files(disk) == before)
        #expect(try Database.viewBlocks("data", fileSystem: disk).count == database.blocks.count)
        #expect(throws: StoreError.self) { try Database.view("nowhere", fileSystem: disk) }
    }

    @Test func `changes of an overlay are seen through it alone`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("d/sub")
        disk.poke("d/sub/a", [1, 2, 3])
        disk.poke("d/b", [4])
        let before = Self.files(disk)
        let overlay = OverlayFileSystem(over: disk)
        try overlay.rename("d/sub", to: "d/moved")
        #expect(try overlay.list("d") == ["b", "moved"])
        #expect(try overlay.contents("d/moved/a") == [1, 2, 3])
        #expect(try !overlay.exists("d/sub/a"))
        let file = try overlay.open("d/moved/a", .readWrite)
        try file.write([9, 9], at: 2)
        try file.append([7])
        #expect(try overlay.contents("d/moved/a") == [1, 2, 9, 9, 7])
        try file.truncate(to: 1)
        #expect(try overlay.map("d/moved/a").count == 1)
        try overlay.remove("d/b")
        #expect(throws: FileError.self) { try overlay.open("d/b", .read) }
        #expect(throws: FileError.self) { try overlay.open("d/moved/a", .createNew) }
        #expect(throws: FileError.self) { try overlay.removeDirectory("d/moved") }
        try overlay.removeTree("d/moved")
        #expect(try overlay.list("d") == [])
        try overlay.makeDirectory("d/new/deep")
        #expect(try overlay.metadata("d/new/deep")?.isDirectory == true)
        #expect(Self.files(disk) == before)
        #expect(try disk.contents("d/sub/a") == [1, 2, 3])
    }
}
