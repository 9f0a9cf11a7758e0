#if canImport(Glibc)
internal import Glibc
#endif

/// Mathematical functions with the special cases of Go's `math` package, where C's differ.
enum GoMath {
    /// Infinities win over NaN; -0 is less than 0.
    static func min(_ x: Double, _ y: Double) -> Double {
        if x == -.infinity || y == -.infinity { return -.infinity }
        if x.isNaN || y.isNaN { return .nan }
        if x == 0 && x == y { return x.sign == .minus ? x : y }
        return x < y ? x : y
    }

    /// Infinities win over NaN; 0 is more than -0.
    static func max(_ x: Double, _ y: Double) -> Double {
        if x == .infinity || y == .infinity { return .infinity }
        if x.isNaN || y.isNaN { return .nan }
        if x == 0 && x == y { return x.sign == .minus ? y : x }
        return x > y ? x : y
    }

    /// The remainder of `x / y`, with the sign of `x`.
    static func mod(_ x: Double, _ y: Double) -> Double { fmod(x, y) }

    /// A number as Go converts it to an integer on x86-64: what does not fit becomes the least one.
    static func int64(_ x: Double) -> Int64 { Int64(exactly: x.rounded(.towardZero)) ?? .min }
}
