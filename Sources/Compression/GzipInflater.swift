internal import CZlib

/// Undoes gzip (RFC 1952), within a limit.
package enum GzipInflater {
    /// Why a text cannot be inflated.
    package enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// This is not gzip, or it is damaged.
        case invalid
        /// It ends too early.
        case truncated
        /// It is longer than the limit.
        case tooLong

        package var description: String {
            switch self {
            case .invalid: "gzip: invalid header"
            case .truncated: "unexpected EOF"
            case .tooLong: "too long"
            }
        }
    }

    /// The bytes that `source` holds, all members of it.
    /// - Parameters:
    ///   - source: read only within the call.
    ///   - limit: the most bytes that are made.
    ///   - expected: a guess of how many there will be.
    /// - Throws: ``Failure``.
    /// - Complexity: O(bytes made); memory is bounded by `limit`.
    package static func inflate(
        _ source: UnsafeBufferPointer<UInt8>, limit: Int, expected: Int = 0
    ) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 16 asks for gzip, 15 for the largest window.
        guard inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .invalid
        }
        defer { inflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: min(limit, max(expected, source.count * 4, 4096)))
        var produced = 0
        var consumed = 0
        while true {
            if produced == output.count {
                guard output.count < limit else { throw .tooLong }
                output += [UInt8](repeating: 0, count: min(output.count, limit - output.count))
            }
            // SAFETY: zlib reads and writes only what `avail_in` and `avail_out` allow, within this call; it does not
            // change its input, though its type says so.
            let status = output.withUnsafeMutableBufferPointer { buffer in
                stream.next_in = source.baseAddress.map { UnsafeMutablePointer(mutating: $0 + consumed) }
                stream.avail_in = UInt32(clamping: source.count - consumed)
                stream.next_out = buffer.baseAddress.map { $0 + produced }
                stream.avail_out = UInt32(clamping: buffer.count - produced)
                let before = (stream.avail_in, stream.avail_out)
                let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                consumed += Int(before.0 - stream.avail_in)
                produced += Int(before.1 - stream.avail_out)
                return status
            }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END:
                if consumed == source.count { return Array(output[..<produced]) }
                guard inflateReset(&stream) == Z_OK else { throw .invalid }
            case Z_BUF_ERROR:
                if consumed == source.count { throw .truncated }
            default: throw .invalid
            }
        }
    }
}
