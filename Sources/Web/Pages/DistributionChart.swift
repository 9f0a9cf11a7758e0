internal import ByteCoding
package import MetricModel

/// Small pictures of how values are spread: one bar a bucket of a histogram, one line a quantile of a summary.
///
/// Sizes are attributes of the picture: the content security policy allows no styles of elements.
package enum DistributionChart {
    /// A histogram's buckets, each with what lies in it alone.
    package struct Bar {
        /// Shown when one points at it.
        package let title: String
        /// How high.
        package let count: Double
    }

    private static let mostBars = 200
    private static let height = 56

    /// The bars of a histogram: of its native buckets where it has some, else of the classic ones.
    package static func bars(_ histogram: HistogramValue) -> [Bar] {
        switch histogram.native {
        case .integer(let native): return bars(native.float)
        case .float(let native): return bars(native)
        case nil: break
        }
        var below = 0.0
        var lower: String?
        return histogram.buckets.sorted { $0.upperBound < $1.upperBound }.prefix(mostBars).map { bucket in
            let upper = FloatText.string(bucket.upperBound, .general)
            defer {
                below = bucket.count
                lower = upper
            }
            let title = lower.map { "\($0) to \(upper)" } ?? "up to \(upper)"
            return Bar(title: title, count: max(0, bucket.count - below))
        }
    }

    private static func bars(_ histogram: FloatHistogram) -> [Bar] {
        histogram.allBuckets.prefix(mostBars).map { bucket in
            let range = "\(FloatText.string(bucket.lower, .general)) to \(FloatText.string(bucket.upper, .general))"
            return Bar(title: range, count: bucket.count)
        }
    }

    /// Bars side by side, the highest as high as the picture.
    package static func histogram(_ bars: [Bar]) -> Markup {
        guard !bars.isEmpty else { return "" }
        let most = bars.map(\.count).filter(\.isFinite).max() ?? 0
        let bar = max(3, min(24, 280 / bars.count))
        var shapes = Markup()
        for (index, one) in bars.enumerated() {
            let share = most > 0 && one.count.isFinite ? one.count / most : 0
            let size = share > 0 ? max(1, Int((share * Double(height)).rounded())) : 0
            shapes += """
                <g><title>\(one.title): \(FloatText.string(one.count, .general))</title><rect class="back" x="\(bar * index)" y="0" width="\(bar)" height="\(height)"/><rect class="bar" x="\(bar * index)" y="\(height - size)" width="\(bar - 1)" height="\(size)"/></g>
                """
        }
        let width = bar * bars.count
        return """
            <svg class="distribution" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" role="img" aria-label="Histogram of \(bars.count) buckets">\(shapes)<path class="ground" d="M0 \(height)H\(width)"/></svg>
            """
    }

    /// Quantiles as lines from nothing to their value, the longest as wide as the picture.
    package static func summary(_ summary: SummaryValue) -> Markup {
        let finite = summary.quantiles.prefix(mostBars).filter { $0.value.isFinite && $0.quantile.isFinite }
        let most = finite.map { abs($0.value) }.max() ?? 0
        guard finite.count > 1, most > 0 else { return "" }
        var shapes = Markup()
        for (index, one) in finite.enumerated() {
            let width = max(1, Int((abs(one.value) / most * 200).rounded()))
            let y = index * 18
            shapes += """
                <g><title>\(FloatText.string(one.quantile, .general)): \(FloatText.string(one.value, .general))</title><text x="0" y="\(y + 12)">\(FloatText.string(one.quantile, .general))</text><rect class="bar" x="48" y="\(y + 2)" width="\(width)" height="12"/></g>
                """
        }
        let height = finite.count * 18
        return """
            <svg class="distribution" viewBox="0 0 250 \(height)" width="250" height="\(height)" role="img" aria-label="\(finite.count) quantiles">\(shapes)</svg>
            """
    }
}
