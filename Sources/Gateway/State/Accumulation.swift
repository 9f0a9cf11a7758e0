internal import MetricModel

/// Adds pushed values to stored ones.
enum Accumulation {
    /// Why two values cannot be added, as the end of a sentence.
    struct Mismatch: Error {
        let text: String
    }

    /// A series with the labels of `pushed` and the sum of both values.
    /// - Parameter rule: For gauges.
    static func combine(
        _ stored: PackedSeries, _ pushed: PackedSeries, _ rule: GaugeRule
    ) throws(Mismatch) -> PackedSeries {
        if let sum = pushed.adding(stored) { return sum }
        switch (stored.value, pushed.value) {
        case (.counter(let old), .counter(let new)):
            var sum = new
            sum.value += old.value
            sum.exemplar = new.exemplar ?? old.exemplar
            sum.created = earliest(old.created, new.created)
            return pushed.replacingValue(.counter(sum))
        case (.gauge(let old), .gauge(let new)):
            return gauge(stored, old, pushed, new, rule)
        case (.summary(let old), .summary(let new)):
            let sum = SummaryValue(
                count: add(old.count, new.count), sum: add(old.sum, new.sum),
                created: earliest(old.created, new.created))
            return pushed.replacingValue(.summary(sum))
        case (.histogram(let old), .histogram(let new)):
            guard pushed.type != .gaugeHistogram else { return pushed }
            return pushed.replacingValue(.histogram(try HistogramAccumulation.add(old, new)))
        default: return pushed
        }
    }

    private static func gauge(
        _ stored: PackedSeries, _ old: Double, _ pushed: PackedSeries, _ new: Double, _ rule: GaugeRule
    ) -> PackedSeries {
        switch rule {
        case .last: return pushed
        case .sum: return pushed.replacingValue(.gauge(old + new))
        // NaN is no number to compare with: whoever has one shows the other.
        case .minimum: return pushed.replacingValue(.gauge(old.isNaN || new < old ? new : old))
        case .maximum: return pushed.replacingValue(.gauge(old.isNaN || new > old ? new : old))
        case .mean:
            let count = (stored.meanCount ?? 1) &+ 1
            return pushed.replacingValue(.gauge(old + (new - old) / Double(count)), meanCount: count)
        }
    }

    static func add(_ left: Double?, _ right: Double?) -> Double? {
        guard let left else { return right }
        return left + (right ?? 0)
    }

    static func earliest(_ left: Int64?, _ right: Int64?) -> Int64? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}

/// Adds histograms, classic and native.
enum HistogramAccumulation {
    static func add(
        _ old: HistogramValue, _ new: HistogramValue
    ) throws(Accumulation.Mismatch) -> HistogramValue {
        var sum = HistogramValue()
        sum.hasFloatCounts = old.hasFloatCounts || new.hasFloatCounts
        sum.count = Accumulation.add(old.count, new.count)
        sum.sum = Accumulation.add(old.sum, new.sum)
        sum.created = Accumulation.earliest(old.created, new.created)
        sum.exemplars = new.exemplars.isEmpty ? old.exemplars : new.exemplars
        sum.buckets = try buckets(old, new)
        sum.native = try native(old.native, new.native)
        if case .float = sum.native { sum.hasFloatCounts = true }
        return sum
    }

    /// Cumulative counts at the bounds that both have. That is exact, and loses nothing that both knew, if the bounds of
    /// one are among those of the other.
    private static func buckets(
        _ old: HistogramValue, _ new: HistogramValue
    ) throws(Accumulation.Mismatch) -> [HistogramValue.Bucket] {
        let finiteOld = old.buckets.filter { $0.upperBound != .infinity }
        let finiteNew = new.buckets.filter { $0.upperBound != .infinity }
        if old.buckets.isEmpty && new.buckets.isEmpty { return [] }
        let oldBounds = Set(finiteOld.map(\.upperBound))
        let newBounds = Set(finiteNew.map(\.upperBound))
        guard oldBounds.isSubset(of: newBounds) || newBounds.isSubset(of: oldBounds) else {
            throw Accumulation.Mismatch(
                text:
                    " has buckets at \(list(newBounds)), which cannot be added to the stored ones at \(list(oldBounds))"
            )
        }
        let smaller = oldBounds.count < newBounds.count ? finiteOld : finiteNew
        let larger = oldBounds.count < newBounds.count ? finiteNew : finiteOld
        let others = Dictionary(larger.map { ($0.upperBound, $0) }, uniquingKeysWith: { _, last in last })
        var result: [HistogramValue.Bucket] = smaller.map { bucket in
            let other = others[bucket.upperBound]
            return .init(
                upperBound: bucket.upperBound, count: bucket.count + (other?.count ?? 0),
                exemplar: bucket.exemplar ?? other?.exemplar)
        }
        if let oldAll = all(old), let newAll = all(new) {
            result.append(.init(upperBound: .infinity, count: oldAll.count + newAll.count, exemplar: newAll.exemplar))
        }
        return result
    }

    /// The bucket that holds everything, if it was given; else one from the count.
    private static func all(_ histogram: HistogramValue) -> HistogramValue.Bucket? {
        histogram.buckets.last { $0.upperBound == .infinity }
            ?? histogram.count.map { .init(upperBound: .infinity, count: $0) }
    }

    private static func list(_ bounds: Set<Double>) -> String {
        let sorted = bounds.sorted().prefix(20).map { "\($0)" }
        return "[" + sorted.joined(separator: " ") + (bounds.count > 20 ? " …]" : "]")
    }

    private static func native(
        _ old: HistogramValue.NativePart?, _ new: HistogramValue.NativePart?
    ) throws(Accumulation.Mismatch) -> HistogramValue.NativePart? {
        guard let old, let new else { return old ?? new }
        var sum = float(old)
        do throws(HistogramError) {
            _ = try sum.add(float(new))
        } catch {
            throw Accumulation.Mismatch(text: " cannot be added to the stored native histogram: \(error)")
        }
        guard case .integer = old, case .integer = new, let integer = NativeHistogram(sum) else { return .float(sum) }
        return .integer(integer)
    }

    private static func float(_ part: HistogramValue.NativePart) -> FloatHistogram {
        switch part {
        case .integer(let native): native.float
        case .float(let native): native
        }
    }
}
