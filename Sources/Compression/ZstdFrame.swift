internal import CZstd

/// One Zstandard frame whose size is known before: records of Prometheus' write-ahead log.
///
/// Source: RFC 8878.
package enum ZstdFrame {
    /// The most bytes that compressing `count` bytes may take.
    package static func maximumCompressedSize(_ count: Int) -> Int { ZSTD_compressBound(max(0, count)) }

    /// Compresses `source` at the library's fast level, as upstream does.
    /// - Parameter target: At least ``maximumCompressedSize(_:)`` bytes.
    /// - Returns: how many bytes were written; 0 on failure.
    package static func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        // SAFETY: both buffers are used within the call only, up to their counts.
        let written = ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, 1)
        return ZSTD_isError(written) == 0 ? written : 0
    }

    /// How many bytes the frame at the start of `source` announces; nil if it announces none or is no frame.
    package static func uncompressedSize(_ source: UnsafeRawBufferPointer) -> Int? {
        // SAFETY: the buffer is only read within the call.
        let size = ZSTD_getFrameContentSize(source.baseAddress, source.count)
        // The two highest values stand for "unknown" and "error".
        return size < UInt64(Int32.max) ? Int(size) : nil
    }

    /// Decompresses `source` into `target`.
    /// - Returns: how many bytes were written; nil if `source` is damaged or `target` too small.
    package static func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // SAFETY: both buffers are used within the call only, up to their counts.
        let written = ZSTD_decompress(target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(written) == 0 ? written : nil
    }
}
