internal import ByteCoding

/// Reads the fields of a protobuf message, from bytes that anybody may have sent.
///
/// The bytes are lent: a reader must not outlive the call that lends them.
struct WireReader {
    /// Why a message cannot be read.
    struct Fault: Error, CustomStringConvertible {
        let description: String

        static let truncated = Fault(description: "unexpected EOF")
    }

    /// What a field holds; ranges lie in the message's bytes.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
    }

    // SAFETY: read below `end` only, which lies within.
    private let bytes: UnsafeRawBufferPointer
    private(set) var index: Int
    private let end: Int

    /// A reader of the message that lies in `range` of `bytes`.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        index = max(0, range.lowerBound)
        end = min(range.upperBound, bytes.count)
    }

    /// The next field, or nil at the end.
    @inline(__always)
    mutating func next() throws(Fault) -> (number: UInt64, value: Value)? {
        if index >= end { return nil }
        let key = try varint()
        let number = key >> 3
        switch key & 7 {
        case _ where number == 0: throw Fault(description: "proto: illegal tag 0 (wire type \(key & 7))")
        case 0: return (number, .varint(try varint()))
        case 1: return (number, .fixed64(try fixed64()))
        case 2:
            let length = try varint()
            guard length <= UInt64(end &- index) else { throw .truncated }
            let range = index..<(index &+ Int(length))
            index = range.upperBound
            return (number, .bytes(range))
        case 5: return (number, .fixed32(try fixed32()))
        default: throw Fault(description: "proto: illegal wireType \(key & 7)")
        }
    }

    /// A varint.
    @inline(__always)
    mutating func varint() throws(Fault) -> UInt64 {
        if index < end {
            let first = bytes[index]
            if first < 0x80 {
                index &+= 1
                return UInt64(first)
            }
        }
        guard let value = Varint.read(UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: &index) else {
            throw .truncated
        }
        return value
    }

    /// A number of eight bytes, least first.
    @inline(__always)
    mutating func fixed64() throws(Fault) -> UInt64 {
        guard end &- index >= 8 else { throw .truncated }
        let value = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index &+= 8
        return value
    }

    private mutating func fixed32() throws(Fault) -> UInt32 {
        guard end &- index >= 4 else { throw .truncated }
        let value = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
        index &+= 4
        return value
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { index >= end }
}

extension WireReader.Value {
    /// A varint field's number; 0 for other kinds, as an absent field.
    var integer: Int64 {
        if case .varint(let value) = self { Int64(bitPattern: value) } else { 0 }
    }

    /// A varint field's number with the sign in its lowest bit.
    var signed: Int64 {
        if case .varint(let value) = self { Varint.unzigzag(value) } else { 0 }
    }

    /// A `double` field.
    var double: Double {
        if case .fixed64(let bits) = self { Double(bitPattern: bits) } else { 0 }
    }

    /// Where a field of bytes, text or a message lies; empty for other kinds.
    var range: Range<Int> {
        if case .bytes(let range) = self { range } else { 0..<0 }
    }

    /// Appends the numbers of a repeated field, packed or one by one.
    func append<Number>(
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
