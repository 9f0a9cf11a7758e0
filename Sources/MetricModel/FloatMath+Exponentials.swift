extension FloatMath {
    /// e to the power of `x`. As in Go on x86-64, infinite from 709.44 on, where 1.2e308 has just been passed.
    public static func exp(_ x: Double) -> Double {
        guard x.isFinite else { return x == -.infinity ? 0 : x }
        if x > 7.09782712893384e+02 { return .infinity }
        // Anything below underflows far from here; it must not leave the range of integers.
        if x < -800 { return 0 }
        let power = (x * 1.4426950408889634).rounded(.toNearestOrEven)
        var rest = x.addingProduct(-power, 0.69314718055966295651160180568695068359375)
        rest = rest.addingProduct(-power, 0.28235290563031577122588448175013436025525412068e-12)
        // Taylor's series for a sixteenth of the rest, then (1 + y)² - 1 = y · (y + 2) four times.
        let small = rest * 0.0625
        var sum = 2.4801587301587301587e-5
        let series = taylor
        for index in series.indices { sum = series[index].addingProduct(sum, small) }
        var y = small * sum
        for _ in 0..<3 { y *= y + 2 }
        return scaleExponential((1.0).addingProduct(y, y + 2), Int(power))
    }

    /// 1/7! … 1/1!.
    @inline(__always)
    private static var taylor: [7 of Double] {
        [
            1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3, 4.1666666666666666667e-2,
            1.6666666666666666667e-1, 0.5, 1,
        ]
    }

    private static func scaleExponential(_ fraction: Double, _ power: Int) -> Double {
        if power >= 1024 { return .infinity }
        if power > -1023 { return fraction * scale(1, power) }
        if power < -1075 { return 0 }
        return fraction * scale(1, power + 1022) * scale(1, -1022)
    }

    /// 2 to the power of `x`.
    public static func exp2(_ x: Double) -> Double {
        if x.isNaN { return x }
        if x > 1.0239999999999999e+03 { return .infinity }
        if x < -1.0740e+03 { return 0 }
        let power = x > 0 ? (x + 0.5).rounded(.towardZero) : x < 0 ? (x - 0.5).rounded(.towardZero) : 0
        let rest = x - power
        let high = rest * ln2High
        let low = -rest * ln2Low
        let r = high - low
        let t = r * r
        let approximation = polynomial(
            t,
            [
                4.13813679705723846039e-08, -1.65339022054652515390e-06, 6.61375632143793436117e-05,
                -2.77777777770155933842e-03, 1.66666666666666657415e-01,
            ])
        let c = r - t * approximation
        return scale(1 - ((low - (r * c) / (2 - c)) - high), Int(power))
    }

    /// The natural logarithm. As in Go on x86-64, numbers below the least normal one count as if they had its exponent.
    public static func log(_ x: Double) -> Double {
        if x.isNaN || x == .infinity { return x }
        if x < 0 { return .nan }
        if x == 0 { return -.infinity }
        let bits = x.bitPattern
        var fraction = Double(bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 0x3FE0_0000_0000_0000)
        var exponent = Double(Int(bits >> 52 & 0x7FF) - 0x3FE)
        if fraction <= 0.5.squareRoot() {
            fraction *= 2
            exponent -= 1
        }
        let f = fraction - 1
        let s = f / (2 + f)
        let square = s * s
        let fourth = square * square
        let odd =
            square
            * polynomial(
                fourth,
                [
                    1.479819860511658591e-01, 1.818357216161805012e-01, 2.857142874366239149e-01,
                    6.666666666666735130e-01,
                ])
        let even =
            fourth
            * polynomial(fourth, [1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01])
        let r = odd + even
        let half = 0.5 * f * f
        return exponent * ln2High - ((half - (s * (half + r) + exponent * ln2Low)) - f)
    }

    /// The logarithm to base 2; exact for powers of 2.
    public static func log2(_ x: Double) -> Double {
        let (fraction, exponent) = split(x)
        if fraction == 0.5 { return Double(exponent - 1) }
        return log(fraction) * 1.442695040888963407359924681001892137 + Double(exponent)
    }

    /// The logarithm to base 10.
    public static func log10(_ x: Double) -> Double {
        log(x) * 0.4342944819032518276511289189166050823
    }

    /// The natural logarithm of 1 + `x`.
    static func log1p(_ x: Double) -> Double {
        if x < -1 || x.isNaN { return .nan }
        if x == -1 { return -.infinity }
        if x == .infinity { return x }
        let magnitude = x.magnitude
        if magnitude < 1.0 / Double(1 << 54) { return x }
        if magnitude < 1.0 / Double(1 << 29) { return x - x * x * 0.5 }
        var f = x
        var exponent = 0
        var correction = 0.0
        var isClose = false
        if !(magnitude < 4.142135623730950488017e-01 && x > -2.928932188134524755992e-01) {
            var u = magnitude < 0x1p53 ? 1 + x : x
            exponent = Int(u.bitPattern >> 52) - 1023
            if magnitude < 0x1p53 { correction = (exponent > 0 ? 1 - (u - x) : x - (u - 1)) / u }
            let mantissa = u.bitPattern & 0x000F_FFFF_FFFF_FFFF
            isClose = mantissa == 0
            if mantissa < 0x0006_A09E_667F_3BCD {
                u = Double(bitPattern: mantissa | 0x3FF0_0000_0000_0000)
            } else {
                exponent += 1
                u = Double(bitPattern: mantissa | 0x3FE0_0000_0000_0000)
                isClose = (0x0010_0000_0000_0000 - mantissa) >> 2 == 0
            }
            f = u - 1
        }
        let half = 0.5 * f * f
        let k = Double(exponent)
        if isClose {
            if f == 0 { return exponent == 0 ? 0 : k * ln2High + (correction + k * ln2Low) }
            let r = half * (1 - 0.66666666666666666 * f)
            return exponent == 0 ? f - r : k * ln2High - ((r - (k * ln2Low + correction)) - f)
        }
        let s = f / (2 + f)
        let z = s * s
        let r =
            z
            * polynomial(
                z,
                [
                    1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                    2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                    6.666666666666735130e-01,
                ])
        if exponent == 0 { return f - (half - s * (half + r)) }
        return k * ln2High - ((half - (s * (half + r) + (k * ln2Low + correction))) - f)
    }

    /// `x` to the power of `y`.
    public static func pow(_ x: Double, _ y: Double) -> Double {
        if let special = specialPower(x, y) { return special }
        var whole = y.magnitude.rounded(.towardZero)
        var fraction = y.magnitude - whole
        if fraction != 0 && x < 0 { return .nan }
        if whole >= 0x1p63 { return x == -1 ? 1 : (x.magnitude < 1) == (y > 0) ? 0 : .infinity }
        var result = 1.0
        var exponent = 0
        if fraction != 0 {
            if fraction > 0.5 {
                fraction -= 1
                whole += 1
            }
            result = exp(fraction * log(x))
        }
        // Squares of x, multiplied as the bits of the whole part say; powers of 2 are added up beside.
        var (base, baseExponent) = split(x)
        var bits = UInt64(whole)
        while bits != 0 {
            if baseExponent.magnitude > 1 << 12 {
                exponent += baseExponent
                break
            }
            if bits & 1 == 1 {
                result *= base
                exponent += baseExponent
            }
            base *= base
            baseExponent <<= 1
            if base < 0.5 {
                base += base
                baseExponent -= 1
            }
            bits >>= 1
        }
        return y < 0 ? scale(1 / result, -exponent) : scale(result, exponent)
    }

    private static func specialPower(_ x: Double, _ y: Double) -> Double? {
        if y == 0 || x == 1 { return 1 }
        if y == 1 { return x }
        if x.isNaN || y.isNaN { return .nan }
        if x == 0 {
            let isNegative = x.sign == .minus && isOddWhole(y)
            if y < 0 { return isNegative ? -.infinity : .infinity }
            return isNegative ? x : 0
        }
        if y.isInfinite {
            if x == -1 { return 1 }
            return (x.magnitude < 1) == (y > 0) ? 0 : .infinity
        }
        if x == -.infinity { return pow(1 / x, -y) }
        if x == .infinity { return y < 0 ? 0 : .infinity }
        if y == 0.5 { return x.squareRoot() }
        return y == -0.5 ? 1 / x.squareRoot() : nil
    }

    private static func isOddWhole(_ x: Double) -> Bool {
        x.magnitude < 0x1p53 && x.truncatingRemainder(dividingBy: 2).magnitude == 1
    }
}
