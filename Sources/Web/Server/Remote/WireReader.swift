internal import ByteCoding

/// Reads the fields of a protobuf message, from bytes that anybody may have sent.
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

    let bytes: [UInt8]
    private(set) var index: Int
    private let end: Int

    /// A reader of the message that lies in `range` of `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
    }

    /// The next field, or nil at the end.
    mutating func next() throws(Fault) -> (number: UInt64, value: Value)? {
        if index == end { return nil }
        let key = try varint()
        let number = key >> 3
        if number == 0 { throw Fault(description: "proto: illegal tag 0 (wire type \(key & 7))") }
        switch key & 7 {
        case 0: return (number, .varint(try varint()))
        case 1: return (number, .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - index) else { throw .truncated }
            let range = index..<(index + Int(length))
            index = range.upperBound
            return (number, .bytes(range))
        case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw Fault(description: "proto: illegal wireType \(key & 7)")
        }
    }

    /// A varint.
    mutating func varint() throws(Fault) -> UInt64 {
        guard let value = Varint.read(bytes, at: &index), index <= end else { throw .truncated }
        return value
    }

    /// A number of `count` bytes, least first.
    mutating func fixed(_ count: Int) throws(Fault) -> UInt64 {
        guard end - index >= count else { throw .truncated }
        var value: UInt64 = 0
        for place in 0..<count { value |= UInt64(bytes[index + place]) << UInt64(8 * place) }
        index += count
        return value
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { index == end }
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
        to numbers: inout [Number], in bytes: [UInt8], isFixed: Bool = false, _ convert: (UInt64) -> Number
    ) throws(WireReader.Fault) {
        switch self {
        case .varint(let value), .fixed64(let value): numbers.append(convert(value))
        case .fixed32: return
        case .bytes(let range):
            var reader = WireReader(bytes, range)
            while !reader.isAtEnd { numbers.append(convert(isFixed ? try reader.fixed(8) : try reader.varint())) }
        }
    }
}
