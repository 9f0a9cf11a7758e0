extension FloatMath {
    /// The hyperbolic sine.
    public static func sinh(_ x: Double) -> Double {
        let magnitude = x < 0 ? -x : x
        var result: Double
        if magnitude > 21 {
            result = exp(magnitude) * 0.5
        } else if magnitude > 0.5 {
            let power = exp(magnitude)
            result = (power - 1 / power) * 0.5
        } else {
            let square = magnitude * magnitude
            result =
                polynomial(
                    square,
                    [
                        -0.2630563213397497062819489e+2, -0.2894211355989563807284660366e+4,
                        -0.8991272022039509355398013511e+5, -0.6307673640497716991184787251e+6,
                    ]) * magnitude
            result /= polynomial(
                square,
                [
                    1, -0.173678953558233699533450911e+3, 0.1521517378790019070696485176e+5,
                    -0.6307673640497716991212077277e+6,
                ])
        }
        return x < 0 ? -result : result
    }

    /// The hyperbolic cosine.
    public static func cosh(_ x: Double) -> Double {
        let power = exp(x.magnitude)
        return x.magnitude > 21 ? power * 0.5 : (power + 1 / power) * 0.5
    }

    /// The hyperbolic tangent.
    public static func tanh(_ x: Double) -> Double {
        let magnitude = x.magnitude
        if magnitude > 0.5 * 8.8029691931113054295988e+01 { return x < 0 ? -1 : 1 }
        if magnitude >= 0.625 {
            let result = 1 - 2 / (exp(2 * magnitude) + 1)
            return x < 0 ? -result : result
        }
        if x == 0 { return x }
        let square = x * x
        let above = polynomial(
            square, [-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3])
        let below = polynomial(
            square, [1, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3])
        return x + x * square * above / below
    }

    /// The number whose hyperbolic sine is `x`.
    public static func asinh(_ x: Double) -> Double {
        guard x.isFinite else { return x }
        let magnitude = x < 0 ? -x : x
        let result: Double
        if magnitude > Double(1 << 28) {
            result = log(magnitude) + 6.93147180559945286227e-01
        } else if magnitude > 2 {
            result = log(2 * magnitude + 1 / ((magnitude * magnitude + 1).squareRoot() + magnitude))
        } else if magnitude < nearZero {
            result = magnitude
        } else {
            result = log1p(magnitude + magnitude * magnitude / (1 + (1 + magnitude * magnitude).squareRoot()))
        }
        return x < 0 ? -result : result
    }

    /// The number, not negative, whose hyperbolic cosine is `x`.
    public static func acosh(_ x: Double) -> Double {
        if x < 1 || x.isNaN { return .nan }
        if x == 1 { return 0 }
        if x >= Double(1 << 28) { return log(x) + 0.693147180559945309417232121458176568 }
        if x > 2 { return log(2 * x - 1 / (x + (x * x - 1).squareRoot())) }
        let above = x - 1
        return log1p(above + (2 * above + above * above).squareRoot())
    }

    /// The number whose hyperbolic tangent is `x`.
    public static func atanh(_ x: Double) -> Double {
        if !(x.magnitude <= 1) { return .nan }
        if x.magnitude == 1 { return x > 0 ? .infinity : -.infinity }
        let magnitude = x < 0 ? -x : x
        let result: Double
        if magnitude < nearZero {
            result = magnitude
        } else if magnitude < 0.5 {
            let twice = magnitude + magnitude
            result = 0.5 * log1p(twice + twice * magnitude / (1 - magnitude))
        } else {
            result = 0.5 * log1p((magnitude + magnitude) / (1 - magnitude))
        }
        return x < 0 ? -result : result
    }
}
