package import MetricModel

/// Appends floats, with start timestamps if given, to a chunk of encoding ``ChunkEncoding/xor2``.
///
/// Source: prometheus/prometheus tsdb/docs/format/chunks.md, "XOR2 chunk data", and tsdb/chunkenc/xor2.go.
package struct XOR2Appender: Sendable {
    private var writer: BitWriter
    /// Time of the last sample; meaningless while empty.
    package private(set) var lastTimestamp: Timestamp = .min
    /// The last value that was not a staleness marker: what the next is XORed with.
    private var baseline: UInt64 = 0
    private var delta: UInt64 = 0
    private var window = XORWindow.unset
    private var start = StartTimestampCoder()
    private var count: UInt16 = 0
    private var lastBits: UInt64 = 0

    /// An empty chunk.
    package init() { writer = BitWriter(headerSize: ChunkEncoding.xor2.headerSize) }

    /// Goes on with `chunk`.
    /// - Throws: ``ChunkError`` if its samples cannot be read.
    /// - Complexity: O(samples).
    package init(resuming chunk: Chunk) throws(ChunkError) {
        self = try chunk.withUnsafeBytes { (bytes) throws(ChunkError) in
            let total = ChunkHeader.sampleCount(bytes, .xor2)
            var decoder = try XOR2Decoder(bytes)
            for _ in 0..<total { try decoder.next() }
            var appender = XOR2Appender()
            guard total > 0 else { return appender }
            appender.writer = BitWriter(continuing: bytes, bitCount: decoder.reader.position)
            appender.lastTimestamp = decoder.timestamp
            appender.lastBits = decoder.bits
            appender.baseline = decoder.baseline
            appender.delta = decoder.delta
            appender.window = decoder.window.width == 64 ? .unset : decoder.window
            appender.start = decoder.start
            appender.count = UInt16(total)
            return appender
        }
    }

    /// Number of samples.
    package var sampleCount: Int { Int(count) }

    /// Length of the data.
    package var byteCount: Int { writer.byteCount }

    /// Value of the last sample; meaningless while empty.
    package var lastValue: Double { Double(bitPattern: lastBits) }

    /// A snapshot: O(1) now, one copy of the data at the next append.
    package var chunk: Chunk { writer.chunk(.xor2) }

    /// Appends a sample; a `startTimestamp` of 0 means that none is known. False for a chunk of 65,535 samples, to
    /// which nothing is appended any more.
    @discardableResult
    package mutating func append(_ timestamp: Timestamp, _ value: Double, startTimestamp: Timestamp = 0) -> Bool {
        let bits = value.bitPattern
        let previous = lastTimestamp
        switch count {
        case 0:
            writer.writeVarint(timestamp)
            writer.write(bits, bits: 64)
        case 1:
            delta = UInt64(bitPattern: timestamp &- lastTimestamp)
            writer.writeUvarint(delta)
            writeValue(bits)
        case .max:
            return false
        default:
            let newDelta = UInt64(bitPattern: timestamp &- lastTimestamp)
            writeJoint(Int64(bitPattern: newDelta &- delta), bits)
            delta = newDelta
        }
        if start.write(startTimestamp, index: Int(count), timestamp: timestamp, previous: previous, to: &writer) {
            writer.setByte(start.header, at: 2)
        }
        count += 1
        writer.setByte(UInt8(truncatingIfNeeded: count >> 8), at: 0)
        writer.setByte(UInt8(truncatingIfNeeded: count), at: 1)
        lastTimestamp = timestamp
        lastBits = bits
        if bits != SampleValue.staleBits { baseline = bits }
        return true
    }

    private mutating func writeJoint(_ change: Int64, _ bits: UInt64) {
        let raw = UInt64(bitPattern: change)
        if change == 0 {
            let difference = bits ^ baseline
            if bits == SampleValue.staleBits {
                writer.write(0b11111, bits: 5)
            } else if difference == 0 {
                writer.write(0, bits: 1)
            } else if window.covers(difference) {
                writer.write(0b100, bits: 3)
                writer.write(difference >> UInt64(window.trailing), bits: window.width)
            } else {
                writer.write(0b101, bits: 3)
                window.writeNew(difference, to: &writer)
            }
            return
        }
        if change >= -(1 << 12) && change < 1 << 12 {
            writer.write(0b110 << 13 | raw & 0x1FFF, bits: 16)
        } else if change >= -(1 << 19) && change < 1 << 19 {
            writer.write(0b1110 << 20 | raw & 0xF_FFFF, bits: 24)
        } else {
            writer.write(0b11110, bits: 5)
            writer.write(raw, bits: 64)
        }
        writeValue(bits)
    }

    private mutating func writeValue(_ bits: UInt64) {
        let difference = bits ^ baseline
        if bits == SampleValue.staleBits {
            writer.write(0b111, bits: 3)
        } else if difference == 0 {
            writer.write(0, bits: 1)
        } else if window.covers(difference) {
            writer.write(0b10, bits: 2)
            writer.write(difference >> UInt64(window.trailing), bits: window.width)
        } else {
            writer.write(0b110, bits: 3)
            window.writeNew(difference, to: &writer)
        }
    }
}

/// Reads chunks of encoding ``ChunkEncoding/xor2``.
struct XOR2Decoder {
    var reader: BitReader
    private(set) var timestamp: Timestamp = 0
    private(set) var bits: UInt64 = 0
    private(set) var baseline: UInt64 = 0
    private(set) var delta: UInt64 = 0
    private(set) var window = XORWindow.whole
    private(set) var start: StartTimestampCoder
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) throws(ChunkError) {
        guard bytes.count >= 3 else { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
        reader = BitReader(bytes, from: ChunkEncoding.xor2.headerSize)
        start = StartTimestampCoder(header: bytes[2])
    }

    /// Reads one sample into ``timestamp``, ``bits`` and ``start``.
    mutating func next() throws(ChunkError) {
        let previous = timestamp
        switch index {
        case 0:
            timestamp = try reader.readVarint()
            bits = try reader.read(64)
            if bits != SampleValue.staleBits { baseline = bits }
        case 1:
            delta = try reader.readUvarint()
            timestamp = timestamp &+ Int64(bitPattern: delta)
            try readValue()
        default:
            try readJoint()
        }
        try start.read(index: index, timestamp: timestamp, previous: previous, from: &reader)
        index += 1
    }

    @inline(__always)
    private mutating func readJoint() throws(ChunkError) {
        let control = reader.peek(reader.position)
        switch (~control).leadingZeroBitCount {
        case 0:
            reader.position &+= 1
            timestamp = timestamp &+ Int64(bitPattern: delta)
            bits = baseline
            try reader.check()
        case 1:
            timestamp = timestamp &+ Int64(bitPattern: delta)
            reader.position &+= 3
            if (control >> 61) & 1 == 0 {
                bits = baseline ^ (try reader.read(window.width) << UInt64(window.trailing))
            } else {
                bits = baseline ^ (try window.readNew(&reader))
            }
            baseline = bits
        case 2:
            reader.position &+= 3
            try advance(13)
        case 3:
            reader.position &+= 4
            try advance(20)
        case 4:
            reader.position &+= 5
            try advance(64)
        default:
            reader.position &+= 5
            timestamp = timestamp &+ Int64(bitPattern: delta)
            bits = SampleValue.staleBits
            try reader.check()
        }
    }

    /// Reads a two's complement change of the time step, and the value after it.
    private mutating func advance(_ width: Int) throws(ChunkError) {
        let unused = UInt64(truncatingIfNeeded: 64 &- width)
        let change = Int64(bitPattern: try reader.read(width) << unused) >> Int64(unused)
        delta = delta &+ UInt64(bitPattern: change)
        timestamp = timestamp &+ Int64(bitPattern: delta)
        try readValue()
    }

    private mutating func readValue() throws(ChunkError) {
        let control = reader.peek(reader.position)
        switch (~control).leadingZeroBitCount {
        case 0:
            reader.position &+= 1
            bits = baseline
            return try reader.check()
        case 1:
            reader.position &+= 2
            bits = baseline ^ (try reader.read(window.width) << UInt64(window.trailing))
        case 2:
            reader.position &+= 3
            bits = baseline ^ (try window.readNew(&reader))
        default:
            reader.position &+= 3
            bits = SampleValue.staleBits
            return try reader.check()
        }
        baseline = bits
    }
}
