internal import MetricModel

/// Numbers as Go reads them: decimal and hexadecimal integers, octal with a leading zero, underscores between digits,
/// decimal fractions, `Inf` and `NaN`.
enum NumberGrammar {
    /// The value of `text`, or why it has none, in the words of Go's `strconv`.
    static func value(of text: ByteString) -> Result<Double, Refusal> {
        if let integer = integer(text.bytes) { return .success(Double(integer)) }
        return decimal(text)
    }

    /// Why a text is no number.
    struct Refusal: Error {
        let message: String
    }

    /// The value of `text` as an unsigned integer without sign, prefix or underscore.
    static func unsigned(_ text: ByteString) -> Result<UInt64, Refusal> {
        guard !text.isEmpty, text.bytes.allSatisfy({ Lexer.isDigit(UInt32($0)) }) else {
            return .failure(Refusal(message: "strconv.ParseUint: parsing \(Quoting.quote(text)): invalid syntax"))
        }
        guard let value = UInt64(text.string) else {
            return .failure(Refusal(message: "strconv.ParseUint: parsing \(Quoting.quote(text)): value out of range"))
        }
        return .success(value)
    }

    /// Go's `strconv.ParseInt` with base 0.
    private static func integer(_ text: [UInt8]) -> Int64? {
        var digits = text[...]
        var base: UInt32 = 10
        let hasPrefix = digits.count >= 3 && digits.first == UInt8(ascii: "0") && digits[1] | 0x20 == UInt8(ascii: "x")
        if hasPrefix {
            base = 16
            digits = digits.dropFirst(2)
        } else if digits.first == UInt8(ascii: "0") {
            base = 8
            digits = digits.dropFirst()
            if digits.isEmpty { return 0 }
        }
        guard underscoresSeparateDigits(text, isHexadecimal: hasPrefix) else { return nil }
        var value: Int64 = 0
        var count = 0
        for byte in digits where byte != UInt8(ascii: "_") {
            let digit = Lexer.digitValue(UInt32(byte))
            guard digit < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: Int64(base))
            let (sum, carry) = product.addingReportingOverflow(Int64(digit))
            if overflow || carry { return nil }
            value = sum
            count += 1
        }
        return count > 0 ? value : nil
    }

    /// Go's `strconv.ParseFloat`.
    private static func decimal(_ text: ByteString) -> Result<Double, Refusal> {
        let refusal = { (reason: String) in
            Result<Double, Refusal>.failure(
                Refusal(message: "strconv.ParseFloat: parsing \(Quoting.quote(text)): \(reason)"))
        }
        switch Lexer.lowercased(text.bytes[...]) {
        case "inf": return .success(.infinity)
        case "nan": return .success(Double(bitPattern: SampleValue.normalNaNBits))
        default: break
        }
        let hasUnderscore = text.bytes.contains(UInt8(ascii: "_"))
        let allowed = text.bytes.allSatisfy {
            Lexer.isDigit(UInt32($0)) || StaticString("._eE+-").contains($0)
        }
        let digits = hasUnderscore ? ByteString(text.bytes.filter { $0 != UInt8(ascii: "_") }) : text
        guard allowed, !hasUnderscore || underscoresSeparateDigits(text.bytes, isHexadecimal: false),
            let value = Double(digits.string)
        else { return refusal("invalid syntax") }
        return value.isFinite ? .success(value) : refusal("value out of range")
    }

    /// Whether each underscore stands between digits, or between the prefix and a digit.
    private static func underscoresSeparateDigits(_ text: [UInt8], isHexadecimal: Bool) -> Bool {
        guard text.contains(UInt8(ascii: "_")) else { return true }
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "_") {
            guard index > 0, index + 1 < text.count else { return false }
            let isBehindPrefix = isHexadecimal && index == 2
            let base: UInt32 = isHexadecimal ? 16 : 10
            if !isBehindPrefix && Lexer.digitValue(UInt32(text[index - 1])) >= base { return false }
            if Lexer.digitValue(UInt32(text[index + 1])) >= base { return false }
        }
        return true
    }
}
