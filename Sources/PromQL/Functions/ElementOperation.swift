internal import MetricModel

/// A binary operation between two samples.
///
/// Source: prometheus/prometheus promql/engine.go (`vectorElemBinop`, `scalarBinop`).
struct ElementOperation {
    let operation: BinaryOperator

    /// What an operation that involves a histogram gives.
    enum Outcome {
        /// A value, and whether a comparison holds (otherwise it is true).
        case value(SharedHistogram, keep: Bool)
        /// Nothing.
        case nothing
    }

    /// One side: a number, or a histogram.
    struct Side {
        let number: Double
        let histogram: SharedHistogram?
    }

    /// Whether the result has another meaning than its operands, so that it cannot carry their name.
    var changesMeaning: Bool {
        switch operation {
        case .add, .subtract, .divide, .multiply, .power, .modulo, .atan2: true
        default: false
        }
    }

    /// Between numbers, of arithmetic: the result; of comparisons: whether it holds.
    func arithmetic() -> ((Double, Double) -> Double)? {
        switch operation {
        case .add: { $0 + $1 }
        case .subtract: { $0 - $1 }
        case .multiply: { $0 * $1 }
        case .divide: { $0 / $1 }
        case .power: FloatMath.pow
        case .modulo: GoMath.mod
        case .atan2: FloatMath.atan2
        default: nil
        }
    }

    /// Between numbers: whether a comparison holds; nil for other operations.
    func comparison() -> ((Double, Double) -> Bool)? {
        switch operation {
        case .equal: { $0 == $1 }
        case .notEqual: { $0 != $1 }
        case .less: { $0 < $1 }
        case .lessOrEqual: { $0 <= $1 }
        case .greater: { $0 > $1 }
        case .greaterOrEqual: { $0 >= $1 }
        default: nil
        }
    }

    /// Between two samples of which at least one is a histogram; `note` is what there is to say.
    func histograms(_ left: Side, _ right: Side, _ note: inout Annotation.Kind?) -> Outcome {
        switch (left.histogram, right.histogram) {
        case (nil, let right?) where operation == .multiply:
            return .value(SharedHistogram(right.value.multiplied(by: left.number).compacted()), keep: true)
        case (let left?, nil):
            switch operation {
            case .multiply:
                return .value(SharedHistogram(left.value.multiplied(by: right.number).compacted()), keep: true)
            case .divide:
                return .value(SharedHistogram(left.value.divided(by: right.number).compacted()), keep: true)
            case .trimUpper, .trimLower:
                var trimmed = left.value
                trimmed.trim(at: right.number, keepingBelow: operation == .trimUpper)
                return .value(SharedHistogram(trimmed), keep: true)
            default: break
            }
        case (let left?, let right?):
            switch operation {
            case .equal: return .value(left, keep: left.value.isSameData(as: right.value))
            case .notEqual: return .value(left, keep: !left.value.isSameData(as: right.value))
            case .add, .subtract: return combine(left.value, right.value, &note)
            default: break
            }
        default: break
        }
        note = .incompatibleTypes(
            left: left.histogram == nil ? "float" : "histogram", operation: operation.rawValue,
            right: right.histogram == nil ? "float" : "histogram")
        return .nothing
    }

    private func combine(
        _ left: FloatHistogram, _ right: FloatHistogram, _ note: inout Annotation.Kind?
    ) -> Outcome {
        var result = left
        do throws(HistogramError) {
            let isAddition = operation == .add
            let done = isAddition ? try result.add(right) : try result.subtract(right)
            if !isAddition { result.counterResetHint = .gauge }
            result.compact()
            // A collision means that there is no result; reconciled bounds are only mentioned.
            if done.counterResetCollision {
                note = .counterResetCollision(isAddition ? .addition : .subtraction)
                return .nothing
            }
            if done.boundsReconciled { note = .mismatchedCustomBuckets(isAddition ? .addition : .subtraction) }
            return .value(SharedHistogram(result), keep: true)
        } catch {
            note = .incompatibleBucketLayout(operation: operation.rawValue)
            return .nothing
        }
    }
}
