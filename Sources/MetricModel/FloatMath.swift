#if canImport(Glibc)
internal import Glibc
#endif

/// The C library's functions of one number, for targets that otherwise need nothing of it.
public enum FloatMath {
    /// Logarithm to base 2.
    public static func log2(_ x: Double) -> Double { Glibc.log2(x) }
    /// 2 to the power of `x`.
    public static func exp2(_ x: Double) -> Double { Glibc.exp2(x) }
}
