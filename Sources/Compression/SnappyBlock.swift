internal import CSnappy

/// The block format of snappy: one compressed piece, preceded by its length. Remote write bodies and records of
/// Prometheus' write-ahead log are such blocks.
///
/// Source: github.com/google/snappy/blob/main/format_description.txt.
package enum SnappyBlock {
    /// The most bytes that compressing `count` bytes may take.
    package static func maximumCompressedSize(_ count: Int) -> Int { snappy_max_compressed_length(max(0, count)) }

    /// Compresses `source`.
    /// - Parameter target: At least ``maximumCompressedSize(_:)`` bytes.
    /// - Returns: how many bytes were written; 0 if `target` is too small.
    /// - Complexity: O(n); no allocation that outlives the call.
    package static func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        var length = target.count
        // SAFETY: both buffers are used within the call only; the library checks `length` before it writes.
        let status = snappy_compress(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
            target.baseAddress?.assumingMemoryBound(to: CChar.self), &length)
        return status == SNAPPY_OK ? length : 0
    }

    /// How many bytes `source` announces; nil if it is no block, or announces more than any block of its size can
    /// hold (so that a small body cannot make its reader reserve much memory).
    package static func uncompressedSize(_ source: UnsafeRawBufferPointer) -> Int? {
        var length = 0
        // SAFETY: the buffer is only read within the call.
        let status = snappy_uncompressed_length(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count, &length)
        // The densest element, a copy of 64 bytes, takes three bytes.
        guard status == SNAPPY_OK, length >= 0, length <= source.count * 22 + 64 else { return nil }
        return length
    }

    /// Decompresses `source` into `target`, which has at least ``uncompressedSize(_:)`` bytes.
    /// - Returns: how many bytes were written; nil if `source` is damaged.
    package static func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var length = target.count
        // SAFETY: both buffers are used within the call only; the library checks `length` before it writes.
        let status = snappy_uncompress(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
            target.baseAddress?.assumingMemoryBound(to: CChar.self), &length)
        return status == SNAPPY_OK ? length : nil
    }
}
