internal import ByteCoding

/// Why a message could not be read; upstream has one text for all of it.
enum WireError: Error {
    /// `proto: cannot parse invalid wire-format data`.
    case invalid
}

/// Walks over the fields of one protobuf message. Offsets are those of the whole buffer.
///
/// Source: the protobuf encoding specification; google.golang.org/protobuf encoding/protowire for what is refused.
struct WireReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    let end: Int

    /// Field numbers beyond this are refused.
    private static let maximumField: UInt64 = (1 << 29) - 1
    /// Nesting of groups that is still skipped; the schema has none.
    private static let maximumGroupDepth = 100

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = min(range.upperBound, bytes.count)
    }

    var isAtEnd: Bool { position >= end }

    /// The next field's number and wire type; nil at the end.
    @inline(__always)
    mutating func nextField() throws(WireError) -> (number: Int, wireType: Int)? {
        guard position < end else { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard number >= 1, number <= Self.maximumField else { throw .invalid }
        return (Int(number), Int(tag & 7))
    }

    @inline(__always)
    mutating func varint() throws(WireError) -> UInt64 {
        if position < end, bytes[position] < 0x80 {
            position &+= 1
            return UInt64(bytes[position &- 1])
        }
        var at = position
        guard let value = Varint.read(UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: &at) else {
            throw .invalid
        }
        position = at
        return value
    }

    @inline(__always)
    mutating func double() throws(WireError) -> Double {
        guard end &- position >= 8 else { throw .invalid }
        let bits = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position &+= 8
        return Double(bitPattern: bits)
    }

    /// Where the contents of a length-delimited field lie.
    @inline(__always)
    mutating func contents() throws(WireError) -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(end &- position) else { throw .invalid }
        let range = position..<(position &+ Int(length))
        position = range.upperBound
        return range
    }

    /// Skips the value of a field that nobody wants.
    mutating func skip(_ number: Int, _ wireType: Int) throws(WireError) {
        var open: [Int] = []
        var number = number
        var wireType = wireType
        while true {
            switch wireType {
            case 0: _ = try varint()
            case 1: _ = try double()
            case 2: _ = try contents()
            case 3:
                guard open.count < Self.maximumGroupDepth else { throw .invalid }
                open.append(number)
            case 4:
                guard let last = open.popLast(), last == number else { throw .invalid }
            case 5:
                guard end &- position >= 4 else { throw .invalid }
                position &+= 4
            default: throw .invalid
            }
            if open.isEmpty { return }
            guard let next = try nextField() else { throw .invalid }
            (number, wireType) = next
        }
    }
}
