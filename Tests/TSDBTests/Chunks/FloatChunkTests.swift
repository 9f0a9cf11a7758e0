import MetricModel
import TSDB
import Testing
import TestSupport

/// Series as they occur, and as they do not.
enum SampleGenerator {
    static func timestamps(_ count: Int, _ generator: inout SeededGenerator) -> [Timestamp] {
        var time = Timestamp.random(in: -1_000_000...2_000_000_000_000, using: &generator)
        let step = Timestamp.random(in: 1...60_000, using: &generator)
        return (0..<count).map { _ in
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: time += Timestamp.random(in: 1...(1 << 40), using: &generator)
            case 1...4: time += step + Timestamp.random(in: 0...step, using: &generator)
            case 5: time += Timestamp.random(in: 1...600_000, using: &generator)
            default: time += step
            }
            return time
        }
    }

    static func values(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
        var value = Double.random(in: -1000...1000, using: &generator)
        return (0..<count).map { _ in
            switch Int.random(in: 0..<24, using: &generator) {
            case 0: value = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &generator))
            case 1: value = SampleValue.stale
            case 2: value = .infinity
            case 3: value = Double(bitPattern: SampleValue.normalNaNBits)
            case 4: value = 0
            case 5...12: value = (value + Double(Int.random(in: 0...100, using: &generator)))
            case 13: value = -0.0
            default: break
            }
            return value
        }
    }
}

@Suite struct FloatChunkTests {
    @Test(arguments: 0..<60 as Range<UInt64>) func `xor chunks give back every bit`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...300, using: &generator)
        let times = SampleGenerator.timestamps(count, &generator)
        let values = SampleGenerator.values(count, &generator)
        var appender = XORAppender()
        for (time, value) in zip(times, values) { appender.append(time, value) }
        var columns = SampleColumns()
        columns.append(-5, 5)
        try appender.chunk.decode(into: &columns)
        #expect(columns.timestamps.dropFirst() == times[...])
        #expect(columns.values.dropFirst().map(\.bitPattern) == values.map(\.bitPattern))
        #expect(appender.sampleCount == count && appender.chunk.sampleCount == count)
        #expect(columns.startTimestamps.isEmpty)
    }

    @Test(arguments: 0..<60 as Range<UInt64>) func `xor2 chunks give back every bit`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...300, using: &generator)
        let times = SampleGenerator.timestamps(count, &generator)
        let values = SampleGenerator.values(count, &generator)
        var start: Timestamp = Bool.random(using: &generator) ? 0 : 77
        let starts = times.map { time -> Timestamp in
            if seed % 3 != 0, Int.random(in: 0..<30, using: &generator) == 0 { start = time - 10 }
            return seed % 5 == 0 ? 0 : start
        }
        var appender = XOR2Appender()
        for index in 0..<count { appender.append(times[index], values[index], startTimestamp: starts[index]) }
        var columns = SampleColumns()
        try appender.chunk.decode(into: &columns)
        #expect(columns.timestamps == times)
        #expect(columns.values.map(\.bitPattern) == values.map(\.bitPattern))
        if starts.contains(where: { $0 != 0 }) {
            #expect(columns.startTimestamps == starts)
        } else {
            #expect(columns.startTimestamps.isEmpty)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func `a resumed chunk goes on as if never left`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let times = SampleGenerator.timestamps(80, &generator)
        let values = SampleGenerator.values(80, &generator)
        let pause = Int.random(in: 0...79, using: &generator)
        var first = XORAppender()
        var second = XOR2Appender()
        for index in 0..<80 {
            if index == pause {
                first = try XORAppender(resuming: Chunk(encoding: .xor, bytes: first.chunk.bytes))
                second = try XOR2Appender(resuming: Chunk(encoding: .xor2, bytes: second.chunk.bytes))
            }
            first.append(times[index], values[index])
            second.append(times[index], values[index], startTimestamp: times[index / 30] - 1)
        }
        for chunk in [first.chunk, second.chunk] {
            var columns = SampleColumns()
            try chunk.decode(into: &columns)
            #expect(columns.timestamps == times)
            #expect(columns.values.map(\.bitPattern) == values.map(\.bitPattern))
        }
    }

    @Test func `a snapshot does not change when the chunk goes on`() throws {
        var appender = XORAppender()
        for time in 0..<50 as Range<Timestamp> { appender.append(time, Double(time)) }
        let snapshot = appender.chunk
        for time in 50..<200 as Range<Timestamp> { appender.append(time, Double(time)) }
        var columns = SampleColumns()
        try snapshot.decode(into: &columns)
        #expect(columns.count == 50)
        columns.removeAll()
        try appender.chunk.decode(into: &columns, limit: 70)
        #expect(columns.timestamps == Array(0..<70))
    }

    @Test func `bytes are those of the format document`() throws {
        var appender = XORAppender()
        appender.append(1000, 1)
        appender.append(2000, 1)
        appender.append(3000, 1)
        // 3 samples; varint 1000; 1.0; uvarint 1000; value unchanged; time step and value unchanged.
        #expect(appender.chunk.bytes == [0, 3, 0xD0, 0x0F, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xE8, 0x07, 0])
    }

    @Test(arguments: [ChunkEncoding.xor, .xor2]) func `cut and flipped chunks never trap`(encoding: ChunkEncoding) {
        var generator = SeededGenerator(seed: 7)
        let times = SampleGenerator.timestamps(120, &generator)
        let values = SampleGenerator.values(120, &generator)
        var first = XORAppender()
        var second = XOR2Appender()
        for index in 0..<120 {
            first.append(times[index], values[index])
            second.append(times[index], values[index], startTimestamp: times[index] - 5)
        }
        let bytes = encoding == .xor ? first.chunk.bytes : second.chunk.bytes
        for length in 0..<bytes.count {
            var columns = SampleColumns()
            #expect(throws: ChunkError.self) {
                try Chunk(encoding: encoding, bytes: Array(bytes.prefix(length))).decode(into: &columns)
            }
            #expect(columns.count == 0 && columns.values.isEmpty && columns.startTimestamps.isEmpty)
        }
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                var columns = SampleColumns()
                try? Chunk(encoding: encoding, bytes: damaged).decode(into: &columns)
                #expect(columns.timestamps.count == columns.values.count)
            }
        }
    }

    @Test(arguments: 0..<2000 as Range<UInt64>) func `random bytes never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        for encoding in ChunkEncoding.allCases {
            var columns = SampleColumns()
            try? Chunk(encoding: encoding, bytes: bytes).decode(into: &columns)
            bytes.withUnsafeBytes { _ = try? ChunkDecoder.samples(encoding, $0) }
        }
    }
}
