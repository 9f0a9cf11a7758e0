internal import MetricModel

extension SampleColumns {
    /// Removes the samples from `base` on that lie outside `range`; they are in order.
    /// - Complexity: O(log n), and O(samples) if anything is removed at the front.
    mutating func clip(from base: Int, to range: ClosedRange<Timestamp>) {
        let low = lowerBound(range.lowerBound, from: base)
        let high = range.upperBound == .max ? count : lowerBound(range.upperBound &+ 1, from: low)
        if high < count { removeRange(high..<count) }
        if low > base { removeRange(base..<low) }
    }

    /// Removes the samples from `base` on that lie in one of `intervals`.
    mutating func remove(_ intervals: [TimeInterval], from base: Int) {
        for interval in intervals {
            let low = lowerBound(interval.minimumTime, from: base)
            let high =
                interval.maximumTime == .max ? count : lowerBound(interval.maximumTime &+ 1, from: low)
            if high > low { removeRange(low..<high) }
        }
    }

    /// The first index from `base` on whose time is not before `timestamp`.
    private func lowerBound(_ timestamp: Timestamp, from base: Int) -> Int {
        var low = base
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if timestamps[middle] < timestamp { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func removeRange(_ range: Range<Int>) {
        timestamps.removeSubrange(range)
        values.removeSubrange(range)
        if startTimestamps.count >= range.upperBound { startTimestamps.removeSubrange(range) }
        guard !histograms.isEmpty else { return }
        histograms.removeAll { range.contains($0.index) }
        for index in histograms.indices where histograms[index].index >= range.upperBound {
            histograms[index].index -= range.count
        }
    }

    /// Takes the samples from `base` on out.
    mutating func split(from base: Int) -> SampleColumns {
        if base == 0 {
            let all = self
            self = SampleColumns()
            return all
        }
        var rest = SampleColumns()
        rest.append(self, from: base)
        removeRange(base..<count)
        return rest
    }

    /// Appends the samples of `other` from index `first` on.
    mutating func append(_ other: SampleColumns, from first: Int = 0) {
        let base = count
        if !other.startTimestamps.isEmpty || !startTimestamps.isEmpty {
            padStartTimestamps(to: base)
            startTimestamps += other.startTimestamps.dropFirst(first)
            padStartTimestamps(to: base + other.count - first)
        }
        timestamps += other.timestamps[first...]
        values += other.values[first...]
        for sample in other.histograms where sample.index >= first {
            var moved = sample
            moved.index = sample.index - first + base
            histograms.append(moved)
        }
    }

    /// The samples of both, by time; where both have one of the same time, that of `left`.
    /// - Complexity: O(both).
    static func merging(_ left: SampleColumns, _ right: SampleColumns) -> SampleColumns {
        if right.count == 0 { return left }
        if left.count == 0 { return right }
        var result = SampleColumns()
        if let last = left.timestamps.last, let first = right.timestamps.first, last < first {
            result = left
            result.append(right)
            return result
        }
        let hasStarts = !left.startTimestamps.isEmpty || !right.startTimestamps.isEmpty
        var i = 0
        var j = 0
        var leftHistogram = 0
        var rightHistogram = 0
        func take(_ source: SampleColumns, _ index: Int, _ histogram: inout Int) {
            if histogram < source.histograms.count && source.histograms[histogram].index == index {
                let sample = source.histograms[histogram]
                result.append(
                    source.timestamps[index], sample.histogram, hasIntegerCounts: sample.hasIntegerCounts)
                result.values[result.count - 1] = source.values[index]
                histogram += 1
            } else {
                result.append(source.timestamps[index], source.values[index])
            }
            if hasStarts {
                result.startTimestamps.append(index < source.startTimestamps.count ? source.startTimestamps[index] : 0)
            }
        }
        while i < left.count || j < right.count {
            if j >= right.count || (i < left.count && left.timestamps[i] <= right.timestamps[j]) {
                if j < right.count && left.timestamps[i] == right.timestamps[j] {
                    if rightHistogram < right.histograms.count && right.histograms[rightHistogram].index == j {
                        rightHistogram += 1
                    }
                    j += 1
                }
                take(left, i, &leftHistogram)
                i += 1
            } else {
                take(right, j, &rightHistogram)
                j += 1
            }
        }
        return result
    }
}
