/// Floating-point numbers as text, in the forms that Go programs write.
///
/// Always the shortest digits that read back as the same number. Source of the rules: Go's strconv (`FormatFloat`),
/// encoding/json, and prometheus/common expfmt (`writeFloat`, `writeOpenMetricsFloat`).
package enum FloatText {
    /// How a number is laid out.
    package enum Style: Sendable {
        /// `strconv`'s `'g'`, also Go's `%v`: an exponent below 1e-04 and from 1e+06 on. NaN, +Inf, -Inf; -0 keeps
        /// its sign.
        case general
        /// ``general`` as a scrape shows it: negative zero is `0`.
        case exposition
        /// ``exposition`` with `.0` behind whole numbers (OpenMetrics): `0.0`, `1.0`, `1e+06`.
        case openMetrics
        /// `strconv`'s `'f'`: never an exponent. PromQL results.
        case fixed
        /// `strconv`'s `'e'`: always an exponent of at least two digits.
        case exponent
        /// The Prometheus HTTP API: ``fixed``, but `'e'` below 1e-06 and from 1e+21 on.
        case api
        /// encoding/json: as ``api``, with `e-9` instead of `e-09`.
        case json
    }

    /// Appends `value` in `style`.
    /// - Complexity: O(characters); no allocation but `output`'s growth.
    package static func append(_ value: Double, _ style: Style, to output: inout [UInt8]) {
        guard value.isFinite else {
            appendSpecial(value, to: &output)
            return
        }
        if value.sign == .minus, value != 0 || (style != .exposition && style != .openMetrics) {
            output.append(UInt8(ascii: "-"))
        }
        let magnitude = value.magnitude
        if magnitude < 1_000_000, let whole = UInt64(exactly: magnitude), style != .exponent {
            IntegerText.append(whole, to: &output)  // the most frequent numbers: small counts
            if style == .openMetrics { output.append(contentsOf: [UInt8(ascii: "."), UInt8(ascii: "0")]) }
            return
        }
        let decimal = ShortestDecimal(magnitude)
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        // SAFETY: 24 bytes, of which at most 20 are written.
        withUnsafeMutableBytes(of: &buffer) { digits in
            let count = IntegerText.write(decimal.digits, to: digits)
            let text = UnsafeRawBufferPointer(rebasing: digits[..<count])
            layOut(text, pointAt: count &+ decimal.exponent, magnitude, style, to: &output)
        }
    }

    /// `value` in `style`.
    package static func string(_ value: Double, _ style: Style) -> String {
        var output: [UInt8] = []
        append(value, style, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static func appendSpecial(_ value: Double, to output: inout [UInt8]) {
        if value.isNaN {
            output.append(contentsOf: [UInt8(ascii: "N"), UInt8(ascii: "a"), UInt8(ascii: "N")])
        } else {
            output.append(value < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            output.append(contentsOf: [UInt8(ascii: "I"), UInt8(ascii: "n"), UInt8(ascii: "f")])
        }
    }

    /// Writes `digits` with the decimal point behind the first `point` of them.
    private static func layOut(
        _ digits: UnsafeRawBufferPointer, pointAt point: Int, _ magnitude: Double, _ style: Style,
        to output: inout [UInt8]
    ) {
        let usesExponent: Bool
        switch style {
        case .general, .exposition, .openMetrics:
            usesExponent = magnitude != 0 && (point &- 1 < -4 || point &- 1 >= 6)
        case .fixed: usesExponent = false
        case .exponent: usesExponent = true
        case .api, .json: usesExponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
        }
        if usesExponent {
            appendExponentForm(digits, exponent: magnitude == 0 ? 0 : point &- 1, style, to: &output)
        } else {
            appendFixed(digits, pointAt: point, to: &output)
            if style == .openMetrics, point >= digits.count {
                output.append(contentsOf: [UInt8(ascii: "."), UInt8(ascii: "0")])
            }
        }
    }

    private static func appendFixed(_ digits: UnsafeRawBufferPointer, pointAt point: Int, to output: inout [UInt8]) {
        let zero = UInt8(ascii: "0")
        if point <= 0 {
            output.append(zero)
            output.append(UInt8(ascii: "."))
            for _ in 0..<(0 &- point) { output.append(zero) }
            output.append(contentsOf: digits)
        } else if point >= digits.count {
            output.append(contentsOf: digits)
            for _ in 0..<(point &- digits.count) { output.append(zero) }
        } else {
            output.append(contentsOf: digits[..<point])
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[point...])
        }
    }

    private static func appendExponentForm(
        _ digits: UnsafeRawBufferPointer, exponent: Int, _ style: Style, to output: inout [UInt8]
    ) {
        output.append(digits[0])
        if digits.count > 1 {
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[1...])
        }
        output.append(UInt8(ascii: "e"))
        output.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        if exponent.magnitude < 10, !(style == .json && exponent < 0) { output.append(UInt8(ascii: "0")) }
        IntegerText.append(UInt64(exponent.magnitude), to: &output)
    }
}
