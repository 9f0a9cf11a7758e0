internal import CZlib

/// Unpacks gzip streams of any number of members, piece by piece, as Go's `compress/gzip` does: bytes behind the last
/// member that start no other are an error.
///
/// One body after the other may be read with the same object; not from two threads at once. RFC 1952.
package final class GzipReader {
    private enum State {
        case betweenMembers, inMember
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool
    private let chunk: UnsafeMutableRawBufferPointer
    private var state = State.betweenMembers
    private var consumed = 0
    private var produced = 0

    /// Holds about 50 kB.
    package init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for "gzip only".
        isReady = inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        chunk = .allocate(byteCount: 16 << 10, alignment: 16)
    }

    deinit {
        if isReady { inflateEnd(stream) }
        stream.deinitialize(count: 1)
        stream.deallocate()
        chunk.deallocate()
    }

    /// Forgets the body so far.
    package func reset() {
        if isReady { inflateReset(stream) }
        state = .betweenMembers
        consumed = 0
        produced = 0
    }

    /// Unpacks more of the body and appends what comes out.
    /// - Throws: ``CompressionError``; the body is then lost, and ``reset()`` is due.
    /// - Complexity: O(bytes in and out).
    package func unpack(
        _ bytes: UnsafeRawBufferPointer, limits: DecompressionLimits, into output: inout [UInt8]
    ) throws(CompressionError) {
        guard isReady else { throw .corrupt(.gzip, offset: consumed, reason: "no memory to unpack") }
        var position = 0
        while position < bytes.count {
            if state == .betweenMembers {
                inflateReset(stream)
                state = .inMember
            }
            let code = step(bytes, &position, &output)
            try limits.check(.gzip, unpacked: produced, packed: consumed)
            switch code {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END: state = .betweenMembers
            default: throw .corrupt(.gzip, offset: consumed, reason: reason(code))
            }
        }
        // All input is taken; what zlib still holds back comes out now.
        while state == .inMember, stream.pointee.avail_out == 0 {
            let code = step(bytes, &position, &output)
            try limits.check(.gzip, unpacked: produced, packed: consumed)
            if code == Z_STREAM_END { state = .betweenMembers }
            if code == Z_DATA_ERROR { throw .corrupt(.gzip, offset: consumed, reason: reason(code)) }
        }
    }

    private func step(_ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ output: inout [UInt8]) -> Int32 {
        let count = min(bytes.count - position, 1 << 30)
        // SAFETY: zlib reads `avail_in` bytes from `position` on and writes at most `avail_out` bytes to `chunk`,
        // within the call.
        stream.pointee.next_in = bytes.baseAddress.map {
            UnsafeMutablePointer(mutating: ($0 + position).assumingMemoryBound(to: UInt8.self))
        }
        stream.pointee.avail_in = UInt32(count)
        stream.pointee.next_out = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(chunk.count)
        let code = inflate(stream, Z_NO_FLUSH)
        let read = count - Int(stream.pointee.avail_in)
        let written = chunk.count - Int(stream.pointee.avail_out)
        position += read
        consumed += read
        produced += written
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<written]))
        return code
    }

    private func reason(_ code: Int32) -> String {
        // zlib's words; Go says "gzip: invalid header" or "gzip: invalid checksum" for the first two.
        switch stream.pointee.msg.map({ String(cString: $0) }) {
        case "incorrect header check": "invalid header"
        case "incorrect data check", "incorrect length check": "invalid checksum"
        case .some(let text): text
        case nil: "error \(code)"
        }
    }

    /// Says that the body has ended.
    /// - Throws: ``CompressionError/truncated(_:offset:)`` if that is too early; an empty body is no gzip.
    package func finish() throws(CompressionError) {
        if state == .inMember || consumed == 0 { throw .truncated(.gzip, offset: consumed) }
    }

    /// Unpacks a whole body.
    package func unpackAll(
        _ bytes: UnsafeRawBufferPointer, limits: DecompressionLimits
    ) throws(CompressionError) -> [UInt8] {
        reset()
        var output: [UInt8] = []
        output.reserveCapacity(min(limits.maximumBytes, bytes.count * 4, 1 << 20))
        try unpack(bytes, limits: limits, into: &output)
        try finish()
        return output
    }
}

/// Gzip in one call.
package enum Gzip {
    /// Unpacks a whole body.
    /// - Throws: ``CompressionError``.
    package static func unpack(_ bytes: [UInt8], limits: DecompressionLimits) throws(CompressionError) -> [UInt8] {
        // SAFETY: the buffer is only read within the call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(CompressionError) -> [UInt8] in
            try GzipReader().unpackAll(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Packs `bytes` as one member.
    package static func pack(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
        let (run, checksum) = DeflateRuns(level: level).run(bytes)
        return DeflateRuns.gzipHeader + run
            + DeflateRuns.gzipTrailer(checksum: checksum, plainCount: bytes.count)
    }
}
