internal import CZlib

/// Makes runs of deflate blocks that can be cached and put together to one gzip stream in any combination: each ends
/// on a byte, refers to nothing outside of it, and is not marked as the last.
///
/// A gzip body is ``gzipHeader``, any runs, then ``gzipTrailer(checksum:plainCount:)`` (RFC 1951, RFC 1952). One
/// stream, unlike several gzip members behind each other, is understood by every client.
package final class DeflateRuns {
    /// The first bytes of a gzip stream without name, time and comment.
    package static let gzipHeader: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool
    /// Where zlib writes; reused, since a run is much smaller than the most that it could take.
    private var output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 0)

    /// A compressor for one thread at a time.
    /// - Parameter level: 1 (fast) to 9 (small).
    package init(level: Int32 = 1) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Negative window bits: no header and no trailer.
        let code = deflateInit2_(
            stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        isReady = code == Z_OK
    }

    deinit {
        if isReady { deflateEnd(stream) }
        stream.deinitialize(count: 1)
        stream.deallocate()
        output.deallocate()
    }

    /// Compresses `bytes` to a run.
    /// - Returns: The run and the CRC-32 of `bytes`.
    /// - Complexity: O(n); one allocation.
    package func run(_ bytes: [UInt8]) -> (run: [UInt8], checksum: UInt32) { bytes.withUnsafeBytes { run($0) } }

    /// Compresses `bytes` to a run that takes no more memory than its bytes.
    /// - Returns: The run and the CRC-32 of `bytes`.
    /// - Complexity: O(n); one allocation.
    package func run(_ bytes: UnsafeRawBufferPointer) -> (run: [UInt8], checksum: UInt32) {
        let input = bytes.assumingMemoryBound(to: UInt8.self)
        let checksum = UInt32(truncatingIfNeeded: CZlib.crc32_z(0, input.baseAddress, input.count))
        guard isReady, let run = deflated(input) else { return (DeflateRuns.stored(Array(bytes)), checksum) }
        return (run, checksum)
    }

    private func deflated(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard input.count < 1 << 30, deflateReset(stream) == Z_OK else { return nil }
        // Beyond zlib's bound, a sync flush may add an empty block.
        let capacity = Int(deflateBound(stream, UInt(input.count))) + 16
        if capacity > output.count {
            output.deallocate()
            output = .allocate(capacity: capacity)
        }
        // SAFETY: zlib reads `avail_in` bytes and writes at most `avail_out`, both the sizes of the buffers, within
        // the call; only what was written is copied.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(capacity)
        let code = CZlib.deflate(stream, Z_SYNC_FLUSH)
        guard code == Z_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else { return nil }
        return Array(UnsafeBufferPointer(rebasing: output[..<(capacity - Int(stream.pointee.avail_out))]))
    }

    /// A run of blocks that hold the bytes as they are; needed only if zlib has no memory.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var run: [UInt8] = []
        run.reserveCapacity(bytes.count + bytes.count / 60_000 * 5 + 5)
        var position = 0
        while position < bytes.count {
            let count = min(60_000, bytes.count - position)
            let length = UInt16(count)
            run.append(0)
            for part in [length, ~length] { run += [UInt8(part & 0xFF), UInt8(part >> 8)] }
            run += bytes[position..<(position + count)]
            position += count
        }
        return run
    }

    /// The checksum of two pieces of data from those of each.
    /// - Parameter secondCount: Bytes of the second piece.
    /// - Complexity: O(log secondCount).
    package static func combine(_ first: UInt32, _ second: UInt32, secondCount: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), secondCount))
    }

    /// The last bytes of a gzip stream: an empty last block, checksum and size of the data before compression.
    package static func gzipTrailer(checksum: UInt32, plainCount: Int) -> [UInt8] {
        var trailer: [UInt8] = [0x03, 0x00]
        for number in [checksum, UInt32(truncatingIfNeeded: plainCount)] {
            withUnsafeBytes(of: number.littleEndian) { trailer.append(contentsOf: $0) }
        }
        return trailer
    }
}
