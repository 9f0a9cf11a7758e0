internal import ByteCoding

/// A JSON value that somebody else wrote: read whole, asked for what is expected of it. What is not there, or of another
/// kind, reads as empty.
package indirect enum JSONDocument: Sendable {
    /// Why bytes are no JSON.
    package struct Fault: Error, Sendable {
        /// What is wrong.
        package let reason: String
        /// Of the byte where it shows.
        package let offset: Int
    }

    case missing
    case null
    case flag(Bool)
    /// As written.
    case number(ByteString)
    case string(ByteString)
    case list([JSONDocument])
    case object([(key: ByteString, value: JSONDocument)])

    /// Values are read to this depth.
    package static let maximumDepth = 128

    /// The value that `bytes` hold.
    /// - Throws: ``Fault``: what is wrong with them.
    /// - Complexity: O(bytes).
    package static func parse(_ bytes: [UInt8]) throws(Fault) -> JSONDocument {
        var parser = Parser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.index == bytes.count else { throw parser.fault("unexpected text behind the value") }
        return value
    }

    /// A member of an object, the last of its name.
    package subscript(key: String) -> JSONDocument {
        guard case .object(let members) = self else { return .missing }
        let name = ByteString(key)
        return members.last { $0.key == name }?.value ?? .missing
    }

    /// The members of an object, as they come.
    package var members: [(key: ByteString, value: JSONDocument)] {
        if case .object(let members) = self { members } else { [] }
    }

    /// The elements of a list.
    package var elements: [JSONDocument] {
        if case .list(let elements) = self { elements } else { [] }
    }

    /// Whether it is an object.
    package var isObject: Bool {
        if case .object = self { true } else { false }
    }

    /// Whether it is not there, or null.
    package var isMissing: Bool {
        switch self {
        case .missing, .null: true
        default: false
        }
    }

    /// Whether it is `true`.
    package var isTrue: Bool {
        if case .flag(true) = self { true } else { false }
    }

    /// A text, or a number as written.
    package var text: ByteString {
        switch self {
        case .string(let text), .number(let text): text
        default: ""
        }
    }

    /// A number, or a text that holds one.
    package var number: Double { FloatText.parse(text.bytes, .go) ?? 0 }

    /// A whole number, or a text that holds one; else what is left of the number without its fraction, or 0.
    package var integer: Int64 { Int64(text.string) ?? Int64(exactly: number.rounded(.towardZero)) ?? 0 }

    /// The same for numbers from 0 on.
    package var unsigned: UInt64 { UInt64(text.string) ?? UInt64(exactly: number.rounded(.towardZero)) ?? 0 }

    /// A whole number; nil for all else.
    package var whole: Int64? {
        if case .number(let text) = self { Int64(text.string) } else { nil }
    }

    /// A text; nil for all else.
    package var string: ByteString? {
        if case .string(let text) = self { text } else { nil }
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        func fault(_ reason: String) -> Fault { Fault(reason: reason, offset: index) }

        mutating func skipBlanks() {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipBlanks()
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func value(depth: Int) throws(Fault) -> JSONDocument {
            guard depth < JSONDocument.maximumDepth else { throw fault("nested too deeply") }
            skipBlanks()
            guard index < bytes.count else { throw fault("unexpected end") }
            switch bytes[index] {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try list(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .flag(true))
            case UInt8(ascii: "f"): return try word("false", .flag(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        private mutating func word(_ text: StaticString, _ value: JSONDocument) throws(Fault) -> JSONDocument {
            let matches = text.withUTF8Buffer { bytes[index...].starts(with: $0) }
            guard matches else { throw fault("unknown word") }
            index += text.utf8CodeUnitCount
            return value
        }

        private mutating func number() throws(Fault) -> JSONDocument {
            let allowed = Set("+-.0123456789eE".utf8)
            let digits = bytes[index...].prefix { allowed.contains($0) }
            guard FloatText.parse(Array(digits), .go) != nil else { throw fault("not a value") }
            index += digits.count
            return .number(ByteString(digits))
        }

        private mutating func list(depth: Int) throws(Fault) -> JSONDocument {
            index += 1
            var elements: [JSONDocument] = []
            if take(UInt8(ascii: "]")) { return .list(elements) }
            repeat { elements.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw fault("expected , or ]") }
            return .list(elements)
        }

        private mutating func object(depth: Int) throws(Fault) -> JSONDocument {
            index += 1
            var members: [(key: ByteString, value: JSONDocument)] = []
            if take(UInt8(ascii: "}")) { return .object(members) }
            repeat {
                skipBlanks()
                guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw fault("expected a name") }
                let key = try string()
                guard take(UInt8(ascii: ":")) else { throw fault("expected :") }
                members.append((key, try value(depth: depth + 1)))
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw fault("expected , or }") }
            return .object(members)
        }

        private mutating func string() throws(Fault) -> ByteString {
            index += 1
            var result: [UInt8] = []
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return ByteString(result)
                case 0..<0x20: throw fault("control character in a text")
                case UInt8(ascii: "\\"): try escape(into: &result)
                default: result.append(byte)
                }
            }
            throw fault("text without end")
        }

        private mutating func escape(into result: inout [UInt8]) throws(Fault) {
            guard index < bytes.count else { throw fault("text without end") }
            let kind = bytes[index]
            index += 1
            switch kind {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(kind)
            case UInt8(ascii: "u"):
                var units = [try unit()]
                if (0xD800..<0xDC00).contains(units[0]), bytes[index...].starts(with: [0x5C, 0x75]) {
                    index += 2
                    units.append(try unit())
                }
                result += String(decoding: units, as: UTF16.self).utf8
            default: throw fault("unknown escape")
            }
        }

        private mutating func unit() throws(Fault) -> UInt16 {
            guard index + 4 <= bytes.count,
                let unit = UInt16(String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16)
            else { throw fault("bad \\u escape") }
            index += 4
            return unit
        }
    }
}
