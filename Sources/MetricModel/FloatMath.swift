#if canImport(Glibc)
internal import Glibc
#endif

/// Functions of numbers that give the very bits Prometheus gives on x86-64.
///
/// The C library rounds better in places, so its results differ from those of Go's `math` in the last digit now and
/// then, and users compare answers. What decides is the formula and the order of its operations: here they are those
/// of the sources that Go's `math` names itself: Sun's msun (logarithms, powers of 2), S. Moshier's Cephes (circular
/// functions and `tanh`), Hart and Cheney (`sinh`).
///
/// All functions take any number and trap at none. They take constant time but ``pow(_:_:)``, O(log y).
public enum FloatMath {
    static let ln2High = 6.93147180369123816490e-01
    static let ln2Low = 1.90821492927058770002e-10
    /// Beyond this, 1 + x² is x² and 1 - x² is 1.
    static let nearZero = 1.0 / Double(1 << 28)

    /// `fraction` and `exponent` so that x = fraction · 2^exponent, with fraction in ±[0.5, 1); x itself where there
    /// is no such thing.
    static func split(_ x: Double) -> (fraction: Double, exponent: Int) {
        guard x != 0, x.isFinite else { return (x, 0) }
        return (x.sign == .minus ? -x.significand / 2 : x.significand / 2, Int(x.exponent) + 1)
    }

    /// x · 2^exponent.
    static func scale(_ x: Double, _ exponent: Int) -> Double {
        scalbn(x, Int32(clamping: exponent))
    }

    /// The polynomial with these coefficients, the one of the highest power first, by Horner's rule.
    @inline(__always)
    static func polynomial<let count: Int>(_ x: Double, _ coefficients: [count of Double]) -> Double {
        var result = coefficients[0]
        for index in 1..<count { result = result * x + coefficients[index] }
        return result
    }
}
