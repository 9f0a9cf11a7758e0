package import MetricModel

/// Many samples in one call: the way of scrapes, remote writes and pushes.
extension Appender {
    /// Adds many numbers in one call: the way of scrapes and remote writes.
    /// - Parameters:
    ///   - samples: With references that are known.
    ///   - starts: One start timestamp for each sample, 0 where unknown; or none at all.
    ///   - rejected: Called for each sample that is not taken, with its index and the reason. It must not call the
    ///     database or this appender.
    /// - Returns: how many were taken.
    /// - Complexity: O(samples); no allocation a sample.
    package func append(
        _ samples: UnsafeBufferPointer<ReferencedSample>, starts: [Timestamp] = [],
        rejected: (Int, AppendError) -> Void
    ) -> Int {
        guard !samples.isEmpty else { return 0 }
        begin()
        let limits = self.limits
        let number = self.number
        let buffer = self.buffer
        var taken = 0
        head.series.forEach(of: samples) { index, found in
            let sample = samples[index]
            guard let found else { return rejected(index, .unknownSeries(sample.reference)) }
            // SAFETY: the head holds its series while it goes over them.
            found._withUnsafeGuaranteedRef { series in
                let start = index < starts.count ? starts[index] : 0
                switch add(sample.timestamp, sample.value, start, to: series, number, limits, buffer) {
                case nil: rejected(index, .unknownSeries(sample.reference))
                case .refused(let error): rejected(index, error)
                case .inOrder, .repeated, .outOfOrder: taken &+= 1
                }
            }
        }
        return taken
    }

    /// Adds many numbers in one call.
    package func append(
        _ samples: [ReferencedSample], starts: [Timestamp] = [], rejected: (Int, AppendError) -> Void
    ) -> Int {
        samples.withUnsafeBufferPointer { append($0, starts: starts, rejected: rejected) }
    }

    /// Adds many numbers, whose series are told by their labels; series that are new are made.
    ///
    /// The lock of all series is taken twice for some hundreds of samples, not for each: others that append at the same
    /// time would spend more on waiting than on their work.
    /// - Parameters:
    ///   - samples: With labels as ``LabelledSamples`` demands.
    ///   - isSound: Whether labels of a new series may be stored.
    ///   - rejected: Called for each sample that is not taken, with its index and the reason, in no order; unsound
    ///     labels are ``AppendError/invalidLabels(_:)``. It must not call the database or this appender.
    /// - Returns: how many were taken.
    /// - Complexity: O(bytes of the labels); no allocation a sample of a known series.
    package func append(
        _ samples: borrowing LabelledSamples, isSound: (Labels) -> Bool, rejected: (Int, AppendError) -> Void
    ) -> Int {
        guard samples.count > 0 else { return 0 }
        begin()
        let limits = self.limits
        let number = self.number
        let buffer = self.buffer
        var taken = 0
        var unknown: [Int] = []
        var start = 0
        while start < samples.count {
            let end = min(samples.count, start + SeriesMap.pieceSize)
            head.series.forEach(of: samples, in: start..<end) { index, row, series in
                let start = samples.start(at: index)
                switch series.map({ add(row.timestamp, row.value, start, to: $0, number, limits, buffer) }) ?? nil {
                case nil: unknown.append(index)
                case .refused(let error): rejected(index, error)
                case .inOrder, .repeated, .outOfOrder: taken &+= 1
                }
            }
            if !unknown.isEmpty {
                taken &+= appendNew(samples, unknown, isSound, rejected)
                unknown.removeAll(keepingCapacity: true)
            }
            start = end
        }
        return taken
    }

    /// Adds the samples at `indices`, whose series are to be made.
    private func appendNew(
        _ samples: borrowing LabelledSamples, _ indices: [Int], _ isSound: (Labels) -> Bool,
        _ rejected: (Int, AppendError) -> Void
    ) -> Int {
        var wanted: [SeriesMap.Wanted] = []
        wanted.reserveCapacity(indices.count)
        for index in indices {
            let labels = samples.labels(at: index)
            guard !labels.isEmpty, isSound(labels) else {
                rejected(index, .invalidLabels(labels.isEmpty ? "empty labelset" : labels.description))
                continue
            }
            wanted.append(SeriesMap.Wanted(index: index, labels: labels, hash: samples.rows[index].hash))
        }
        let limit = head.setup.maximumSeries
        var taken = 0
        var removed: [SeriesMap.Wanted] = []
        var created: UInt64 = 0
        head.series.forEachMade(wanted, limit: limit) { one, series, isNew in
            guard let series else { return rejected(one.index, .seriesLimit(limit)) }
            if isNew { created &+= 1 }
            let row = samples.rows[one.index]
            switch add(row.timestamp, row.value, samples.start(at: one.index), to: series, number, limits, buffer) {
            case nil: removed.append(one)
            case .refused(let error): rejected(one.index, error)
            case .inOrder, .repeated, .outOfOrder: taken &+= 1
            }
        }
        head.counters.seriesCreated.add(created, ordering: .relaxed)
        // A series that is just being removed leaves the map in a moment.
        for one in removed {
            let row = samples.rows[one.index]
            do throws(AppendError) {
                _ = try append(
                    .none, labels: one.labels, timestamp: row.timestamp, value: row.value,
                    start: samples.start(at: one.index))
                taken &+= 1
            } catch { rejected(one.index, error) }
        }
        return taken
    }

    /// Puts a number into the buffer, if it can be taken.
    /// - Returns: what was found; nil if the series was just removed from the head.
    @inline(__always)
    private func add(
        _ timestamp: Timestamp, _ value: Double, _ start: Timestamp, to series: MemorySeries, _ number: UInt64,
        _ limits: AppendLimits, _ buffer: AppendBuffer
    ) -> AppendVerdict? {
        var kind = SampleKind.none
        let verdict: AppendVerdict? = series.lock.withLock { _ in
            if series.isRemoved { return nil }
            series.touchedBy = max(series.touchedBy, number)
            kind = series.kind
            series.floats.prefetchEnd()
            return series.verdict(timestamp, value, limits)
        }
        switch verdict {
        case nil: break
        case .refused(let error):
            head.counters.count(error)
            head.counters.noteLateness(timestamp, limits)
        case .inOrder, .repeated, .outOfOrder:
            if case .outOfOrder = verdict { head.counters.noteLateness(timestamp, limits) }
            if SampleValue.isStale(value), let stale = stale(series, kind) {
                buffer.add(timestamp, stale, start: start, series)
            } else {
                let sample = ReferencedSample(SeriesReference(rawValue: series.reference), timestamp, value)
                buffer.add(sample, start: start, series)
            }
        }
        return verdict
    }
}
