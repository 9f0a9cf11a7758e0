/// Walks over the fields of one protobuf message, whose bytes anybody may have sent. Offsets are those of the whole
/// buffer.
///
/// The bytes are lent: a reader must not outlive the call that lends them.
/// Source: the protobuf encoding specification; google.golang.org/protobuf encoding/protowire for what is refused.
package struct WireReader {
    /// Why a message cannot be read, in the words of Go's generated readers.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String

        /// The reason `description`.
        package init(description: String) { self.description = description }

        /// The bytes end within a field, or a number exceeds 64 bits.
        package static let truncated = Fault(description: "unexpected EOF")

        /// A field whose number is no field's.
        package static func illegalTag(_ tag: UInt64) -> Fault {
            Fault(description: "proto: illegal tag \(Int32(truncatingIfNeeded: tag >> 3)) (wire type \(tag & 7))")
        }

        /// A field of a kind that is not there, or not wanted.
        package static func illegalWireType(_ wireType: Int) -> Fault {
            Fault(description: "proto: illegal wireType \(wireType)")
        }
    }

    /// What a field holds; ranges lie in the message's bytes.
    package enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
    }

    // SAFETY: read from `position` to before `end` only, which lie within.
    /// The whole, lent by the caller.
    package let bytes: UnsafeRawBufferPointer
    /// Of the next byte.
    package var position: Int
    /// Where the message ends.
    package let end: Int

    /// Field numbers beyond this are refused.
    package static var maximumField: UInt64 { (1 << 29) - 1 }
    /// Nesting of groups that is still skipped; no schema of ours has any.
    private static let maximumGroupDepth = 100

    /// A reader of the message that lies in `range` of `bytes`.
    @inlinable @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = max(0, range.lowerBound)
        end = min(range.upperBound, bytes.count)
    }

    /// Whether everything has been read.
    @inlinable
    package var isAtEnd: Bool { position >= end }

    // MARK: Fields

    /// The next field's number and wire type, its value to be read or skipped next; nil at the end.
    @inlinable @inline(__always)
    package mutating func nextField() throws(Fault) -> (number: Int, wireType: Int)? {
        guard position < end else { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard number >= 1, number <= Self.maximumField else { throw .illegalTag(tag) }
        return (Int(number), Int(tag & 7))
    }

    /// The next field with its value; nil at the end. Groups are refused.
    @inlinable @inline(__always)
    package mutating func next() throws(Fault) -> (number: Int, value: Value)? {
        guard let (number, wireType) = try nextField() else { return nil }
        switch wireType {
        case 0: return (number, .varint(try varint()))
        case 1: return (number, .fixed64(try fixed64()))
        case 2: return (number, .bytes(try contents()))
        case 5: return (number, .fixed32(try fixed32()))
        default: throw .illegalWireType(wireType)
        }
    }

    /// Skips the value of a field that nobody wants.
    package mutating func skip(_ number: Int, _ wireType: Int) throws(Fault) {
        var open: [Int] = []
        var number = number
        var wireType = wireType
        while true {
            switch wireType {
            case 0: _ = try varint()
            case 1: _ = try fixed64()
            case 2: _ = try contents()
            case 3:
                guard open.count < Self.maximumGroupDepth else { throw .illegalWireType(wireType) }
                open.append(number)
            case 4:
                guard let last = open.popLast(), last == number else { throw .illegalWireType(wireType) }
            case 5: _ = try fixed32()
            default: throw .illegalWireType(wireType)
            }
            if open.isEmpty { return }
            guard let next = try nextField() else { throw .truncated }
            (number, wireType) = next
        }
    }

    // MARK: Values

    /// A varint.
    @inlinable @inline(__always)
    package mutating func varint() throws(Fault) -> UInt64 {
        if position < end, bytes[position] < 0x80 {
            position &+= 1
            return UInt64(bytes[position &- 1])
        }
        guard let value = Varint.read(UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: &position) else {
            throw .truncated
        }
        return value
    }

    /// A number of eight bytes, least first.
    @inlinable @inline(__always)
    package mutating func fixed64() throws(Fault) -> UInt64 {
        guard end &- position >= 8 else { throw .truncated }
        let value = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position &+= 8
        return value
    }

    /// A number of four bytes, least first.
    @inlinable
    package mutating func fixed32() throws(Fault) -> UInt32 {
        guard end &- position >= 4 else { throw .truncated }
        let value = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        position &+= 4
        return value
    }

    /// A floating-point number of eight bytes.
    @inlinable @inline(__always)
    package mutating func double() throws(Fault) -> Double { Double(bitPattern: try fixed64()) }

    /// Where the bytes, the text or the message of a field lie.
    @inlinable @inline(__always)
    package mutating func contents() throws(Fault) -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(end &- position) else { throw .truncated }
        let range = position..<(position &+ Int(length))
        position = range.upperBound
        return range
    }
}

extension WireReader.Value {
    /// A varint field's number; 0 for other kinds, as an absent field.
    @inlinable
    package var integer: Int64 {
        if case .varint(let value) = self { Int64(bitPattern: value) } else { 0 }
    }

    /// A varint field's number with the sign in its lowest bit.
    @inlinable
    package var signed: Int64 {
        if case .varint(let value) = self { Varint.unzigzag(value) } else { 0 }
    }

    /// A `fixed64` field; 0 for other kinds.
    @inlinable
    package var fixed: UInt64 {
        if case .fixed64(let bits) = self { bits } else { 0 }
    }

    /// A `double` field.
    @inlinable
    package var double: Double { Double(bitPattern: fixed) }

    /// Where a field of bytes, text or a message lies; empty for other kinds.
    @inlinable
    package var range: Range<Int> {
        if case .bytes(let range) = self { range } else { 0..<0 }
    }

    /// Appends the numbers of a repeated field, packed or one by one.
    /// - Throws: ``WireReader/Fault`` where a packed field ends within a number.
    @inlinable
    package func append<Number>(
        to numbers: inout [Number], in bytes: UnsafeRawBufferPointer, isFixed: Bool = false,
        _ convert: (UInt64) -> Number
    ) throws(WireReader.Fault) {
        switch self {
        case .varint(let value), .fixed64(let value): numbers.append(convert(value))
        case .fixed32: return
        case .bytes(let range):
            var reader = WireReader(bytes, range)
            while !reader.isAtEnd { numbers.append(convert(isFixed ? try reader.fixed64() : try reader.varint())) }
        }
    }
}
