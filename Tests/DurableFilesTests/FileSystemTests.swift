import DurableFiles
import TestSupport
import Testing

/// The same behaviour is asked of the real disk and of the simulated one.
@Suite struct FileSystemTests {
    enum Kind: CaseIterable { case real, simulated }

    struct Place {
        let disk: any FileSystem
        let directory: TemporaryFolder

        init(_ kind: Kind) throws {
            directory = try TemporaryFolder()
            disk = kind == .real ? POSIXFileSystem() : SimulatedDisk()
            try disk.makeDirectory(directory.path)
        }
    }

    @Test(arguments: Kind.allCases) func `what is written can be read, at the end and in between`(kind: Kind) throws {
        let place = try Place(kind)
        let path = place.directory.file("a")
        let file = try place.disk.open(path, .readWrite)
        try file.append([1, 2, 3])
        try file.append([4, 5])
        try file.write([9], at: 1)
        try file.write([7], at: 6)
        #expect(try file.size() == 7)
        #expect(try file.read(count: 100, at: 0) == [1, 9, 3, 4, 5, 0, 7])
        #expect(try file.read(count: 2, at: 3) == [4, 5])
        #expect(try file.read(count: 2, at: 100) == [])
        try file.truncate(to: 2)
        try file.sync(.data)
        try file.close()
        #expect(try place.disk.contents(path) == [1, 9])
        #expect(throws: FileError.self) { try file.append([1]) }
    }

    @Test(arguments: Kind.allCases) func `open modes create, keep, empty or refuse`(kind: Kind) throws {
        let place = try Place(kind)
        let path = place.directory.file("a")
        let missing = #expect(throws: FileError.self) { _ = try place.disk.open(path, .read) }
        #expect(missing?.isNotFound == true)
        #expect(missing?.description == "open \(path): No such file or directory (errno 2)")
        try place.disk.open(path, .createNew).append([1])
        let present = #expect(throws: FileError.self) { _ = try place.disk.open(path, .createNew) }
        #expect(present?.code == FileError.existsCode)
        #expect(try place.disk.open(path, .readWrite).size() == 1)
        #expect(try place.disk.open(path, .truncate).size() == 0)
    }

    @Test(arguments: Kind.allCases) func `directories are made, listed, renamed and removed`(kind: Kind) throws {
        let place = try Place(kind)
        let disk = place.disk
        let deep = place.directory.file("x/y/z")
        try disk.makeDirectory(deep)
        try disk.makeDirectory(deep)
        try AtomicReplace(on: disk).replace(deep + "/f", with: [1])
        #expect(try disk.list(place.directory.file("x/y")) == ["z"])
        #expect(try disk.list(deep) == ["f"])
        try disk.rename(place.directory.file("x/y"), to: place.directory.file("x/w"))
        #expect(try disk.contents(place.directory.file("x/w/z/f")) == [1])
        #expect(try disk.metadata(place.directory.file("x"))?.isDirectory == true)
        #expect(throws: FileError.self) { try disk.removeDirectory(place.directory.file("x")) }
        try disk.removeTree(place.directory.file("x"))
        try disk.removeTree(place.directory.file("x"))
        #expect(try !disk.exists(place.directory.file("x")))
    }

    @Test(arguments: Kind.allCases) func `a lock has one holder`(kind: Kind) throws {
        let place = try Place(kind)
        let path = place.directory.file("lock")
        let lock = try place.disk.lock(path)
        let refusal = #expect(throws: FileError.self) { _ = try place.disk.lock(path) }
        #expect(refusal?.isLockedElsewhere == true)
        lock.release()
        try place.disk.lock(path).release()
    }

    @Test(arguments: Kind.allCases) func `a mapped file is read within its bounds only`(kind: Kind) throws {
        let place = try Place(kind)
        let path = place.directory.file("m")
        try AtomicReplace(on: place.disk).replace(path, with: [0, 0, 1, 2])
        let mapped = try place.disk.map(path)
        try place.disk.remove(path)
        #expect(mapped.count == 4)
        #expect(mapped.bigEndian(at: 0, as: UInt32.self) == 0x102)
        #expect(mapped.littleEndian(at: 2, as: UInt16.self) == 0x201)
        #expect(mapped.bigEndian(at: 1, as: UInt32.self) == nil)
        #expect(mapped[3] == 2)
        #expect(mapped[4] == nil)
        #expect(mapped.bytes(in: 2..<4) == [1, 2])
        #expect(mapped.bytes(in: 2..<5) == nil)
        try AtomicReplace(on: place.disk).replace(path, with: [])
        #expect(try place.disk.map(path).count == 0)
    }

    @Test(arguments: Kind.allCases) func `space can be reserved and asked for`(kind: Kind) throws {
        let place = try Place(kind)
        let file = try place.disk.open(place.directory.file("p"), .readWrite)
        try file.append([1])
        try file.preallocate(byteCount: 10_000)
        #expect(try file.size() == 10_000)
        #expect(try file.read(count: 2, at: 0) == [1, 0])
        #expect(try place.disk.freeSpace(place.directory.path) > 0)
    }

    @Test func `paths are taken apart`() {
        #expect(PathName.parent(of: "/a/b/") == "/a")
        #expect(PathName.parent(of: "/a") == "/")
        #expect(PathName.parent(of: "a") == ".")
        #expect(PathName.last(of: "/a/b/") == "b")
        #expect(PathName.last(of: "a") == "a")
        #expect(PathName.join("a", "b") == "a/b")
        #expect(PathName.join("a/", "b") == "a/b")
    }
}
