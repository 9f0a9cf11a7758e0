#if canImport(Glibc)
internal import Glibc
#endif

/// What the values of a picture are, for its axis.
package enum PlotUnit: String, Sendable {
    case none, bytes, seconds

    /// The unit that a metric's name ends in, by the conventions for names; `none` where it says nothing.
    package init(metricName: String) {
        var name = metricName[...]
        for suffix in ["_sum", "_total", "_max", "_min"] where name.hasSuffix(suffix) {
            name = name.dropLast(suffix.count)
        }
        self = name.hasSuffix("_bytes") ? .bytes : name.hasSuffix("_seconds") ? .seconds : .none
    }

    /// Where the lines of an axis go: at round numbers of the unit.
    package func ticks(low: Double, high: Double, wanted: Int = 5) -> [Double] {
        guard self == .bytes, low.isFinite, high.isFinite else {
            return PlotScale.ticks(low: low, high: high, wanted: wanted)
        }
        let most = max(abs(low), abs(high))
        guard most >= 1024 else { return PlotScale.ticks(low: low, high: high, wanted: wanted) }
        let scale = pow(1024, min(6, floor(log2(most) / 10)))
        return PlotScale.ticks(low: low / scale, high: high / scale, wanted: wanted).map { $0 * scale }
    }

    /// A value with its unit, short.
    package func text(_ value: Double) -> String {
        guard value.isFinite else { return PlotScale.short(value) }
        switch self {
        case .none: return PlotScale.short(value)
        case .bytes:
            let size = abs(value)
            guard size >= 1024, size < 1e30 else { return PlotScale.short(value) + " B" }
            let power = min(6, Int(floor(log2(size) / 10)))
            return PlotScale.short(value / pow(1024, Double(power))) + " "
                + ["B", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]
        case .seconds:
            if abs(value) < 120 { return PlotScale.short(value) + (value == 0 ? "" : "s") }
            guard abs(value) < 1e15 else { return PlotScale.short(value) }
            let text = PageTime.length(Int64(abs(value).rounded()))
            return value < 0 ? "-" + text : text
        }
    }

    /// What stands above the axis.
    package var title: String {
        switch self {
        case .none: ""
        case .bytes: "bytes"
        case .seconds: "seconds"
        }
    }
}
