internal import ByteCoding

extension Lexer {
    // MARK: Strings

    /// A string whose opening quote has been read.
    mutating func string(quote: UInt32) throws(ParseError) -> Token {
        let isRaw = quote == "`"
        while true {
            switch read() {
            case quote:
                mode = .statements
                return emit(.string)
            case "\\" where !isRaw: try escape(quote: quote)
            case 0xFFFD: throw failure("invalid UTF-8 rune")
            case Self.end: throw failure(isRaw ? "unterminated raw string" : "unterminated quoted string")
            case "\n" where !isRaw: throw failure("unterminated quoted string")
            default: break
            }
        }
    }

    /// An escape sequence whose backslash has been read.
    private mutating func escape(quote: UInt32) throws(ParseError) {
        var scalar = read()
        let digits: Int
        let base: UInt32
        var largest: UInt32 = 255
        switch scalar {
        case "a", "b", "f", "n", "r", "t", "v", "\\", quote: return
        case "0"..."7": (digits, base) = (3, 8)
        case "x":
            scalar = read()
            (digits, base) = (2, 16)
        case "u", "U":
            (digits, base) = (scalar == "u" ? 4 : 8, 16)
            largest = 0x10FFFF
            scalar = read()
        case Self.end: throw failure("escape sequence not terminated")
        default: throw failure("unknown escape sequence \(UTF8Text.codePoint(scalar))")
        }
        var value: UInt32 = 0
        for digit in 1...digits {
            let number = Self.digitValue(scalar)
            if number >= base {
                if scalar == Self.end { throw failure("escape sequence not terminated") }
                throw failure("illegal character \(UTF8Text.codePoint(scalar)) in escape sequence")
            }
            value = value &* base &+ number
            if digit < digits { scalar = read() }
        }
        if value > largest || (0xD800..<0xE000).contains(value) {
            throw failure("escape sequence is an invalid Unicode code point")
        }
    }

    // MARK: Numbers

    mutating func number() throws(ParseError) -> Token {
        guard scanNumber() else {
            throw failure("bad number syntax: \(quotedSoFar)")
        }
        return emit(.number)
    }

    mutating func numberOrDuration() throws(ParseError) -> Token {
        if scanNumber() { return emit(.number) }
        if scanRestOfDuration() { return emit(.duration) }
        throw failure("bad number or duration syntax: \(quotedSoFar)")
    }

    /// Reads a number; whether there was one. It need not be valid: the parser finds out when it converts it.
    private mutating func scanNumber() -> Bool {
        let first = index
        var isHexadecimal = false
        // Where values are repeated with `x`, `0x…` would mean two things.
        if !isSeriesDescription, accept(UInt8(ascii: "0")), accept(anyOf: "xX") {
            _ = accept(UInt8(ascii: "_"))
            isHexadecimal = true
        }
        let digits: StaticString = isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789"
        var sawDot = false
        var sawExponent = false
        _ = accept(UInt8(ascii: "."))
        _ = accept(anyOf: digits)
        while isNext(anyOf: digits) || isNext(anyOf: "._eE") {
            if sawDot, accept(UInt8(ascii: ".")) { return false }
            if sawExponent, accept(anyOf: "eE") { return false }
            if accept(UInt8(ascii: ".")) {
                sawDot = true
                if accept(anyOf: "_.") || isHexadecimal { return false }
            } else if accept(anyOf: "eE") {
                sawExponent = true
                _ = accept(anyOf: "+-")
                if accept(anyOf: "._eE") || index == input.count { return false }
            } else if accept(UInt8(ascii: "_")) {
                if accept(anyOf: "._eE") || index == input.count { return false }
            } else {
                while accept(anyOf: digits) {}
            }
        }
        if index == first { return false }
        let following = peek()
        return isSeriesDescription && following == "x" || !Self.isAlphanumeric(following)
    }

    /// Reads the unit of a duration whose first number has been read, and all that follows.
    private mutating func scanRestOfDuration() -> Bool {
        guard accept(anyOf: "smhdwy") else { return false }
        _ = accept(UInt8(ascii: "s"))
        while accept(anyOf: "0123456789") {
            while accept(anyOf: "0123456789") {}
            guard accept(anyOf: "smhdw") else { return false }
            _ = accept(UInt8(ascii: "s"))
        }
        guard Self.isAlphanumeric(peek()) else { return true }
        index += 1
        return false
    }
}

// MARK: Classes of scalars

extension Lexer {
    static func isSpace(_ scalar: UInt32) -> Bool {
        scalar == 0x20 || scalar == 0x09 || scalar == 0x0A || scalar == 0x0D
    }

    static func isDigit(_ scalar: UInt32) -> Bool { scalar &- 0x30 < 10 }

    /// A letter or an underscore.
    static func isAlpha(_ scalar: UInt32) -> Bool {
        scalar == 0x5F || scalar &- 0x61 < 26 || scalar &- 0x41 < 26
    }

    static func isAlphanumeric(_ scalar: UInt32) -> Bool { isAlpha(scalar) || isDigit(scalar) }

    /// The value of a hexadecimal digit, 16 for anything else.
    static func digitValue(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case "0"..."9": scalar - 0x30
        case "a"..."f": scalar - 0x61 + 10
        case "A"..."F": scalar - 0x41 + 10
        default: 16
        }
    }

    static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

extension UInt32 {
    /// Lets a `switch` over scalars list letters.
    static func ~= (pattern: Unicode.Scalar, value: UInt32) -> Bool { pattern.value == value }

    /// Lets a `switch` over scalars list ranges of letters.
    static func ~= (pattern: ClosedRange<Unicode.Scalar>, value: UInt32) -> Bool {
        pattern.lowerBound.value <= value && value <= pattern.upperBound.value
    }

    static func == (left: UInt32, right: Unicode.Scalar) -> Bool { left == right.value }
}

extension StaticString {
    /// Whether `byte` is one of this ASCII text's.
    func contains(_ byte: UInt8) -> Bool { withUTF8Buffer { $0.contains(byte) } }
}
