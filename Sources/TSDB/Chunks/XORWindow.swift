/// The run of bits in which successive values of a series differed, and the coding of a value by its XOR with the one
/// before.
///
/// Source: prometheus/prometheus tsdb/chunkenc/xor.go; the method is Gorilla's (VLDB 2015).
struct XORWindow: Sendable {
    /// Zero bits before the run; 0xFF as long as none was written.
    var leading: UInt8
    /// Zero bits after the run.
    var trailing: UInt8

    /// The state before the first difference is written.
    static let unset = XORWindow(leading: 0xFF, trailing: 0)
    /// The state before the first difference is read: upstream's readers start with the whole word.
    static let whole = XORWindow(leading: 0, trailing: 0)

    /// Number of bits in the run.
    @inline(__always)
    var width: Int { 64 &- Int(leading) &- Int(trailing) }

    /// Whether the run covers all bits that are set in `difference`.
    @inline(__always)
    func covers(_ difference: UInt64) -> Bool {
        leading != 0xFF && min(difference.leadingZeroBitCount, 31) >= Int(leading)
            && difference.trailingZeroBitCount >= Int(trailing)
    }

    /// The narrowest run for `difference`, which is not 0; `leading` has only five bits in the stream.
    static func around(_ difference: UInt64) -> XORWindow {
        XORWindow(
            leading: UInt8(min(difference.leadingZeroBitCount, 31)), trailing: UInt8(difference.trailingZeroBitCount))
    }

    /// Writes the position and length of a new run and the bits of `difference` in it.
    mutating func writeNew(_ difference: UInt64, to writer: inout BitWriter) {
        self = XORWindow.around(difference)
        // 64 significant bits do not fit in six bits; none is never written, so that 0 stands for 64.
        writer.write(UInt64(leading) << 6 | UInt64(width & 63), bits: 11)
        writer.write(difference >> UInt64(trailing), bits: width)
    }

    /// Writes `difference` with the control bits of XOR chunks and of histogram fields.
    @inline(__always)
    mutating func write(_ difference: UInt64, to writer: inout BitWriter) {
        if difference == 0 {
            writer.write(0, bits: 1)
        } else if covers(difference) {
            writer.write(0b10, bits: 2)
            writer.write(difference >> UInt64(trailing), bits: width)
        } else {
            writer.write(0b11, bits: 2)
            writeNew(difference, to: &writer)
        }
    }

    /// Reads what ``writeNew(_:to:)`` wrote.
    @inline(__always)
    mutating func readNew(_ reader: inout BitReader) throws(ChunkError) -> UInt64 {
        let window = reader.peek(reader.position)
        let first = Int(truncatingIfNeeded: window >> 59)
        let announced = Int(truncatingIfNeeded: window >> 53) & 63
        let significant = announced == 0 ? 64 : announced
        guard first &+ significant <= 64 else {
            reader.position &+= 11
            try reader.check()
            throw reader.failure(.invalid("invalid XOR window"))
        }
        leading = UInt8(truncatingIfNeeded: first)
        trailing = UInt8(truncatingIfNeeded: 64 &- first &- significant)
        // 57 bits are there for sure.
        if significant <= 46 {
            reader.position &+= 11 &+ significant
            try reader.check()
            return ((window << 11) >> UInt64(truncatingIfNeeded: 64 &- significant)) << UInt64(trailing)
        }
        reader.position &+= 11
        return try reader.read(significant) << UInt64(trailing)
    }

    /// Reads what ``write(_:to:)`` wrote.
    @inline(__always)
    mutating func read(_ reader: inout BitReader) throws(ChunkError) -> UInt64 {
        if try reader.read(1) == 0 { return 0 }
        if try reader.read(1) == 0 { return try reader.read(width) << UInt64(trailing) }
        return try readNew(&reader)
    }
}
