internal import CZstd

/// Unpacks zstd streams of any number of frames, piece by piece. RFC 8878.
///
/// One body after the other may be read with the same object; not from two threads at once.
package final class ZstdReader {
    /// Frames that want a larger window (32 MiB) are refused, so that none can reserve much memory.
    private static let maximumWindowLog: Int32 = 25

    private let context: OpaquePointer?
    private let chunk: UnsafeMutableRawBufferPointer
    private var consumed = 0
    private var produced = 0
    private var isInFrame = false

    /// A reader.
    package init() {
        context = ZSTD_createDCtx()
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.maximumWindowLog)
        chunk = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        ZSTD_freeDCtx(context)
        chunk.deallocate()
    }

    /// Forgets the body so far.
    package func reset() {
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        consumed = 0
        produced = 0
        isInFrame = false
    }

    /// Unpacks more of the body and appends what comes out.
    /// - Throws: ``CompressionError``; the body is then lost, and ``reset()`` is due.
    package func unpack(
        _ bytes: UnsafeRawBufferPointer, limits: DecompressionLimits, into output: inout [UInt8]
    ) throws(CompressionError) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var isFull = false
        while input.pos < input.size || isFull {
            var target = ZSTD_outBuffer(dst: chunk.baseAddress, size: chunk.count, pos: 0)
            let before = input.pos
            // SAFETY: the library reads and writes within the sizes of the two buffers, within the call.
            let code = ZSTD_decompressStream(context, &target, &input)
            consumed += input.pos - before
            produced += target.pos
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<target.pos]))
            if ZSTD_isError(code) != 0 {
                throw .corrupt(.zstd, offset: consumed, reason: String(cString: ZSTD_getErrorName(code)))
            }
            try limits.check(.zstd, unpacked: produced, packed: consumed)
            if input.pos == before, target.pos == 0 { break }
            isInFrame = code != 0
            isFull = isInFrame && target.pos == target.size
        }
    }

    /// Says that the body has ended.
    /// - Throws: ``CompressionError/truncated(_:offset:)`` if that is too early.
    package func finish() throws(CompressionError) {
        if isInFrame { throw .truncated(.zstd, offset: consumed) }
    }
}

/// Zstd in one call.
package enum Zstd {
    /// Unpacks a whole body.
    /// - Throws: ``CompressionError``.
    package static func unpack(_ bytes: [UInt8], limits: DecompressionLimits) throws(CompressionError) -> [UInt8] {
        let reader = ZstdReader()
        var output: [UInt8] = []
        // SAFETY: the buffer is only read within the call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(CompressionError) in
            try reader.unpack(UnsafeRawBufferPointer(buffer), limits: limits, into: &output)
        }
        try reader.finish()
        return output
    }

    /// Packs `bytes` as one frame.
    package static func pack(_ bytes: [UInt8], level: Int32 = 1) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        // SAFETY: both buffers are used within the call only, up to their counts.
        let count = bytes.withUnsafeBytes { source in
            output.withUnsafeMutableBytes {
                ZSTD_compress($0.baseAddress, $0.count, source.baseAddress, source.count, level)
            }
        }
        guard ZSTD_isError(count) == 0 else { return [] }
        output.removeLast(output.count - count)
        return output
    }
}
