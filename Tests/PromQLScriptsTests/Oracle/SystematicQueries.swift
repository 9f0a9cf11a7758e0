/// Every function, operator and aggregation over every kind of series, one by one: what random queries reach only
/// by chance.
enum SystematicQueries {
    /// One metric of each kind that `SeriesGenerator` makes.
    private static let kinds = [
        "requests_total", "temperature", "gaps", "wild", "sizes", "gauge_sizes", "hinted", "custom", "mixed",
        "bad_bucket", "latency_bucket", "odd_bucket", "latency", "typed_total", "nothing", "many",
        #"{__name__=~"sizes|temperature|custom"}"#, #"{__name__=~"sizes|temperature"}"#, #"{"with é"}"#,
    ]

    static var all: [String] { ranges + points + aggregations + operations + literals }

    /// Range functions, over ranges of all shapes.
    private static var ranges: [String] {
        let functions = [
            "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "sum_over_time",
            "avg_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time", "first_over_time",
            "stddev_over_time", "stdvar_over_time", "present_over_time", "absent_over_time", "mad_over_time",
            "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
            "quantile_over_time(0.3, ", "quantile_over_time(2, ", "quantile_over_time(NaN, ",
        ]
        let ranges = [
            "[5m]", "[31s]", "[1ms]", "[2m:17s]", "[5m:1m] @ 600 offset -1m", "[3m] anchored", "[3m] smoothed",
            "[5m:30s] offset 2m", "[step() + 1m]",
        ]
        let tails = [
            "predict_linear(%[5m], 60)", "predict_linear(%[1s], -1e9)", "double_exponential_smoothing(%[5m], 0.5, 0.1)",
            "double_exponential_smoothing(%[5m], 1, 0.5)", "double_exponential_smoothing(%[5m], 0.5, 0)",
            "double_exponential_smoothing(%[5m], NaN, 0.5)",
        ]
        return kinds.flatMap { kind in
            functions.flatMap { function in
                ranges.map { "\(function)\(function.contains("(") ? "" : "(")\(kind)\($0))" }
            } + tails.map { $0.replacingPercent(by: kind) }
        }
    }

    /// Functions of instant vectors.
    private static var points: [String] {
        let calls = [
            "abs(%)", "absent(%)", "ceil(%)", "floor(%)", "exp(%)", "sgn(%)", "sqrt(%)", "ln(%)", "log2(%)", "log10(%)",
            "acosh(%)", "tan(%)", "deg(%)", "round(%)", "round(%, 0.3)", "round(%, 0)", "round(%, NaN)",
            "clamp(%, 1, 5)",
            "clamp(%, 5, 1)", "clamp(%, NaN, 5)", "clamp_min(%, 3)", "clamp_max(%, NaN)", "timestamp(%)",
            "timestamp(% offset 1m)", "timestamp(-%)", "start_timestamp(%)", "minute(%)", "day_of_week(%)",
            "days_in_month(%)", "year(%)", "sort(%)", "sort_desc(%)", #"sort_by_label(%, "instance", "job")"#,
            #"sort_by_label_desc(%, "le")"#, "scalar(%)", "vector(scalar(%))", "-%", "+%", "histogram_count(%)",
            "histogram_sum(%)", "histogram_avg(%)", "histogram_stddev(%)", "histogram_stdvar(%)",
            "histogram_quantile(0.5, %)", "histogram_quantile(-1, %)", "histogram_quantile(2, %)",
            "histogram_quantile(NaN, %)", "histogram_quantile(0, %)", "histogram_quantile(1, %)",
            "histogram_quantile(0.9, rate(%[5m]))", "histogram_quantile(0.5, sum by (le, job) (%))",
            "histogram_fraction(0, 1, %)", "histogram_fraction(-Inf, Inf, %)", "histogram_fraction(NaN, 1, %)",
            "histogram_fraction(2, 1, %)", "histogram_fraction(0.2, 3, rate(%[5m]))",
            #"histogram_quantiles(%, "q", 0.1, 0.9)"#, #"histogram_quantiles(%, "q", -1, NaN)"#,
            #"histogram_quantiles(%, "le", 0.5)"#, #"histogram_quantiles(%, "", 0.5)"#,
            #"label_replace(%, "job", "x$1", "instance", "(.).*")"#, #"label_replace(%, "__name__", "n", "", "")"#,
            #"label_replace(%, "a b", "$0", "job", ".*")"#, #"label_join(%, "j", "-", "job", "le", "no")"#,
            #"label_join(%, "instance", "")"#, "info(%)", #"info(%, {version=~".+"})"#,
            #"info(%, {__name__=~".+_info", env!=""})"#, "% smoothed", "% anchored", "% offset 1m30s", "% @ end()",
            "% @ start() offset -30s", "% offset -(1m)", "(%)[1m:]", "%[45s]", "%[1m] smoothed", "%[1m] anchored",
            "sum_over_time(rate(%[1m])[5m:])", "max_of(scalar(%), 3)",
        ]
        return kinds.flatMap { kind in calls.map { $0.replacingPercent(by: kind) } }
    }

    private static var aggregations: [String] {
        let calls = [
            "sum#(%)", "avg#(%)", "min#(%)", "max#(%)", "count#(%)", "group#(%)", "stddev#(%)", "stdvar#(%)",
            "topk#(2, %)", "bottomk#(2, %)", "topk#(20, %)", "topk#(0, %)", "topk#(-1, %)", "limitk#(2, %)",
            "limit_ratio#(0.5, %)", "limit_ratio#(-0.5, %)", "limit_ratio#(1.5, %)", "quantile#(0.3, %)",
            "quantile#(-1, %)", "quantile#(NaN, %)", #"count_values#("v", %)"#, #"count_values#("job", %)"#,
            "sum#(rate(%[2m]))", "avg#(-%)", "sum#(% smoothed)",
        ]
        let groupings = ["", " by (job) ", " without (instance) ", " by (__name__) ", " by (le, no) "]
        return kinds.flatMap { kind in
            groupings.flatMap { grouping in calls.map { $0.replacingPercent(by: kind, "#", grouping) } }
        }
    }

    private static var operations: [String] {
        let operators = [
            "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "== bool", "> bool", "and", "or",
            "unless", "</", ">/",
        ]
        let right = ["2", "0", "NaN", "-1.5", "(Inf)"]
        let modifiers = [
            "", " on (job, instance)", " ignoring (le, number)", " on (job) group_left (instance)",
            " on (job) group_right ()", " on () group_left ()", " on (job, instance) fill (3)",
            " on (job, instance) fill_left (1)", " on (job, instance) group_left () fill_right (0)",
        ]
        var queries: [String] = []
        for kind in kinds {
            for operation in operators {
                for number in right {
                    if ["and", "or", "unless"].contains(operation) { continue }
                    queries += ["\(kind) \(operation) \(number)", "\(number) \(operation) \(kind)"]
                }
                for (index, other) in kinds.enumerated() {
                    let isSet = ["and", "or", "unless"].contains(operation)
                    let choices = isSet ? Array(modifiers[..<3]) : modifiers
                    // Each pair with three of the modifiers, other ones from pair to pair.
                    for offset in 0..<3 {
                        let modifier = choices[(index + offset * 3 + queries.count) % choices.count]
                        queries.append("\(kind) \(operation)\(modifier) \(other)")
                    }
                }
            }
        }
        return queries
    }

    private static let literals = [
        "1", "-1", "+1", "1 + 2 * 3 ^ 2 ^ 0.5", "-2 ^ 2", "2 ^ -1", "1 == bool 1", "1 < bool NaN", "Inf - Inf", "0 / 0",
        "-1 % 3", "5.5 % -2", "1 atan2 -1", "0x10", "0b11", "0o17", "017", "1e3", ".5", "5.", "1_000", "1h30m", "-5m",
        "5m + 1", #""text""#, #"'it''s'"#, "'a\\x41\\u00e9\\101\\n'", "`raw`", "time()", "pi()", "vector(time())",
        "vector(NaN)", "scalar(vector(1) or on () vector(2))", "minute()", "hour()", "year()", "day_of_year()",
        "vector(1) == vector(2)", "vector(1) and vector(2)", "absent(vector(1))",
        #"absent(x{a="b", c=~"d", e="f", e="g"})"#,
        #"absent_over_time(x{a="b"}[5m:1m])"#, #"absent(sum(x{a="b"}))"#, "absent(-x)", "sum(1)", "rate(x)", "x[5m]",
        "x[5m:1m]", "x[0s]", "x[5m] offset 0s", "x @ 1e20", "x @ NaN", "x @ -1", "x[5m:0s]", "step()", "range()",
        "start()", "end()", "start() + step() * range()", "vector(end())", "x[step()]", "x[-1m]", "x[1m - 2m]",
        "x offset (step() * 2)", "temperature[1m + step()]", "temperature[max_of(1m, step())]", "temperature[1m / 0]",
        "temperature[10m:step() * 2]", "count_over_time(temperature[10m:min_of(1m, 30s)])", "{}", "{a=~\".*\"}",
        "{__name__=~\".+\", job=\"a\"}", "{__name__=\"x\", __name__=\"y\"}", "x{__name__=\"y\"}", "bool", "on", "sum",
        "by", "start", "offset", "anchored", "smoothed{by=\"1\"}", "sum by (by, on, bool, start) (temperature)",
        "sum(temperature) by (job)", "sum by (job) (temperature) by (job)", "a:b:c", ":a", "NaN{}", "inf", "nan",
        "{\"a b\"}", "{\"a b\", \"c\"}", "sum by (\"job\", \"a b\") (temperature)", "fill", "fill_left + 1",
        "temperature + on (job) group_left (job) temperature", "temperature and on (job) group_left () temperature",
        "temperature + bool 1", "1 > 2", "-\"a\"", "topk(temperature, temperature)", "topk(1)", "count_values(1, x)",
        "quantile(\"a\", x)", "round(1)", "abs()", "abs(x, y)", "label_replace(x, 1, 2, 3, 4)",
        "label_replace(temperature, \"\", \"\", \"\", \"\")",
        "label_replace(temperature, \"a\", \"$1\", \"job\", \"(\")",
        "label_join(temperature, \"\", \"\")", "label_join(temperature)", "histogram_quantiles(sizes, \"q\")",
        "info(temperature, temperature)", "info(temperature, {})", "info(temperature, {a=\"b\"} offset 1m)",
        "unknown(x)",
        "sum_over_time(temperature)", "limitk(NaN, temperature)", "limitk(1e30, temperature)", "topk(Inf, temperature)",
        "limit_ratio(NaN, temperature)", "temperature[5m] @ start() offset -1m", "temperature offset 1m offset 2m",
        "temperature @ 1 @ 2", "(temperature)[5m]", "(temperature offset 1m) offset 1m", "temperature[5m][5m]",
        "temperature[5m:1m][5m:1m]", "max_over_time((temperature)[5m:1m] @ 600)", "sum(temperature)[5m:1m]",
        "rate((temperature)[5m:1m])", "temperature smoothed anchored", "rate(temperature[5m] smoothed anchored)",
        "x[5m] smoothed offset 1m", "x smoothed[5m]", "resets(requests_total[5m] smoothed)",
        "double_exponential_smoothing(temperature[5m], 2, 0.5)", "predict_linear(temperature[5m], \"1\")",
    ]
}

extension String {
    fileprivate func replacingPercent(by text: String, _ other: Character = "#", _ otherText: String = "#") -> String {
        reduce(into: "") { result, character in
            result += character == "%" ? text : character == other ? otherText : String(character)
        }
    }
}
