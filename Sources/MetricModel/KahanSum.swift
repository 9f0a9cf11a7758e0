/// A running sum that keeps what rounding loses, by Neumaier's variant of Kahan's algorithm.
///
/// The result of a query shows the last digit, so the order of operations is part of the behaviour.
///
/// Source: prometheus/prometheus util/kahansum.
@frozen
public struct KahanSum: Sendable {
    /// The sum without its compensation.
    public var sum: Double
    /// What rounding lost so far.
    public var compensation: Double

    /// Starts at `sum`.
    @inlinable
    public init(_ sum: Double = 0, compensation: Double = 0) {
        self.sum = sum
        self.compensation = compensation
    }

    /// Adds `term`; an infinite sum has no compensation.
    @inlinable
    public mutating func add(_ term: Double) {
        let total = sum + term
        if total.magnitude > .greatestFiniteMagnitude {
            compensation = 0
        } else if sum.magnitude >= term.magnitude {
            compensation += (sum - total) + term
        } else {
            compensation += (term - total) + sum
        }
        sum = total
    }

    /// The sum with its compensation; an infinite sum as it is.
    @inlinable
    public var value: Double { sum.isInfinite ? sum : sum + compensation }
}
