extension FloatMath {
    /// The sine of an angle in radians.
    public static func sin(_ x: Double) -> Double {
        if x == 0 || x.isNaN { return x }
        if x.isInfinite { return .nan }
        var (octant, z) = reduce(x.magnitude)
        var isNegative = x < 0
        if octant > 3 {
            isNegative.toggle()
            octant -= 4
        }
        let result = octant == 1 || octant == 2 ? cosineSeries(z) : sineSeries(z)
        return isNegative ? -result : result
    }

    /// The cosine of an angle in radians.
    public static func cos(_ x: Double) -> Double {
        if !x.isFinite { return .nan }
        var (octant, z) = reduce(x.magnitude)
        var isNegative = false
        if octant > 3 {
            octant -= 4
            isNegative.toggle()
        }
        if octant > 1 { isNegative.toggle() }
        let result = octant == 1 || octant == 2 ? sineSeries(z) : cosineSeries(z)
        return isNegative ? -result : result
    }

    /// The tangent of an angle in radians.
    public static func tan(_ x: Double) -> Double {
        if x == 0 || x.isNaN { return x }
        if x.isInfinite { return .nan }
        let (octant, z) = reduce(x.magnitude)
        let square = z * z
        var result = z
        if square > 1e-14 {
            let above = polynomial(
                square, [-1.30936939181383777646e4, 1.15351664838587416140e6, -1.79565251976484877988e7])
            let below = polynomial(
                square,
                [
                    1, 1.36812963470692954678e4, -1.32089234440210967447e6, 2.50083801823357915839e7,
                    -5.38695755929454629881e7,
                ])
            result = z + z * (square * above / below)
        }
        if octant & 2 == 2 { result = -1 / result }
        return x < 0 ? -result : result
    }

    /// The octant (even, below 8) that `x`, not negative and finite, lies in or next to, and the distance to its edge.
    private static func reduce(_ x: Double) -> (octant: UInt64, z: Double) {
        guard x < Double(1 << 29) else { return reduceLarge(x) }
        var octant = UInt64(x * 1.2732395447351626861510701069801148963)
        var y = Double(octant)
        if octant & 1 == 1 {
            octant += 1
            y += 1
        }
        // π/4 in three parts, of which the first two have few enough bits for exact products.
        let z = ((x - y * 7.85398125648498535156e-1) - y * 3.77489470793079817668e-8) - y * 2.69515142907905952645e-15
        return (octant & 7, z)
    }

    /// ``reduce(_:)`` for numbers so large that only a product with many digits of 4/π tells where they lie
    /// (Payne and Hanek's method).
    private static func reduceLarge(_ x: Double) -> (octant: UInt64, z: Double) {
        let exponent = Int(x.bitPattern >> 52 & 0x7FF) - 1023 - 52
        let mantissa = x.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x0010_0000_0000_0000
        let (word, shift) = (UInt64(exponent + 61) / 64, UInt64(exponent + 61) % 64)
        let digits = (0..<3).map { place -> UInt64 in
            let index = Int(word) + place
            return fourOverPi[index] << shift | (shift == 0 ? 0 : fourOverPi[index + 1] >> (64 - shift))
        }
        let lowest = digits[2].multipliedFullWidth(by: mantissa).high
        let middle = digits[1].multipliedFullWidth(by: mantissa)
        let (low, carry) = middle.low.addingReportingOverflow(lowest)
        var high = digits[0] &* mantissa &+ middle.high &+ (carry ? 1 : 0)
        var octant = high >> 61
        high = high << 3 | low >> 61
        let zeros = UInt64(high.leadingZeroBitCount)
        high = (high << (zeros + 1) | low >> (64 - (zeros + 1))) >> 12
        var z = Double(bitPattern: high | (1023 - (zeros + 1)) << 52)
        if octant & 1 == 1 {
            octant = (octant + 1) & 7
            z -= 1
        }
        return (octant, z * (Double.pi / 4))
    }

    /// The binary digits of 4/π.
    private static let fourOverPi: [UInt64] = [
        0x0000_0000_0000_0001, 0x45f3_06dc_9c88_2a53, 0xf84e_afa3_ea69_bb81, 0xb6c5_2b32_7887_2083,
        0xfca2_c757_bd77_8ac3, 0x6e48_dc74_849b_a5c0, 0x0c92_5dd4_13a3_2439, 0xfc3b_d639_6253_4e7d,
        0xd104_6bea_5d76_8909, 0xd338_e04d_68be_fc82, 0x7323_ac73_06a6_73e9, 0x3908_bf17_7bf2_5076,
        0x3ff1_2fff_bc0b_301f, 0xde5e_2316_b414_da3e, 0xda6c_fd9e_4f96_136e, 0x9e8c_7ecd_3cbf_d45a,
        0xea4f_758f_d7cb_e2f6, 0x7a0e_73ef_14a5_25d4, 0xd7f6_bf62_3f1a_ba10, 0xac06_608d_f8f6_d757,
    ]

    private static func sineSeries(_ z: Double) -> Double {
        let square = z * z
        let series = polynomial(
            square,
            [
                1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6,
                -1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1,
            ])
        return z + z * square * series
    }

    private static func cosineSeries(_ z: Double) -> Double {
        let square = z * z
        let series = polynomial(
            square,
            [
                -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7,
                2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2,
            ])
        return 1 - 0.5 * square + square * square * series
    }

    // MARK: Inverse functions

    /// The angle whose sine is `x`, in radians.
    public static func asin(_ x: Double) -> Double {
        if x == 0 { return x }
        let magnitude = x.magnitude
        guard magnitude <= 1 else { return .nan }
        let cosine = (1 - magnitude * magnitude).squareRoot()
        let angle =
            magnitude > 0.7
            ? Double.pi / 2 - positiveArcTangent(cosine / magnitude) : positiveArcTangent(magnitude / cosine)
        return x < 0 ? -angle : angle
    }

    /// The angle whose cosine is `x`, in radians.
    public static func acos(_ x: Double) -> Double { Double.pi / 2 - asin(x) }

    /// The angle whose tangent is `x`, in radians.
    public static func atan(_ x: Double) -> Double {
        if x == 0 { return x }
        return x > 0 ? positiveArcTangent(x) : -positiveArcTangent(-x)
    }

    /// The angle of the point (`x`, `y`), in radians.
    public static func atan2(_ y: Double, _ x: Double) -> Double {
        func signed(_ angle: Double) -> Double { Double(signOf: y, magnitudeOf: angle) }
        if x.isNaN || y.isNaN { return .nan }
        if y == 0 { return signed(x.sign == .plus ? 0 : .pi) }
        if x == 0 { return signed(.pi / 2) }
        if x.isInfinite {
            if y.isInfinite { return signed(x > 0 ? .pi / 4 : 2.3561944901923449288469825374596271631) }
            return signed(x > 0 ? 0 : .pi)
        }
        if y.isInfinite { return signed(.pi / 2) }
        let angle = atan(y / x)
        guard x < 0 else { return angle }
        return angle <= 0 ? angle + .pi : angle - .pi
    }

    private static func positiveArcTangent(_ x: Double) -> Double {
        let moreBits = 6.123233995736765886130e-17
        if x <= 0.66 { return smallArcTangent(x) }
        if x > 2.41421356237309504880 { return Double.pi / 2 - smallArcTangent(1 / x) + moreBits }
        return Double.pi / 4 + smallArcTangent((x - 1) / (x + 1)) + 0.5 * moreBits
    }

    private static func smallArcTangent(_ x: Double) -> Double {
        let square = x * x
        let above = polynomial(
            square,
            [
                -8.750608600031904122785e-01, -1.615753718733365076637e+01, -7.500855792314704667340e+01,
                -1.228866684490136173410e+02, -6.485021904942025371773e+01,
            ])
        let below = polynomial(
            square,
            [
                1, 2.485846490142306297962e+01, 1.650270098316988542046e+02, 4.328810604912902668951e+02,
                4.853903996359136964868e+02, 1.945506571482613964425e+02,
            ])
        return x * (square * above / below) + x
    }
}
