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
        // Room for 20 digits, and behind them for the longest form with an exponent.
        var buffer: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
        // SAFETY: 56 bytes: 24 for digits, of which at most 20 are written, and 32 for the text (`writeExponentForm`
        // and `writeFixed` say how much of them).
        withUnsafeMutableBytes(of: &buffer) { memory in
            let digits = UnsafeMutableRawBufferPointer(rebasing: memory[..<24])
            let text = UnsafeMutableRawBufferPointer(rebasing: memory[24...])
            let count = IntegerText.write(decimal.digits, to: digits)
            let piece = UnsafeRawBufferPointer(rebasing: digits[..<count])
            layOut(piece, pointAt: count &+ decimal.exponent, magnitude, style, text, to: &output)
        }
    }

    /// Writes `value` as ``Style/api`` to the start of `text`, which has room for 32 bytes.
    /// - Returns: How many: at most a sign, 22 digits or a point with digits and zeros around it.
    @inline(__always)
    static func writeAPI(_ value: Double, to text: UnsafeMutableRawBufferPointer) -> Int {
        let magnitude = value.magnitude
        var length = 0
        if value.sign == .minus && !value.isNaN {
            text[0] = UInt8(ascii: "-")
            length = 1
        }
        let rest = UnsafeMutableRawBufferPointer(rebasing: text[length...])
        if magnitude < 1_000_000 {
            let whole = UInt64(magnitude)
            if Double(whole) == magnitude { return length &+ IntegerText.write(whole, to: rest) }
        }
        if magnitude < 1e-6 || magnitude >= 1e21 || magnitude.isNaN { return writeRare(value, to: text) }
        let decimal = ShortestDecimal(magnitude)
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        return length
            &+ withUnsafeMutableBytes(of: &buffer) { digits in
                // SAFETY: 24 bytes for at most 20 digits. Between 1e-6 and 1e21 the text has at most 5 zeros behind
                // "0.", or 22 digits.
                let count = IntegerText.write(decimal.digits, to: digits)
                let point = count &+ decimal.exponent
                let written = writeFixed(UnsafeRawBufferPointer(rebasing: digits[..<count]), pointAt: point, to: rest)
                var end = written
                while end < point {
                    rest[end] = UInt8(ascii: "0")
                    end &+= 1
                }
                return end
            }
    }

    /// Writes `value` as ``Style/exposition`` to the start of `text`, which must have room for 32 bytes.
    /// - Returns: How many: at most a sign, 20 digits, a point and zeros or an exponent.
    package static func writeExposition(_ value: Double, to text: UnsafeMutableRawBufferPointer) -> Int {
        let magnitude = value.magnitude
        guard magnitude.isFinite else {
            var bytes: [UInt8] = []
            appendSpecial(value, to: &bytes)
            text.copyBytes(from: bytes)
            return bytes.count
        }
        var length = 0
        if value < 0 {
            text[0] = UInt8(ascii: "-")
            length = 1
        }
        let rest = UnsafeMutableRawBufferPointer(rebasing: text[length...])
        if magnitude < 1_000_000 {
            let whole = UInt64(magnitude)
            if Double(whole) == magnitude { return length &+ IntegerText.write(whole, to: rest) }
        }
        let decimal = ShortestDecimal(magnitude)
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        return length
            &+ withUnsafeMutableBytes(of: &buffer) { digits in
                // SAFETY: 24 bytes for at most 20 digits. Whole numbers below 1e6 were written above, so that the point
                // stands at most four zeros in front of the digits, or within them, or there is an exponent.
                let count = IntegerText.write(decimal.digits, to: digits)
                let point = count &+ decimal.exponent
                let piece = UnsafeRawBufferPointer(rebasing: digits[..<count])
                if point &- 1 < -4 || point &- 1 >= 6 {
                    return writeExponentForm(piece, point &- 1, short: false, to: rest)
                }
                return writeFixed(piece, pointAt: point, to: rest)
            }
    }

    /// What is no ordinary number, or needs an exponent.
    private static func writeRare(_ value: Double, to text: UnsafeMutableRawBufferPointer) -> Int {
        var bytes: [UInt8] = []
        append(value, .api, to: &bytes)
        text.copyBytes(from: bytes)
        return bytes.count
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

    /// Appends `digits` with the decimal point behind the first `point` of them.
    @inline(__always)
    private static func layOut(
        _ digits: UnsafeRawBufferPointer, pointAt point: Int, _ magnitude: Double, _ style: Style,
        _ text: UnsafeMutableRawBufferPointer, to output: inout [UInt8]
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
            let exponent = magnitude == 0 ? 0 : point &- 1
            let length = writeExponentForm(digits, exponent, short: style == .json, to: text)
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[..<length]))
            return
        }
        if point > -8, point <= digits.count, digits.count <= 20 {
            let length = writeFixed(digits, pointAt: point, to: text)
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[..<length]))
        } else {
            appendFixed(digits, pointAt: point, to: &output)
        }
        if style == .openMetrics, point >= digits.count {
            output.append(UInt8(ascii: "."))
            output.append(UInt8(ascii: "0"))
        }
    }

    /// At most 20 digits, a point, and up to eight zeros in front: 30 bytes.
    @inline(__always)
    private static func writeFixed(
        _ digits: UnsafeRawBufferPointer, pointAt point: Int, to text: UnsafeMutableRawBufferPointer
    ) -> Int {
        var length = 0
        if point <= 0 {
            text[0] = UInt8(ascii: "0")
            text[1] = UInt8(ascii: ".")
            length = 2
            for _ in 0..<(0 &- point) {
                text[length] = UInt8(ascii: "0")
                length &+= 1
            }
        }
        for index in 0..<digits.count {
            if index == point, point > 0 {
                text[length] = UInt8(ascii: ".")
                length &+= 1
            }
            text[length] = digits[index]
            length &+= 1
        }
        return length
    }

    private static func appendFixed(_ digits: UnsafeRawBufferPointer, pointAt point: Int, to output: inout [UInt8]) {
        let zero = UInt8(ascii: "0")
        if point <= 0 {
            output.append(zero)
            output.append(UInt8(ascii: "."))
            for _ in 0..<(0 &- point) { output.append(zero) }
            output.append(contentsOf: digits)
        } else {
            output.append(contentsOf: digits)
            for _ in 0..<(point &- digits.count) { output.append(zero) }
        }
    }

    /// At most 20 digits, a point, `e`, a sign and three digits: 26 bytes.
    @inline(__always)
    private static func writeExponentForm(
        _ digits: UnsafeRawBufferPointer, _ exponent: Int, short: Bool, to text: UnsafeMutableRawBufferPointer
    ) -> Int {
        var length = 1
        text[0] = digits[0]
        if digits.count > 1 {
            text[1] = UInt8(ascii: ".")
            length = 2
            for index in 1..<digits.count {
                text[length] = digits[index]
                length &+= 1
            }
        }
        text[length] = UInt8(ascii: "e")
        text[length &+ 1] = exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
        length &+= 2
        let magnitude = exponent.magnitude
        if magnitude >= 100 {
            text[length] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude / 100)
            length &+= 1
        }
        if magnitude >= 10 || !(short && exponent < 0) {
            text[length] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude / 10 % 10)
            length &+= 1
        }
        text[length] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude % 10)
        return length &+ 1
    }
}
