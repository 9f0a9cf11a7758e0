/// A span of time in a query: a range, an offset, a step. Nanoseconds, as Go's `time.Duration`.
package struct QueryDuration: Sendable, Hashable, Comparable {
    /// How long; negative where that is allowed.
    package var nanoseconds: Int64

    /// No time at all.
    package static let zero = QueryDuration(nanoseconds: 0)

    /// A span of `nanoseconds`.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// A span of `milliseconds`; beyond what nanoseconds hold, the nearest that they do.
    package init(milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        nanoseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    /// The span nearest to `seconds`, ties away from zero; what is too long becomes the longest, and NaN the longest
    /// into the past, as Go converts it.
    package init(seconds: Double) {
        let rounded = (seconds * 1e9).rounded(.toNearestOrAwayFromZero)
        nanoseconds = Int64(exactly: rounded) ?? (rounded > 0 ? .max : .min)
    }

    /// Whole milliseconds, rounded towards zero: what the engine counts in.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// Seconds, with fraction.
    package var seconds: Double {
        Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9
    }

    /// The shorter comes first.
    package static func < (left: QueryDuration, right: QueryDuration) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
