import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct WALDamageTests {
    private static let series = Labels(["__name__": "m"])

    private static func options(_ compression: WALCompression) -> Database.Options {
        var options = Database.Options()
        options.walSegmentSize = 32 << 10
        options.walCompression = compression
        options.minimumFreeBytes = 0
        return options
    }

    /// Batches of 40 series, one sample each, over several segments. Returns how many.
    private static func fill(_ disk: SimulatedDisk, _ compression: WALCompression) throws -> Int {
        let database = try Database.open("data", options: options(compression), fileSystem: disk)
        for step in 0..<400 {
            let appender = database.appender()
            for index in 0..<40 {
                let labels = Labels(["__name__": "m", "i": "\(index)"])
                _ = try appender.append(
                    .none, labels: labels, timestamp: Int64(step) * 1000, value: Double(step * 7919 % 1009))
            }
            _ = try appender.commit(.synced)
        }
        try database.close()
        return 400
    }

    private static func steps(_ disk: SimulatedDisk, _ compression: WALCompression) throws -> Set<Int64> {
        let database = try Database.open("data", options: options(compression), fileSystem: disk)
        var times: [Int64: Int] = [:]
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            for (index, time) in columns.timestamps.enumerated() {
                times[time, default: 0] += 1
                #expect(columns.values[index] == Double(Int(time) / 1000 * 7919 % 1009))
            }
        }
        try database.close()
        // A batch is one record: it is there as a whole or not at all.
        #expect(times.values.allSatisfy { $0 == 40 })
        return Set(times.keys)
    }

    @Test(arguments: [WALCompression.none, .snappy])
    func `one damaged byte costs one record, and later segments stay`(_ compression: WALCompression) throws {
        let pristine = SimulatedDisk(seed: 1)
        let batches = try WALDamageTests.fill(pristine, compression)
        let segments = pristine.paths.filter { $0.contains("/wal/") }
        #expect(segments.count > 2)
        let first = try #require(segments.first)
        let content = try #require(pristine.peek(first))
        var random = SeededGenerator(seed: 5)
        for _ in 0..<30 {
            // Behind the first page, so that the record of the series stays.
            let position = Int.random(in: 4000..<content.count - 100, using: &random)
            let disk = SimulatedDisk(seed: 1)
            for path in pristine.paths { disk.poke(path, try #require(pristine.peek(path))) }
            var damaged = content
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            disk.poke(first, damaged)
            let found = try WALDamageTests.steps(disk, compression)
            #expect(found.count >= batches - 1, "byte \(position)")
            // The damage is kept aside, and what was repaired stays repaired.
            if found.count < batches {
                #expect(disk.peek(first + ".damaged") == damaged)
                #expect(try WALDamageTests.steps(disk, compression) == found)
            }
        }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `a damaged record in one of twenty segments costs that record alone`(_ seed: UInt64) throws {
        let pristine = SimulatedDisk(seed: 1)
        let database = try Database.open("data", options: WALDamageTests.options(.none), fileSystem: pristine)
        for step in 0..<2_000 {
            let appender = database.appender()
            for index in 0..<40 {
                let labels = Labels(["__name__": "m", "i": "\(index)"])
                _ = try appender.append(
                    .none, labels: labels, timestamp: Int64(step) * 1000, value: Double(step * 7919 % 1009))
            }
            _ = try appender.commit(.synced)
        }
        try database.close()
        let segments = pristine.paths.filter { $0.contains("/wal/") }
        #expect(segments.count >= 20)
        var random = SeededGenerator(seed: seed)
        let chosen = segments[Int.random(in: 1..<segments.count - 1, using: &random)]
        var content = try #require(pristine.peek(chosen))
        content[Int.random(in: 7..<content.count - 2_000, using: &random)] ^= 0x41
        pristine.poke(chosen, content)
        #expect(try WALDamageTests.steps(pristine, .none).count == 1_999)
    }

    @Test(arguments: [Int64.min, -10 * 365 * 86_400_000, 0, 4_000_000_000_000, .max])
    func `a clock that jumps loses nothing`(_ now: Int64) throws {
        let disk = SimulatedDisk(seed: 1)
        var options = WALDamageTests.options(.snappy)
        options.minimumBlockDuration = 60_000
        options.maximumBlockDuration = 540_000
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<400 {
            let appender = database.appender()
            _ = try appender.append(
                .none, labels: WALDamageTests.series, timestamp: 1_700_000_000_000 + Int64(step) * 1000, value: 1)
            _ = try appender.commit(.synced)
            if step % 50 == 49 { try database.maintain(now: now) }
        }
        #expect(!database.blocks.isEmpty)
        #expect(try StoreContent.lines(database).count == 400)
        try database.close()
        #expect(try StoreContent.lines(Database.open("data", options: options, fileSystem: disk)).count == 400)
    }

    @Test(arguments: [WALCompression.none, .snappy])
    func `a log cut anywhere gives what is before the cut`(_ compression: WALCompression) throws {
        let pristine = SimulatedDisk(seed: 1)
        _ = try WALDamageTests.fill(pristine, compression)
        let last = try #require(pristine.paths.last { $0.contains("/wal/") })
        let content = try #require(pristine.peek(last))
        var previous = 0
        for length in stride(from: 0, to: content.count, by: 611) {
            let disk = SimulatedDisk(seed: 1)
            for path in pristine.paths { disk.poke(path, try #require(pristine.peek(path))) }
            disk.poke(last, Array(content[..<length]))
            let found = try WALDamageTests.steps(disk, compression)
            #expect(found.count >= previous)
            #expect(found == Set((0..<found.count).map { Int64($0) * 1000 }))
            previous = found.count
        }
    }

    @Test func `an unknown record stops the start and is named`() throws {
        let disk = SimulatedDisk(seed: 1)
        // A full fragment with one byte, the number of a record that nobody has defined.
        let record: [UInt8] = [0xEE]
        var checksum: UInt32 = 0
        checksum = CRC.castagnoli(record)
        let bytes: [UInt8] =
            [1, 0, 1] + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * $0)) } + record
        disk.poke("data/wal/00000000", bytes)
        #expect(throws: StoreError.corrupt(path: "data/wal/00000000", offset: 0, reason: "unknown record type 238")) {
            try Database.open("data", fileSystem: disk)
        }
    }
}

private enum CRC {
    static func castagnoli(_ bytes: [UInt8]) -> UInt32 {
        var register = ~UInt32(0)
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 != 0 ? register >> 1 ^ 0x82F6_3B78 : register >> 1 }
        }
        return ~register
    }
}
