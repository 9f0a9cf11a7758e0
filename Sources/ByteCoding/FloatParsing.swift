extension FloatText {
    /// Which spellings of numbers are accepted.
    package enum Grammar: Sendable {
        /// Decimal numbers, `NaN` without a sign, `Inf` and `Infinity` in any case: the exposition formats.
        /// Neither hexadecimal numbers nor `_` nor `p`.
        case exposition
        /// All that Go's `strconv.ParseFloat` takes: hexadecimal numbers (with `p`) and `_` between digits as well.
        case go
    }

    /// Reads a number: all of `bytes`, no blanks.
    ///
    /// Source of the grammar: Go's `strconv.ParseFloat`; prometheus/common expfmt (`parseFloat`).
    /// - Returns: nil if this is no number, or one beyond ±1.7976931348623157e308. Underflow gives zero.
    /// - Complexity: O(bytes); allocates only for numbers of more than 19 digits that lie on the edge between two.
    package static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ grammar: Grammar = .exposition) -> Double? {
        // The most frequent case: a few digits.
        if bytes.count > 0 && bytes.count < 16 {
            var whole: Int64 = 0
            var index = 0
            while index < bytes.count {
                let digit = bytes[index] &- UInt8(ascii: "0")
                if digit > 9 { break }
                whole = whole &* 10 &+ Int64(digit)
                index &+= 1
            }
            if index == bytes.count { return Double(whole) }
        }
        return parseAny(bytes, grammar)
    }

    /// Reads a number: all of `bytes`, no blanks.
    package static func parse(_ bytes: [UInt8], _ grammar: Grammar = .exposition) -> Double? {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBufferPointer { parse($0, grammar) }
    }

    /// Reads a number: all of `text`, no blanks.
    package static func parse(_ text: String, _ grammar: Grammar = .exposition) -> Double? {
        parse(Array(text.utf8), grammar)
    }

    private static func parseAny(_ bytes: UnsafeBufferPointer<UInt8>, _ grammar: Grammar) -> Double? {
        var index = 0
        var isNegative = false
        let end = bytes.count
        guard end > 0 else { return nil }
        let hasSign = bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+")
        if hasSign {
            isNegative = bytes[0] == UInt8(ascii: "-")
            index = 1
        }
        guard index < end else { return nil }
        let first = bytes[index]
        if first > UInt8(ascii: "9") { return special(bytes, from: index, hasSign: hasSign, isNegative: isNegative) }
        if grammar == .go, needsGoSyntax(bytes) { return GoFloatSyntax.parse(bytes) }
        guard let number = DecimalNumber(bytes, from: index) else { return nil }
        guard let magnitude = number.magnitude(bytes) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    private static func needsGoSyntax(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.contains { $0 == UInt8(ascii: "_") || $0 | 0x20 == UInt8(ascii: "x") }
    }

    private static func special(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, hasSign: Bool, isNegative: Bool
    ) -> Double? {
        let rest = bytes.count &- start
        if rest == 3, equals(bytes, start, "inf") { return isNegative ? -.infinity : .infinity }
        if rest == 8, equals(bytes, start, "infinity") { return isNegative ? -.infinity : .infinity }
        // Go's NaN, which is also Prometheus' ordinary one.
        if rest == 3, !hasSign, equals(bytes, start, "nan") { return Double(bitPattern: 0x7FF8_0000_0000_0001) }
        return nil
    }

    private static func equals(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { letters in
            for offset in 0..<letters.count where bytes[start &+ offset] | 0x20 != letters[offset] { return false }
            return true
        }
    }
}

/// A decimal number taken apart: up to 19 digits, and the power of ten behind them.
private struct DecimalNumber {
    var digits: UInt64 = 0
    var exponent = 0
    /// Whether digits other than zero were left out.
    var isTruncated = false

    /// Digits with at most one point and perhaps an exponent, up to the end of `bytes`.
    @inline(__always)
    init?(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) {
        var index = start
        let end = bytes.count
        var sawDigits = false
        var sawPoint = false
        var count = 0
        while index < end {
            let byte = bytes[index]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                sawDigits = true
                if count < 19 {
                    digits = digits &* 10 &+ UInt64(digit)
                    if digits != 0 { count &+= 1 }
                    if sawPoint { exponent &-= 1 }
                } else {
                    if digit != 0 { isTruncated = true }
                    if !sawPoint { exponent &+= 1 }
                }
            } else if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else {
                break
            }
            index &+= 1
        }
        guard sawDigits else { return nil }
        if index < end {
            guard bytes[index] | 0x20 == UInt8(ascii: "e") else { return nil }
            index &+= 1
            guard let scale = Self.exponent(bytes, from: index) else { return nil }
            exponent &+= scale
        }
    }

    /// An exponent up to the end of `bytes`; beyond 10,000 it says no more.
    private static func exponent(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        var isNegative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            isNegative = bytes[index] == UInt8(ascii: "-")
            index &+= 1
        }
        guard index < bytes.count else { return nil }
        var scale = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            if scale < 10_000 { scale = scale &* 10 &+ Int(digit) }
            index &+= 1
        }
        return isNegative ? -scale : scale
    }

    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The nearest `Double`, or nil beyond the largest one.
    @inline(__always)
    func magnitude(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        if digits == 0 { return 0 }
        if !isTruncated, digits < 1 << 53, exponent >= -22, exponent <= 22 {
            // Both are exact, so one operation rounds once (Clinger).
            let whole = Double(digits)
            return exponent < 0 ? whole / Self.exactPowers[-exponent] : whole * Self.exactPowers[exponent]
        }
        if let nearest = Self.nearest(digits, exponent) {
            if !isTruncated { return nearest.isFinite ? nearest : nil }
            if let above = Self.nearest(digits &+ 1, exponent), above == nearest {
                return nearest.isFinite ? nearest : nil
            }
        }
        return Self.slow(bytes)
    }

    /// Rare: halfway cases, and exponents outside the table.
    private static func slow(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let value = Double(String(decoding: bytes, as: UTF8.self)) else { return nil }
        return value.isFinite ? value.magnitude : nil
    }

    /// Eisel and Lemire: one or two multiplications by a 128-bit power of ten.
    ///
    /// Daniel Lemire, "Number parsing at a gigabyte per second" (2021).
    /// - Returns: Infinity on overflow; nil where this method cannot tell.
    private static func nearest(_ digits: UInt64, _ exponent: Int) -> Double? {
        if exponent > 308 { return .infinity }
        if exponent < -360 { return 0 }
        guard exponent >= PowersOfTen.minimum else { return nil }
        let leading = digits.leadingZeroBitCount
        let normalized = digits &<< UInt64(leading)
        let index = 2 &* (exponent &- PowersOfTen.minimum)
        var binary = ((217_706 &* exponent) >> 16) &+ 1024 &+ 63 &- leading
        var product = PowersOfTen.words[index].multipliedFullWidth(by: normalized)
        if product.high & 0x1FF == 0x1FF, product.low &+ normalized < normalized {
            // The high word alone leaves the answer open: take in the low word of the power.
            let second = PowersOfTen.words[index &+ 1].multipliedFullWidth(by: normalized)
            let (low, carry) = product.low.addingReportingOverflow(second.high)
            let high = product.high &+ (carry ? 1 : 0)
            if high & 0x1FF == 0x1FF, low == .max, second.low &+ normalized < normalized { return nil }
            product = (high, low)
        }
        let top = product.high >> 63
        var mantissa = product.high &>> (top &+ 9)
        binary &-= Int(1 ^ top)
        if product.low == 0, product.high & 0x1FF == 0, mantissa & 3 == 1 { return nil }  // halfway
        mantissa = (mantissa &+ (mantissa & 1)) >> 1
        if mantissa >> 53 > 0 {
            mantissa >>= 1
            binary &+= 1
        }
        if binary < 1 { return nil }  // subnormal
        if binary >= 0x7FF { return .infinity }
        return Double(bitPattern: UInt64(binary) << 52 | mantissa & 0xF_FFFF_FFFF_FFFF)
    }
}

/// Numbers as Go source code spells them: hexadecimal with `p`, and `_` between digits.
private enum GoFloatSyntax {
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        let hasSign = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
        let unsigned = hasSign ? UnsafeBufferPointer(rebasing: bytes.dropFirst()) : bytes
        let isHexadecimal = unsigned.count > 1 && unsigned[0] == UInt8(ascii: "0") && unsigned[1] | 0x20 == 0x78
        guard hasValidUnderscores(unsigned, isHexadecimal: isHexadecimal) else { return nil }
        let plain = bytes.filter { $0 != UInt8(ascii: "_") }
        guard isHexadecimal else {
            return plain.withUnsafeBufferPointer { FloatText.parse($0, .exposition) }
        }
        // Go demands the exponent.
        guard plain.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) else { return nil }
        guard let value = Double(String(decoding: plain, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// Each `_` stands between two digits, or between the base prefix and a digit.
    private static func hasValidUnderscores(_ bytes: UnsafeBufferPointer<UInt8>, isHexadecimal: Bool) -> Bool {
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard index > 0, index &+ 1 < bytes.count else { return false }
            let isAfterPrefix = isHexadecimal && index == 2
            guard isAfterPrefix || isDigit(bytes[index &- 1], isHexadecimal) else { return false }
            guard isDigit(bytes[index &+ 1], isHexadecimal) else { return false }
        }
        return true
    }

    private static func isDigit(_ byte: UInt8, _ isHexadecimal: Bool) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || isHexadecimal && (byte | 0x20) &- UInt8(ascii: "a") < 6
    }
}

extension FloatText {
    /// Whether `bytes` spell a decimal number, however large it is.
    package static func isDecimal(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let hasSign = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
        return DecimalNumber(bytes, from: hasSign ? 1 : 0) != nil
    }
}
