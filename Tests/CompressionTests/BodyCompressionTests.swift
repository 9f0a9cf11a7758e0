import Compression
import TestSupport
import Testing

@Suite struct BodyCompressionTests {
    private let limits = DecompressionLimits(maximumBytes: 1 << 22)

    private func sample(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            index % 3 == 0 ? UInt8.random(in: 0...255, using: &generator) : UInt8(index / 100 & 0x3F)
        }
    }

    private func failure(_ body: () throws(CompressionError) -> [UInt8]) -> CompressionError? {
        do throws(CompressionError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [0, 1, 100, 65_535, 65_536, 200_000])
    func `bytes come back as they were`(count: Int) throws {
        let bytes = sample(count, seed: 3)
        #expect(try Gzip.unpack(Gzip.pack(bytes), limits: limits) == bytes)
        #expect(try SnappyFramed.unpack(SnappyFramed.pack(bytes), limits: limits) == bytes)
        #expect(try SnappyBlock.unpack(SnappyBlock.pack(bytes), limits: limits) == bytes)
        #expect(try Zstd.unpack(Zstd.pack(bytes), limits: limits) == bytes)
    }

    @Test func `several members and frames are one body`() throws {
        let first = sample(1000, seed: 1)
        let second = sample(70_000, seed: 2)
        #expect(try Gzip.unpack(Gzip.pack(first) + Gzip.pack(second), limits: limits) == first + second)
        #expect(
            try SnappyFramed.unpack(SnappyFramed.pack(first) + SnappyFramed.pack(second), limits: limits) == first
                + second)
        #expect(try Zstd.unpack(Zstd.pack(first) + Zstd.pack(second), limits: limits) == first + second)
    }

    @Test func `what another program packed is read`() throws {
        // gzip of "x 1\n" by Python, with a name field.
        let gzip: [UInt8] = [
            31, 139, 8, 8, 0, 0, 0, 0, 2, 255, 110, 0, 171, 80, 48, 228, 2, 0, 35, 255, 10, 145, 4, 0, 0, 0,
        ]
        #expect(try Gzip.unpack(gzip, limits: limits) == Array("x 1\n".utf8))
        var damaged = gzip
        damaged[20] ^= 1
        let error = failure { () throws(CompressionError) in try Gzip.unpack(damaged, limits: limits) }
        #expect(error?.description.contains("invalid checksum") == true)
    }

    @Test func `truncated bodies are refused at every length`() {
        let bytes = sample(3000, seed: 5)
        let gzip = Gzip.pack(bytes)
        for count in 0..<gzip.count {
            let error = failure { () throws(CompressionError) in
                try Gzip.unpack(Array(gzip.prefix(count)), limits: limits)
            }
            #expect(error == .truncated(.gzip, offset: count))
        }
        let snappy = SnappyFramed.pack(bytes)
        for count in 1..<snappy.count where count != 10 {
            #expect(throws: CompressionError.self) {
                try SnappyFramed.unpack(Array(snappy.prefix(count)), limits: limits)
            }
        }
        let zstd = Zstd.pack(bytes)
        for count in 1..<zstd.count {
            #expect(throws: CompressionError.self) { try Zstd.unpack(Array(zstd.prefix(count)), limits: limits) }
        }
    }

    @Test func `what is not compressed at all is refused`() {
        let text = Array("x 1\nsome text that is long enough\n".utf8)
        #expect(
            failure { () throws(CompressionError) in try Gzip.unpack(text, limits: limits) }?.description
                == "gzip: invalid header at byte 2")
        #expect(
            failure { () throws(CompressionError) in try SnappyFramed.unpack(text, limits: limits) }?.description
                == "snappy: corrupt input: no stream identifier at byte 0")
        #expect(throws: CompressionError.self) { try Zstd.unpack(text, limits: limits) }
        #expect(throws: CompressionError.self) { try SnappyBlock.unpack(text, limits: limits) }
        // Garbage behind a member, as Go refuses it.
        #expect(throws: CompressionError.self) { try Gzip.unpack(Gzip.pack(text) + text, limits: limits) }
    }

    @Test func `limits hold`() {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        let small = DecompressionLimits(maximumBytes: 1 << 20)
        for packed in [Gzip.pack(zeros)] {
            #expect(
                failure { () throws(CompressionError) in try Gzip.unpack(packed, limits: small) }
                    == .tooLarge(.gzip, maximumBytes: 1 << 20))
        }
        #expect(throws: CompressionError.self) { try SnappyFramed.unpack(SnappyFramed.pack(zeros), limits: small) }
        #expect(throws: CompressionError.self) { try SnappyBlock.unpack(SnappyBlock.pack(zeros), limits: small) }
        #expect(throws: CompressionError.self) { try Zstd.unpack(Zstd.pack(zeros), limits: small) }
        let dense = DecompressionLimits(maximumBytes: 1 << 30, maximumRatio: 100)
        let error = failure { () throws(CompressionError) in try Gzip.unpack(Gzip.pack(zeros), limits: dense) }
        #expect(error?.isLimit == true)
    }

    @Test func `bodies arrive in pieces of any size`() throws {
        let bytes = sample(50_000, seed: 9)
        let gzip = Gzip.pack(bytes) + Gzip.pack(bytes)
        let zstd = Zstd.pack(bytes)
        for size in [1, 7, 1000] {
            let reader = GzipReader()
            let other = ZstdReader()
            var output: [UInt8] = []
            var second: [UInt8] = []
            for start in stride(from: 0, to: gzip.count, by: size) {
                try Array(gzip[start..<min(start + size, gzip.count)]).withUnsafeBytes {
                    try reader.unpack($0, limits: limits, into: &output)
                }
            }
            try reader.finish()
            for start in stride(from: 0, to: zstd.count, by: size) {
                try Array(zstd[start..<min(start + size, zstd.count)]).withUnsafeBytes {
                    try other.unpack($0, limits: limits, into: &second)
                }
            }
            try other.finish()
            #expect(output == bytes + bytes)
            #expect(second == bytes)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `mutilated bodies never trap, and snappy notices each flipped data byte`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = sample(2000, seed: seed)
        for (index, packed) in [Gzip.pack(bytes), SnappyFramed.pack(bytes), Zstd.pack(bytes)].enumerated() {
            for _ in 0..<300 {
                var body = packed
                let at = Int.random(in: 0..<body.count, using: &generator)
                body[at] ^= UInt8.random(in: 1...255, using: &generator)
                let result = failure { () throws(CompressionError) in
                    switch index {
                    case 0: try Gzip.unpack(body, limits: limits)
                    case 1: try SnappyFramed.unpack(body, limits: limits)
                    default: try Zstd.unpack(body, limits: limits)
                    }
                }
                if index == 1, at >= 14 { #expect(result != nil) }
            }
        }
    }
}
