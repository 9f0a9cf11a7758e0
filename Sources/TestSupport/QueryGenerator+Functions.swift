extension QueryGenerator {
    /// What a function takes and gives: `v` vector, `m` range vector, `s` scalar, `t` text.
    struct Signature: Sendable {
        let name: String
        let arguments: String
        /// How many arguments at the end may be left out.
        let optional: Int
        let result: Character
        let isExperimental: Bool
    }

    /// The functions that no other part of the generator writes.
    static let signatures: [Signature] =
        overTime.map { Signature(name: $0, arguments: "m", optional: 0, result: "v", isExperimental: false) }
        + experimentalOverTime.map {
            Signature(name: $0, arguments: "m", optional: 0, result: "v", isExperimental: true)
        }
        + pointwise.map { Signature(name: $0, arguments: "v", optional: 0, result: "v", isExperimental: false) }
        + calendar.map { Signature(name: $0, arguments: "v", optional: 1, result: "v", isExperimental: false) }
        + others.map { name, arguments, optional, result, isExperimental in
            Signature(
                name: name, arguments: arguments, optional: optional, result: result, isExperimental: isExperimental)
        }

    private static let overTime = [
        "rate", "rate", "increase", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets",
        "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time",
        "stddev_over_time", "stdvar_over_time", "present_over_time", "absent_over_time",
    ]
    private static let experimentalOverTime = [
        "mad_over_time", "first_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
        "ts_of_min_over_time",
    ]
    private static let pointwise = [
        "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "cos", "tan", "asin", "acos",
        "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "timestamp", "sort", "sort_desc",
        "absent",
    ]
    private static let calendar = [
        "hour", "minute", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year",
    ]
    private static let others: [(String, String, Int, Character, Bool)] = [
        ("clamp", "vss", 0, "v", false), ("clamp_max", "vs", 0, "v", false), ("clamp_min", "vs", 0, "v", false),
        ("round", "vs", 1, "v", false), ("vector", "s", 0, "v", false), ("quantile_over_time", "sm", 0, "v", false),
        ("predict_linear", "ms", 0, "v", false), ("double_exponential_smoothing", "mss", 0, "v", true),
        ("sort_by_label", "vtt", 2, "v", true), ("sort_by_label_desc", "vtt", 2, "v", true),
        ("start_timestamp", "v", 0, "v", true), ("time", "", 0, "s", false), ("pi", "", 0, "s", false),
        ("start", "", 0, "s", true), ("end", "", 0, "s", true), ("range", "", 0, "s", true),
        ("step", "", 0, "s", true), ("max_of", "ss", 0, "s", true), ("min_of", "ss", 0, "s", true),
    ]
}
