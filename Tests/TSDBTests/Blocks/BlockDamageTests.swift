import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// Reads all of a block in every way there is.
private func readAll(_ path: String, _ disk: SimulatedDisk) throws -> [String] {
    let block = try Block(path, on: disk)
    let lines = try BlockFixture.lines(block)
    try block.verify()
    _ = try block.index.select([try Matcher("instance", .matches, "host-1.*"), try Matcher("job", .notEqual, "j1")])
    for name in try block.index.labelNames() { _ = try block.index.labelValues(of: name, []) }
    return lines
}

@Suite struct BlockDamageTests {
    private static func fixture() throws -> (SimulatedDisk, Block, [String]) {
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 6, samples: 40, seed: 2)
        let block = try BlockFixture.write(list, "data", on: disk)
        _ = try block.delete([Matcher("job", equals: "j1")], from: BlockFixture.start, to: BlockFixture.start + 99_000)
        return (disk, block, try BlockFixture.lines(block))
    }

    @Test(arguments: ["index", "chunks/000001", "tombstones"])
    func `every flipped byte is noticed or harmless`(name: String) throws {
        let (disk, block, expected) = try Self.fixture()
        let path = block.path + "/" + name
        let bytes = try #require(disk.peek(path))
        var unnoticed: [Int] = []
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= UInt8(truncatingIfNeeded: 1 << (position % 8))
            disk.poke(path, damaged)
            do {
                let lines = try readAll(block.path, disk)
                // Padding has no checksum, and no meaning either.
                if lines != expected { unnoticed.append(position) }
            } catch let error as StoreError {
                if case .corrupt(let damagedPath, _, _) = error { #expect(damagedPath.hasPrefix(block.path)) }
            }
        }
        #expect(unnoticed == [])
        disk.poke(path, bytes)
        #expect(try readAll(block.path, disk) == expected)
    }

    @Test(arguments: ["index", "chunks/000001", "tombstones", "meta.json"])
    func `every cut is noticed`(name: String) throws {
        let (disk, block, _) = try Self.fixture()
        let path = block.path + "/" + name
        let bytes = try #require(disk.peek(path))
        for length in 0..<bytes.count {
            disk.poke(path, Array(bytes.prefix(length)))
            #expect(throws: StoreError.self, "\(name) cut to \(length)") { try readAll(block.path, disk) }
        }
    }

    @Test(arguments: 0..<500 as Range<UInt64>) func `damaged meta.json never traps`(seed: UInt64) throws {
        let (disk, block, _) = try Self.fixture()
        var random = SeededGenerator(seed: seed)
        var bytes = try #require(disk.peek(block.path + "/meta.json"))
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? BlockMeta(json: bytes, path: "meta.json")
        _ = try? BlockMeta(json: Array(repeating: UInt8(ascii: "["), count: 100_000), path: "meta.json")
    }

    @Test func `samples from elsewhere become blocks of aligned ranges`() throws {
        let hours: Int64 = 2 * 3_600_000
        #expect(
            Backfill.ranges(from: -1, to: hours, duration: hours) == [
                -hours...(-1), 0...(hours - 1), hours...(2 * hours - 1),
            ])
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 5, samples: 900, seed: 3)
        var lines: [String] = []
        let last = BlockFixture.start + 900 * 15_000
        for (number, range) in Backfill.ranges(from: BlockFixture.start, to: last, duration: hours).enumerated() {
            var backfill = Backfill("data", from: range.lowerBound, to: range.upperBound, on: disk)
            for entry in list.entries {
                for sample in entry.samples.reversed() { backfill.append(entry.labels, sample) }
            }
            var random = SeededGenerator(seed: UInt64(number))
            guard let meta = try backfill.finish(ulid: ULID(time: Int64(number), using: &random)) else { continue }
            lines += try BlockFixture.lines(Block("data/\(meta.ulid)", on: disk))
        }
        #expect(lines.sorted() == BlockFixture.lines(list))
    }
}
