import Compression

/// What the fuzzer of gzip, snappy and zstd does with an input.
package enum FuzzCompressionBody {
    /// The first byte chooses the format; nothing may become larger than the limit, and what was packed comes back.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        let limits = DecompressionLimits(maximumBytes: 1 << 20)
        switch choice % 5 {
        case 0: try check(try? Gzip.unpack(body, limits: limits), limits)
        case 1: try check(try? SnappyFramed.unpack(body, limits: limits), limits)
        case 2: try check(try? SnappyBlock.unpack(body, limits: limits), limits)
        case 3: try check(try? Zstd.unpack(body, limits: limits), limits)
        default:
            try hold((try? Gzip.unpack(Gzip.pack(body), limits: limits)) == body)
            try hold((try? SnappyFramed.unpack(SnappyFramed.pack(body), limits: limits)) == body)
            try hold((try? Zstd.unpack(Zstd.pack(body), limits: limits)) == body)
        }
    }

    private static func check(_ output: [UInt8]?, _ limits: DecompressionLimits) throws {
        if let output { try hold(output.count <= limits.maximumBytes) }
    }
}
