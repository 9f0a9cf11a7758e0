/// What a plain scalar means by YAML 1.1.
///
/// Source: the behaviour of go.yaml.in/yaml/v2 (`resolve`), which Prometheus reads its files with.
package enum YAMLScalar: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// An integer above `Int64.max`.
    case unsigned(UInt64)
    case float(Double)
    case timestamp
    case merge
    case string

    static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]
    private static let trues: Set<String> = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
    private static let falses: Set<String> = [
        "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF",
    ]
    private static let notNumbers: Set<String> = [".nan", ".NaN", ".NAN"]
    private static let infinities: [String: Double] = [
        ".inf": .infinity, ".Inf": .infinity, ".INF": .infinity, "+.inf": .infinity, "+.Inf": .infinity,
        "+.INF": .infinity, "-.inf": -.infinity, "-.Inf": -.infinity, "-.INF": -.infinity,
    ]

    /// The meaning of `text` written without quotes.
    package init(_ text: String) {
        if Self.nulls.contains(text) {
            self = .null
        } else if Self.trues.contains(text) {
            self = .boolean(true)
        } else if Self.falses.contains(text) {
            self = .boolean(false)
        } else if text == "<<" {
            self = .merge
        } else if Self.notNumbers.contains(text) {
            self = .float(.nan)
        } else if let infinity = Self.infinities[text] {
            self = .float(infinity)
        } else if let first = text.utf8.first, Self.startsNumber(first) {
            self = Self.number(text) ?? (Self.isTimestamp(text) ? .timestamp : .string)
        } else {
            self = .string
        }
    }

    /// The short tag, as messages show it.
    package var shortTag: String {
        switch self {
        case .null: "!!null"
        case .boolean: "!!bool"
        case .integer, .unsigned: "!!int"
        case .float: "!!float"
        case .timestamp: "!!timestamp"
        case .merge: "!!merge"
        case .string: "!!str"
        }
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".")
    }

    private static func number(_ text: String) -> YAMLScalar? {
        guard text.utf8.count <= 256 else { return nil }
        let plain = text.filter { $0 != "_" }
        var digits = Substring(plain)
        var isNegative = false
        if let first = digits.first, first == "-" || first == "+" {
            isNegative = first == "-"
            digits = digits.dropFirst()
        }
        var radix = 10
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            radix = 16
            digits = digits.dropFirst(2)
        } else if digits.hasPrefix("0b") || digits.hasPrefix("0B") {
            radix = 2
            digits = digits.dropFirst(2)
        } else if digits.hasPrefix("0o") || digits.hasPrefix("0O") {
            radix = 8
            digits = digits.dropFirst(2)
        } else if digits.count > 1, digits.hasPrefix("0"), digits.utf8.allSatisfy(isDigit) {
            radix = 8
            digits = digits.dropFirst()
        }
        if let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") {
            if let value = Int64(isNegative ? "-" + digits : String(digits), radix: radix) { return .integer(value) }
            if !isNegative, let value = UInt64(digits, radix: radix) { return .unsigned(value) }
        }
        // What is beyond the largest number is text, as it is for go-yaml.
        guard isFloat(plain), let value = Double(plain), value.isFinite else { return nil }
        return .float(value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isFloat(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        func dropDigits(_ rest: inout ArraySlice<UInt8>) -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = dropDigits(&rest)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if dropDigits(&rest) == 0, whole == 0 { return false }
        } else if whole == 0 {
            return false
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            if dropDigits(&rest) == 0 { return false }
        }
        return rest.isEmpty
    }

    /// A date such as `2001-12-14`, with or without a time behind it.
    private static func isTimestamp(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.prefix(4).count == 4, bytes.prefix(4).allSatisfy(isDigit), bytes.dropFirst(4).first == 0x2D else {
            return false
        }
        var rest = bytes.dropFirst(5)
        let month = rest.prefix(while: isDigit)
        rest = rest.dropFirst(month.count)
        guard (1...2).contains(month.count), rest.first == 0x2D else { return false }
        rest = rest.dropFirst()
        let day = rest.prefix(while: isDigit)
        rest = rest.dropFirst(day.count)
        guard (1...2).contains(day.count) else { return false }
        guard let separator = rest.first else { return month.count == 2 && day.count == 2 }
        return [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(separator)
    }

    /// Whether `text` reads as a number of base 60 to other YAML readers, such as `12:30:45`; it is then quoted.
    static func isBase60(_ text: String) -> Bool {
        guard let first = text.utf8.first, startsNumber(first), text.utf8.contains(UInt8(ascii: ":")) else {
            return false
        }
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard let digit = rest.first, isDigit(digit) else { return false }
        rest = rest.drop { isDigit($0) || $0 == UInt8(ascii: "_") }
        guard rest.first == UInt8(ascii: ":") else { return false }
        while rest.first == UInt8(ascii: ":") {
            rest = rest.dropFirst()
            let digits = rest.prefix(while: isDigit)
            guard (1...2).contains(digits.count) else { return false }
            if digits.count == 2, let tens = digits.first, tens > UInt8(ascii: "5") { return false }
            rest = rest.dropFirst(digits.count)
        }
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { isDigit($0) || $0 == UInt8(ascii: "_") } }
        return rest.isEmpty
    }
}
