/// A JSON value, as far as `meta.json` needs it: numbers are whole.
indirect enum MetaValue: Sendable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case array([MetaValue])
    case object([(String, MetaValue)])
    /// null, or a number that is not whole.
    case other

    subscript(_ name: String) -> MetaValue? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.0.utf8.elementsEqual(name.utf8) }?.1
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    var items: [MetaValue]? { if case .array(let items) = self { items } else { nil } }
    var isTrue: Bool { if case .boolean(let value) = self { value } else { false } }
}

/// Reads JSON: total, and bounded in depth.
struct MetaParser {
    private let bytes: [UInt8]
    /// Where reading stopped.
    private(set) var position = 0

    private static let depthLimit = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The whole document, or nil.
    mutating func document() -> MetaValue? {
        guard let value = value(depth: 0) else { return nil }
        skipSpace()
        return position == bytes.count ? value : nil
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        skipSpace()
        guard position < bytes.count, let ascii = byte.asciiValue, bytes[position] == ascii else { return false }
        position += 1
        return true
    }

    private mutating func take(word: String, _ value: MetaValue) -> MetaValue? {
        let word = Array(word.utf8)
        guard bytes.count - position >= word.count, bytes[position..<(position + word.count)].elementsEqual(word) else {
            return nil
        }
        position += word.count
        return value
    }

    private mutating func value(depth: Int) -> MetaValue? {
        skipSpace()
        guard depth <= Self.depthLimit, position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .text($0) }
        case UInt8(ascii: "t"): return take(word: "true", .boolean(true))
        case UInt8(ascii: "f"): return take(word: "false", .boolean(false))
        case UInt8(ascii: "n"): return take(word: "null", .other)
        default: return number()
        }
    }

    private mutating func object(_ depth: Int) -> MetaValue? {
        position += 1
        var fields: [(String, MetaValue)] = []
        if take("}") { return .object(fields) }
        repeat {
            skipSpace()
            guard let name = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
            fields.append((name, value))
        } while take(",")
        return take("}") ? .object(fields) : nil
    }

    private mutating func array(_ depth: Int) -> MetaValue? {
        position += 1
        var items: [MetaValue] = []
        if take("]") { return .array(items) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            items.append(value)
        } while take(",")
        return take("]") ? .array(items) : nil
    }

    /// A string; of escapes only those that name one character.
    private mutating func string() -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte < 0x20 { return nil }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard position < bytes.count else { return nil }
            let escaped = bytes[position]
            position += 1
            switch escaped {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escaped)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"):
                guard bytes.count - position >= 4,
                    let code = UInt32(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
                else { return nil }
                position += 4
                text += Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
            default: return nil
            }
        }
        return nil
    }

    private mutating func number() -> MetaValue? {
        let start = position
        while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
        guard position > start else { return nil }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let whole = Int64(text) { return .integer(whole) }
        return Double(text) == nil ? nil : .other
    }
}
