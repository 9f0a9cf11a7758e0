/// Why compressed bytes could not be unpacked. Offsets count compressed bytes from the start of the body.
package enum CompressionError: Error, Hashable, CustomStringConvertible {
    /// The formats, by the name a `Content-Encoding` has.
    package enum Format: String, Sendable, Hashable {
        case gzip, snappy, zstd
    }

    /// The bytes end too early.
    case truncated(Format, offset: Int)
    /// The bytes are not of the format, or a checksum does not fit.
    case corrupt(Format, offset: Int, reason: String)
    /// The unpacked bytes are more than allowed.
    case tooLarge(Format, maximumBytes: Int)
    /// The bytes unpack to more than allowed for their size: a "bomb".
    case tooDense(Format, offset: Int, maximumRatio: Int)

    /// A sentence; it begins as what Go's packages for these formats say.
    package var description: String {
        switch self {
        case .truncated(.gzip, let offset): "unexpected EOF: the gzip body ends too early, at byte \(offset)"
        case .truncated(.snappy, let offset): "snappy: corrupt input: the body ends too early, at byte \(offset)"
        case .truncated(.zstd, let offset): "zstd: the body ends too early, at byte \(offset)"
        case .corrupt(let format, let offset, let reason): "\(format.rawValue): \(reason) at byte \(offset)"
        case .tooLarge(let format, let maximum):
            "\(format.rawValue): the body unpacks to more than the \(maximum) bytes allowed"
        case .tooDense(let format, let offset, let ratio):
            "\(format.rawValue): the body unpacks to more than \(ratio) times its size by byte \(offset)"
        }
    }

    /// Whether a larger limit would have let the body through.
    package var isLimit: Bool {
        switch self {
        case .tooLarge, .tooDense: true
        case .truncated, .corrupt: false
        }
    }
}

/// How much a compressed body may become.
package struct DecompressionLimits: Sendable, Hashable {
    /// The most bytes after unpacking.
    package var maximumBytes: Int
    /// The most bytes after unpacking for each byte before, watched beyond 1 MiB.
    package var maximumRatio: Int

    /// Limits; deflate cannot pack denser than 1:1032, so that the standard ratio refuses nothing that is honest.
    package init(maximumBytes: Int, maximumRatio: Int = 2000) {
        self.maximumBytes = maximumBytes
        self.maximumRatio = maximumRatio
    }

    /// Checks sizes so far.
    func check(_ format: CompressionError.Format, unpacked: Int, packed: Int) throws(CompressionError) {
        if unpacked > maximumBytes { throw .tooLarge(format, maximumBytes: maximumBytes) }
        if unpacked > 1 << 20, unpacked / max(1, packed) >= maximumRatio {
            throw .tooDense(format, offset: packed, maximumRatio: maximumRatio)
        }
    }
}
