/// The shortest decimal that reads back as the same `Double`; among several, the closest.
///
/// Raffaello Giulietti, "The Schubfach way to render doubles" (2021). These are the digits that Go's
/// `strconv.FormatFloat(f, …, -1, 64)`, Python's `repr` and Swift's `description` give.
struct ShortestDecimal {
    /// The digits as a number, without trailing zeros; 0 only for zero.
    var digits: UInt64
    /// The value is `digits` × 10^`exponent`.
    var exponent: Int

    /// The decimal of the magnitude of `value`, which must be finite.
    /// - Complexity: O(1); no allocation.
    init(_ value: Double) {
        let bits = value.bitPattern
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        let biased = Int((bits >> 52) & 0x7FF)
        var decimal: (digits: UInt64, exponent: Int)
        if biased != 0 {
            let significand = fraction | 0x10_0000_0000_0000
            let power = biased &- 1075
            if power <= 0, power > -53, significand & ((1 &<< UInt64(-power)) &- 1) == 0 {
                decimal = (significand &>> UInt64(-power), 0)  // a whole number below 2^53
            } else {
                decimal = Self.shortest(significand, power, isPowerOfTwo: fraction == 0 && biased > 1)
            }
        } else if fraction == 0 {
            digits = 0
            exponent = 0
            return
        } else {
            decimal = Self.shortest(fraction, -1074, isPowerOfTwo: false)
        }
        while decimal.digits % 100 == 0 {
            decimal.digits /= 100
            decimal.exponent &+= 2
        }
        if decimal.digits % 10 == 0 {
            decimal.digits /= 10
            decimal.exponent &+= 1
        }
        digits = decimal.digits
        exponent = decimal.exponent
    }

    /// The paper's algorithm for `significand` × 2^`power`; all numbers that round to the value are candidates.
    private static func shortest(
        _ significand: UInt64, _ power: Int, isPowerOfTwo: Bool
    ) -> (digits: UInt64, exponent: Int) {
        let isOdd = significand & 1
        let left = 4 &* significand &- 2 &+ (isPowerOfTwo ? 1 : 0)
        let middle = 4 &* significand
        let right = 4 &* significand &+ 2
        let k = (power &* 1_262_611 &- (isPowerOfTwo ? 524_031 : 0)) >> 22  // floor(log10(…))
        let shift = UInt64(truncatingIfNeeded: power &+ ((-k &* 1_741_647) >> 19) &+ 1)
        let index = 2 &* (-k &- PowersOfTen.minimum)
        let high = PowersOfTen.words[index]
        // The method wants powers rounded up; those from 10^0 to 10^55 are exact.
        let low = PowersOfTen.words[index &+ 1] &+ (-k >= 0 && -k <= 55 ? 0 : 1)
        let lower = roundToOdd(high, low, left &<< shift) &+ isOdd
        let value = roundToOdd(high, low, middle &<< shift)
        let upper = roundToOdd(high, low, right &<< shift) &- isOdd
        let candidate = value / 4
        if candidate >= 10 {
            let tens = candidate / 10
            let isLowInside = lower <= 40 &* tens
            let isHighInside = 40 &* tens &+ 40 <= upper
            if isLowInside != isHighInside { return (tens &+ (isHighInside ? 1 : 0), k &+ 1) }
        }
        let isLowInside = lower <= 4 &* candidate
        let isHighInside = 4 &* candidate &+ 4 <= upper
        if isLowInside != isHighInside { return (candidate &+ (isHighInside ? 1 : 0), k) }
        let half = 4 &* candidate &+ 2
        let roundsUp = value > half || (value == half && candidate & 1 != 0)
        return (candidate &+ (roundsUp ? 1 : 0), k)
    }

    /// The upper word of (`high`:`low`) × `factor`, its last bit set if anything below it was lost.
    @inline(__always)
    private static func roundToOdd(_ high: UInt64, _ low: UInt64, _ factor: UInt64) -> UInt64 {
        let lowProduct = low.multipliedFullWidth(by: factor).high
        let product = high.multipliedFullWidth(by: factor)
        let (middle, carry) = product.low.addingReportingOverflow(lowProduct)
        return (product.high &+ (carry ? 1 : 0)) | (middle > 1 ? 1 : 0)
    }
}
