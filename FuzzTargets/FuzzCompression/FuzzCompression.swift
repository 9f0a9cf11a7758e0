import Compression
import FuzzDriver

@main struct FuzzCompression {
    static func main() { FuzzDriver.fuzz(run) }

    /// The first byte chooses the format; nothing may become larger than the limit, and what was packed comes back.
    static func run(_ input: [UInt8]) {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        let limits = DecompressionLimits(maximumBytes: 1 << 20)
        switch choice % 5 {
        case 0: check(try? Gzip.unpack(body, limits: limits), limits)
        case 1: check(try? SnappyFramed.unpack(body, limits: limits), limits)
        case 2: check(try? SnappyBlock.unpack(body, limits: limits), limits)
        case 3: check(try? Zstd.unpack(body, limits: limits), limits)
        default:
            precondition((try? Gzip.unpack(Gzip.pack(body), limits: limits)) == body)
            precondition((try? SnappyFramed.unpack(SnappyFramed.pack(body), limits: limits)) == body)
            precondition((try? Zstd.unpack(Zstd.pack(body), limits: limits)) == body)
        }
    }

    private static func check(_ output: [UInt8]?, _ limits: DecompressionLimits) {
        if let output { precondition(output.count <= limits.maximumBytes) }
    }
}
