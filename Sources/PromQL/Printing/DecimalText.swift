internal import ByteCoding

/// Numbers with a given number of digits behind the point.
package enum DecimalText {
    /// With `digits` digits behind the point, rounded as the exact value says, ties to even: `%.3f`.
    /// - Complexity: O(size of the exponent).
    package static func fixed(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return FloatText.string(value, .fixed) }
        // Exact: the value is an integer times a power of two, and so is every digit behind the point.
        var integer = BigDigits(value.magnitude.significandIntegerAndExponent.significand)
        var exponent = value.magnitude.significandIntegerAndExponent.exponent
        for _ in 0..<digits { integer.multiply(by: 10) }
        var remainder = BigDigits.Remainder.exact
        while exponent > 0 {
            integer.multiply(by: 2)
            exponent -= 1
        }
        while exponent < 0 {
            remainder.shift(in: integer.halve())
            exponent += 1
        }
        if remainder.roundsUp(isOdd: integer.isOdd) { integer.increment() }
        var text = integer.description
        if text.count <= digits { text = String(repeating: "0", count: digits + 1 - text.count) + text }
        let sign = value.sign == .minus ? "-" : ""
        return digits == 0 ? sign + text : sign + text.dropLast(digits) + "." + text.suffix(digits)
    }
}

extension Double {
    /// A non-negative finite number as an integer times a power of two.
    fileprivate var significandIntegerAndExponent: (significand: UInt64, exponent: Int) {
        let isNormal = exponentBitPattern != 0
        let significand = significandBitPattern | (isNormal ? 1 << 52 : 0)
        return (significand, Int(isNormal ? exponentBitPattern : 1) - 1075)
    }
}

/// A non-negative integer of any size, in limbs of nine decimal digits, least first.
private struct BigDigits: CustomStringConvertible {
    private var limbs: [UInt32]
    private static let base: UInt64 = 1_000_000_000

    /// What halving has cut off, as far as rounding needs to know.
    enum Remainder {
        case exact, belowHalf, half, aboveHalf

        /// A bit more significant than all before has been cut off.
        mutating func shift(in bit: Bool) {
            switch (self, bit) {
            case (.exact, false): self = .exact
            case (.exact, true): self = .half
            case (_, false): self = .belowHalf
            case (_, true): self = .aboveHalf
            }
        }

        func roundsUp(isOdd: Bool) -> Bool { self == .aboveHalf || self == .half && isOdd }
    }

    init(_ value: UInt64) {
        limbs = []
        var rest = value
        repeat {
            limbs.append(UInt32(rest % Self.base))
            rest /= Self.base
        } while rest > 0
    }

    var isOdd: Bool { (limbs.first ?? 0) & 1 == 1 }

    mutating func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * factor + carry
            limbs[index] = UInt32(product % Self.base)
            carry = product / Self.base
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Halves, and says whether there was a remainder.
    mutating func halve() -> Bool {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            let value = UInt64(limbs[index]) + remainder * Self.base
            limbs[index] = UInt32(value / 2)
            remainder = value % 2
        }
        if limbs.count > 1, limbs.last == 0 { limbs.removeLast() }
        return remainder == 1
    }

    mutating func increment() {
        for index in limbs.indices {
            if UInt64(limbs[index]) + 1 < Self.base {
                limbs[index] += 1
                return
            }
            limbs[index] = 0
        }
        limbs.append(1)
    }

    var description: String {
        var text = String(limbs.last ?? 0)
        for limb in limbs.dropLast().reversed() {
            let digits = String(limb)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
        return text
    }
}
