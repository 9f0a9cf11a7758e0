package import MetricModel

/// Appends floats to a chunk of encoding ``ChunkEncoding/xor``.
///
/// A value: a copy is a snapshot, and ``chunk`` hands out what readers may decode while the owner goes on appending.
/// Source: prometheus/prometheus tsdb/chunkenc/xor.go.
package struct XORAppender: Sendable {
    private var writer: BitWriter
    /// Time of the last sample; meaningless while empty.
    package private(set) var lastTimestamp: Timestamp = .min
    private var lastBits: UInt64 = 0
    private var delta: UInt64 = 0
    private var window = XORWindow.unset
    private var count: UInt16 = 0

    /// Chunks of floats are cut before a sample if they have more bytes than this: a sample takes up to 19, and a
    /// chunk shall not exceed 1,024.
    package static let byteLimitBeforeAppend = 1024 - 19

    /// An empty chunk.
    package init() { writer = BitWriter(headerSize: ChunkEncoding.xor.headerSize) }

    /// Goes on with `chunk`.
    /// - Throws: ``ChunkError`` if its samples cannot be read.
    /// - Complexity: O(samples).
    package init(resuming chunk: Chunk) throws(ChunkError) {
        self = try chunk.withUnsafeBytes { (bytes) throws(ChunkError) in
            let total = ChunkHeader.sampleCount(bytes, .xor)
            var decoder = try XORDecoder(bytes)
            var last: (Timestamp, Double) = (.min, 0)
            try withUnsafeMutablePointer(to: &last.0) { (t) throws(ChunkError) in
                try withUnsafeMutablePointer(to: &last.1) { (v) throws(ChunkError) in
                    for _ in 0..<total { try decoder.decode(1, t, v) }
                }
            }
            var appender = XORAppender()
            guard total > 0 else { return appender }
            appender.writer = BitWriter(continuing: bytes, bitCount: decoder.reader.position)
            appender.lastTimestamp = last.0
            appender.lastBits = last.1.bitPattern
            appender.delta = decoder.delta
            appender.window = decoder.window
            // A reader's first window is the whole word; a writer must not use one that was never written.
            if decoder.window.width == 64 { appender.window = .unset }
            appender.count = UInt16(total)
            return appender
        }
    }

    /// Asks the processor for the memory that the next sample changes.
    @inline(__always)
    mutating func prefetchEnd() { writer.prefetchEnd() }

    /// Number of samples.
    package var sampleCount: Int { Int(count) }

    /// Length of the data.
    package var byteCount: Int { writer.byteCount }

    /// Value of the last sample; meaningless while empty.
    package var lastValue: Double { Double(bitPattern: lastBits) }

    /// A snapshot: O(1) now, one copy of the data at the next append.
    package var chunk: Chunk { writer.chunk(.xor) }

    /// Appends a sample. The caller keeps timestamps ascending, and cuts chunks long before 65,535 samples, at which
    /// nothing is appended any more and the result is false.
    /// - Complexity: O(1) amortised; allocates only when the buffer grows.
    @discardableResult
    package mutating func append(_ timestamp: Timestamp, _ value: Double) -> Bool {
        let bits = value.bitPattern
        switch count {
        case 0:
            writer.writeVarint(timestamp)
            writer.write(bits, bits: 64)
        case 1:
            delta = UInt64(bitPattern: timestamp &- lastTimestamp)
            writer.writeUvarint(delta)
            window.write(bits ^ lastBits, to: &writer)
        case .max:
            return false
        default:
            let newDelta = UInt64(bitPattern: timestamp &- lastTimestamp)
            let change = Int64(bitPattern: newDelta &- delta)
            delta = newDelta
            if change == 0 {
                if bits == lastBits {
                    writer.write(0, bits: 2)
                } else {
                    writer.write(0, bits: 1)
                    window.write(bits ^ lastBits, to: &writer)
                }
            } else {
                writeChange(change)
                window.write(bits ^ lastBits, to: &writer)
            }
        }
        count += 1
        writer.setByte(UInt8(truncatingIfNeeded: count >> 8), at: 0)
        writer.setByte(UInt8(truncatingIfNeeded: count), at: 1)
        lastTimestamp = timestamp
        lastBits = bits
        return true
    }

    private mutating func writeChange(_ change: Int64) {
        let raw = UInt64(bitPattern: change)
        if Varbit.fits(change, 14) {
            writer.write(0b10 << 14 | raw & 0x3FFF, bits: 16)
        } else if Varbit.fits(change, 17) {
            writer.write(0b110 << 17 | raw & 0x1_FFFF, bits: 20)
        } else if Varbit.fits(change, 20) {
            writer.write(0b1110 << 20 | raw & 0xF_FFFF, bits: 24)
        } else {
            writer.write(0b1111, bits: 4)
            writer.write(raw, bits: 64)
        }
    }
}

/// Reads chunks of encoding ``ChunkEncoding/xor``.
struct XORDecoder {
    var reader: BitReader
    private(set) var delta: UInt64 = 0
    private(set) var window = XORWindow.whole
    private var timestamp: Timestamp = 0
    private var bits: UInt64 = 0
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) throws(ChunkError) {
        guard bytes.count >= 2 else { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
        reader = BitReader(bytes, from: ChunkEncoding.xor.headerSize)
    }

    /// Reads the next `count` samples into the memory at `timestamps` and `values`, which has room for them.
    /// - Complexity: O(count); no allocation.
    mutating func decode(
        _ count: Int, _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) throws(ChunkError) {
        var done = 0
        while done < count && index < 2 {
            try decodeOneOfFirst()
            timestamps[done] = timestamp
            values[done] = Double(bitPattern: bits)
            done += 1
        }
        guard done < count else { return }
        try decodeRest(from: done, to: count, timestamps, values)
        index += count - done
    }

    private mutating func decodeOneOfFirst() throws(ChunkError) {
        if index == 0 {
            timestamp = try reader.readVarint()
            bits = try reader.read(64)
        } else {
            delta = try reader.readUvarint()
            timestamp = timestamp &+ Int64(bitPattern: delta)
            bits ^= try window.read(&reader)
        }
        index += 1
    }

    /// The hot loop. It works on locals. What is mostly the same from sample to sample is branched on, so that the load
    /// of the next sample need not wait for this one; what is not is selected, as a wrong guess costs more than a sample.
    private mutating func decodeRest(
        from first: Int, to count: Int, _ timestamps: UnsafeMutablePointer<Timestamp>,
        _ values: UnsafeMutablePointer<Double>
    ) throws(ChunkError) {
        var reader = self.reader
        var position = reader.position
        let end = reader.bitCount
        var delta = self.delta
        var timestamp = self.timestamp
        var bits = self.bits
        var trailing = UInt64(window.trailing)
        var width = UInt64(truncatingIfNeeded: window.width)
        var done = first
        while done < count {
            var bitsLeft = reader.peek(position)
            if bitsLeft >> 63 == 0 {
                bitsLeft <<= 1
                position &+= 1
            } else if bitsLeft >> 62 == 0b10 {
                let raw = (bitsLeft << 2) >> 50
                delta = delta &+ raw &- (raw > 1 << 13 ? 1 << 14 : 0)
                position &+= 16
                bitsLeft <<= 16
            } else if bitsLeft >> 60 != 0b1111 {
                // Three widths behind one to three ones: by arithmetic, as which of them comes next is hard to predict.
                let ones = UInt64(truncatingIfNeeded: (~bitsLeft).leadingZeroBitCount)
                let width = 11 &+ 3 &* ones
                let raw = (bitsLeft << (ones &+ 1)) >> (64 &- width)
                let over = Int64(bitPattern: (1 << (width &- 1)) &- raw) >> 63
                delta = delta &+ raw &- ((1 << width) & UInt64(bitPattern: over))
                position &+= Int(truncatingIfNeeded: ones &+ 1 &+ width)
                bitsLeft <<= ones &+ 1 &+ width
            } else {
                reader.position = position &+ 4
                delta = delta &+ (try reader.read(64))
                position = reader.position
                bitsLeft = reader.peek(position)
            }
            timestamp = timestamp &+ Int64(bitPattern: delta)
            if bitsLeft >> 63 == 0 {
                position &+= 1
            } else {
                // A known run or a new one: selected without a branch, for the same reason. At least 33 bits are left.
                let isNew = (bitsLeft >> 62) & 1
                let newLeading = (bitsLeft << 2) >> 59
                let newWidth = ((((bitsLeft << 7) >> 58) &- 1) & 63) &+ 1
                let newTrailing = 64 &- newLeading &- newWidth
                if isNew != 0 && newLeading &+ newWidth > 64 {
                    throw ChunkError(reason: .invalid("invalid XOR window"), bit: position &+ 13)
                }
                width = isNew == 0 ? width : newWidth
                trailing = isNew == 0 ? trailing : newTrailing
                position &+= Int(truncatingIfNeeded: 2 &+ (isNew &* 11))
                let word = reader.peek(position)
                if width <= 57 {
                    bits ^= (word >> (64 &- width)) << trailing
                } else {
                    reader.position = position
                    bits ^= try reader.read(Int(truncatingIfNeeded: width)) << trailing
                }
                position &+= Int(truncatingIfNeeded: width)
            }
            if position > end { throw ChunkError(reason: .truncated, bit: end) }
            timestamps[done] = timestamp
            values[done] = Double(bitPattern: bits)
            done &+= 1
        }
        window = XORWindow(
            leading: UInt8(truncatingIfNeeded: 64 &- width &- trailing), trailing: UInt8(truncatingIfNeeded: trailing))
        reader.position = position
        self.reader = reader
        self.delta = delta
        self.timestamp = timestamp
        self.bits = bits
    }
}
