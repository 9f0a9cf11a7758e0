/// A function of the language; the raw value is its name.
///
/// Names, argument types and flags: prometheus/prometheus promql/parser/functions.go (3.14).
package enum Function: String, Sendable, Hashable, CaseIterable {
    case abs
    case absent
    case absentOverTime = "absent_over_time"
    case acos
    case acosh
    case asin
    case asinh
    case atan
    case atanh
    case avgOverTime = "avg_over_time"
    case ceil
    case changes
    case clamp
    case clampMax = "clamp_max"
    case clampMin = "clamp_min"
    case cos
    case cosh
    case countOverTime = "count_over_time"
    case dayOfMonth = "day_of_month"
    case dayOfWeek = "day_of_week"
    case dayOfYear = "day_of_year"
    case daysInMonth = "days_in_month"
    case deg
    case delta
    case deriv
    case doubleExponentialSmoothing = "double_exponential_smoothing"
    case end
    case exp
    case firstOverTime = "first_over_time"
    case floor
    case histogramAvg = "histogram_avg"
    case histogramCount = "histogram_count"
    case histogramFraction = "histogram_fraction"
    case histogramQuantile = "histogram_quantile"
    case histogramQuantiles = "histogram_quantiles"
    case histogramStddev = "histogram_stddev"
    case histogramStdvar = "histogram_stdvar"
    case histogramSum = "histogram_sum"
    case hour
    case idelta
    case increase
    case info
    case irate
    case labelJoin = "label_join"
    case labelReplace = "label_replace"
    case lastOverTime = "last_over_time"
    case ln
    case log10
    case log2
    case madOverTime = "mad_over_time"
    case maxOf = "max_of"
    case maxOverTime = "max_over_time"
    case minOf = "min_of"
    case minOverTime = "min_over_time"
    case minute
    case month
    case pi
    case predictLinear = "predict_linear"
    case presentOverTime = "present_over_time"
    case quantileOverTime = "quantile_over_time"
    case rad
    case range
    case rate
    case resets
    case round
    case scalar
    case sgn
    case sin
    case sinh
    case sort
    case sortByLabel = "sort_by_label"
    case sortByLabelDesc = "sort_by_label_desc"
    case sortDesc = "sort_desc"
    case sqrt
    case start
    case startTimestamp = "start_timestamp"
    case stddevOverTime = "stddev_over_time"
    case stdvarOverTime = "stdvar_over_time"
    case step
    case sumOverTime = "sum_over_time"
    case tan
    case tanh
    case time
    case timestamp
    case tsOfFirstOverTime = "ts_of_first_over_time"
    case tsOfLastOverTime = "ts_of_last_over_time"
    case tsOfMaxOverTime = "ts_of_max_over_time"
    case tsOfMinOverTime = "ts_of_min_over_time"
    case vector
    case year
}

/// What a function takes and gives.
package struct FunctionSignature: Sendable, Hashable {
    /// The types of the arguments, in order; the last one repeats as ``variadic`` says.
    package var arguments: [ValueType]
    /// 0: exactly ``arguments``. n > 0: one less than ``arguments`` up to n more than that. -1: one less than
    /// ``arguments`` or any number more.
    package var variadic: Int
    /// The type of what it gives.
    package var returnType: ValueType
    /// Whether the feature flag for experimental functions is needed.
    package var isExperimental: Bool

    init(_ arguments: [ValueType], variadic: Int = 0, _ returnType: ValueType = .vector, experimental: Bool = false) {
        self.arguments = arguments
        self.variadic = variadic
        self.returnType = returnType
        self.isExperimental = experimental
    }
}

extension Function {
    /// What the function takes and gives.
    package var signature: FunctionSignature {
        switch self {
        case .abs, .absent, .acos, .acosh, .asin, .asinh, .atan, .atanh, .ceil, .cos, .cosh, .deg, .exp,
            .floor, .histogramAvg, .histogramCount, .histogramStddev, .histogramStdvar, .histogramSum, .ln,
            .log10, .log2, .rad, .sgn, .sin, .sinh, .sort, .sortDesc, .sqrt, .tan, .tanh, .timestamp:
            FunctionSignature([.vector])
        case .absentOverTime, .avgOverTime, .changes, .countOverTime, .delta, .deriv, .firstOverTime, .idelta,
            .increase, .irate, .lastOverTime, .maxOverTime, .minOverTime, .presentOverTime, .rate, .resets,
            .stddevOverTime, .stdvarOverTime, .sumOverTime:
            FunctionSignature([.matrix])
        case .clamp:
            FunctionSignature([.vector, .scalar, .scalar])
        case .clampMax, .clampMin:
            FunctionSignature([.vector, .scalar])
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            FunctionSignature([.vector], variadic: 1)
        case .doubleExponentialSmoothing:
            FunctionSignature([.matrix, .scalar, .scalar], experimental: true)
        case .end, .range, .start, .step:
            FunctionSignature([], .scalar, experimental: true)
        case .histogramFraction:
            FunctionSignature([.scalar, .scalar, .vector])
        case .histogramQuantile:
            FunctionSignature([.scalar, .vector])
        case .histogramQuantiles:
            FunctionSignature([.vector, .string, .scalar, .scalar], variadic: 9, experimental: true)
        case .info:
            FunctionSignature([.vector, .vector], variadic: 1, experimental: true)
        case .labelJoin:
            FunctionSignature([.vector, .string, .string, .string], variadic: -1)
        case .labelReplace:
            FunctionSignature([.vector, .string, .string, .string, .string])
        case .madOverTime, .tsOfFirstOverTime, .tsOfLastOverTime, .tsOfMaxOverTime, .tsOfMinOverTime:
            FunctionSignature([.matrix], experimental: true)
        case .maxOf, .minOf:
            FunctionSignature([.scalar, .scalar], .scalar, experimental: true)
        case .pi, .time:
            FunctionSignature([], .scalar)
        case .predictLinear:
            FunctionSignature([.matrix, .scalar])
        case .quantileOverTime:
            FunctionSignature([.scalar, .matrix])
        case .round:
            FunctionSignature([.vector, .scalar], variadic: 1)
        case .scalar:
            FunctionSignature([.vector], .scalar)
        case .sortByLabel, .sortByLabelDesc:
            FunctionSignature([.vector, .string], variadic: -1, experimental: true)
        case .startTimestamp:
            FunctionSignature([.vector], experimental: true)
        case .vector:
            FunctionSignature([.scalar])
        }
    }
}
