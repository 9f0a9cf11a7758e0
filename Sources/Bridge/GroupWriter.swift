internal import Gateway
internal import MetricModel
internal import TSDB

/// Writes the samples of groups into one batch of the store.
final class GroupWriter {
    private let database: Database
    private let appender: Appender
    private let owned: OwnedSeries
    private let rules: BridgeRules
    private var samples: [ReferencedSample] = []
    /// One for each sample if starts are stored; else empty.
    private var starts: [Timestamp] = []
    private var numbers: [Double] = []
    private static let instance: ByteString = "instance"
    /// References that the store does not know any more.
    private var lost: Set<SeriesReference> = []
    /// Samples in the batch.
    private(set) var count = 0
    /// Histograms that were left out since they have too many buckets.
    var beyondLimits = 0

    /// Which samples of a family are written.
    enum Extent {
        /// All that were pushed, and their exemplars.
        case pushed
        /// All once more.
        case again
        /// What was pushed of metrics with series that the store has not heard of.
        case unknown
    }

    init(_ database: Database, _ owned: OwnedSeries, _ rules: BridgeRules) {
        self.database = database
        self.owned = owned
        self.rules = rules
        appender = database.appender()
    }

    /// Makes the batch visible; the writer is empty afterwards.
    func commit() throws(TSDB.StoreError) {
        count = 0
        // What cannot be lost with the process is on disk in the gateway's journal.
        _ = try appender.commit(.relaxed)
    }

    /// Writes the samples of one family of a group.
    /// - Parameters:
    ///   - former: Series that the group had under another metric: they go on, and do not begin at zero again.
    /// - Returns: The series among `former` that were taken up again.
    @discardableResult
    func write(
        _ name: ByteString, of group: BridgedGroup, at time: Timestamp, former: Set<SeriesReference> = [],
        extent: Extent
    ) -> Set<SeriesReference> {
        // Taken out, so that members are changed in place.
        guard var family = group.families.removeValue(forKey: name) else { return [] }
        defer { group.families[name] = family }
        var resumed: Set<SeriesReference> = []
        let countsUp = family.countsUp
        var gauges = countsUp ? group.startGauges(of: name) : StartGauges(members: [])
        let needsStarts = countsUp && (extent != .again || rules.storesStarts)
        for index in family.members.indices {
            let detail = family.members[index].detail
            let known = family.members[index].start
            var metric = Metric(name: name, metadata: family.metadata, detail: detail, time: time)
            if needsStarts || countsUp && family.members[index].isIncomplete {
                metric.start = gauges.start(of: family.members[index].stored, detail, at: index)
                family.members[index].start = metric.start
            }
            var isWanted = extent != .unknown
            var isNew = false
            if family.members[index].isIncomplete {
                isNew = complete(&family.members[index], metric, former, &resumed)
                isWanted = isWanted || isNew
            } else if extent == .pushed {
                beginAgain(family.members[index], metric, after: known)
            }
            guard isWanted else { continue }
            add(family.members[index], metric)
            if extent != .again, family.members[index].stored.mayHaveExemplars, let detail {
                addExemplars(of: family.members[index], detail, at: time)
            }
            if rules.passesMetadata, isNew || family.isMetadataNew { passMetadata(family.members[index], metric) }
        }
        family.isMetadataNew = false
        return resumed
    }

    /// A metric of a family at one time.
    private struct Metric {
        let name: ByteString
        let metadata: MetricMetadata
        /// Its value, unless that is but a number.
        let detail: MetricValue?
        let time: Timestamp
        /// When it began to count, if that was told.
        var start: Timestamp?
    }

    private func put(_ reference: SeriesReference, _ time: Timestamp, _ value: Double, start: Timestamp = 0) {
        samples.append(ReferencedSample(reference, time, value))
        if rules.storesStarts { starts.append(start) }
    }

    /// Writes the times of a group.
    func writeTimes(of group: BridgedGroup, at time: Timestamp) {
        for index in group.times.indices {
            if group.times[index].reference == .none {
                var pairs = [(name: Labels.metricName, value: group.times[index].name)]
                pairs += group.key.labels.map { (name: $0.name, value: $0.value) }
                // As in an exposition: the target's own is not meant.
                if !pairs.contains(where: { $0.name == Self.instance }) { pairs.append((Self.instance, "")) }
                let labels = rules.labels(pairs, MetricMetadata(type: .gauge))
                group.times[index].reference = labels.map { reference($0) ?? .none } ?? .dropped
            }
            guard group.times[index].reference.isStored else { continue }
            put(group.times[index].reference, time, group.times[index].seconds)
        }
    }

    /// Writes that series ended.
    func end(_ references: some Sequence<SeriesReference>, at time: Timestamp) {
        let marker = Double(bitPattern: SampleValue.staleBits)
        for reference in references where reference.isStored {
            put(reference, time, marker)
        }
    }

    /// Hands over what was written of `group`. Series that left the store since are made again.
    func finish(_ group: BridgedGroup, at time: Timestamp) {
        hand()
        guard !lost.isEmpty else { return }
        let gone = lost
        lost = []
        owned.remove(gone)
        for index in group.times.indices where gone.contains(group.times[index].reference) {
            group.times[index].reference = .none
        }
        for name in Array(group.families.keys) {
            guard var family = group.families.removeValue(forKey: name) else { continue }
            for index in family.members.indices {
                for place in family.members[index].references.indices
                where gone.contains(family.members[index].references[place]) {
                    family.members[index].references[place] = .none
                    family.members[index].zero = .never
                }
            }
            let isIncomplete = family.members.contains(where: \.isIncomplete)
            group.families[name] = family
            // What the store has already it passes over.
            if isIncomplete { write(name, of: group, at: time, extent: .again) }
        }
        writeTimes(of: group, at: time)
        hand()
        lost = []
    }

    private func hand() {
        guard !samples.isEmpty else { return }
        count += samples.count
        _ = appender.append(samples, starts: starts) { index, error in
            if case .unknownSeries = error { lost.insert(samples[index].reference) }
        }
        samples.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// Finds or makes the series of a metric that are not known yet.
    /// - Returns: Whether the store had not heard of one of them.
    private func complete(
        _ member: inout BridgedGroup.Member, _ metric: Metric, _ former: Set<SeriesReference>,
        _ resumed: inout Set<SeriesReference>
    ) -> Bool {
        var hasNew = false
        let labels = member.form.labels(metric.name, member.stored.labels, metric.metadata, rules)
        let native = native(member, metric)
        for index in member.references.indices where member.references[index] == .none && index < labels.count {
            guard let labels = labels[index] else {
                member.references[index] = .dropped
                continue
            }
            let isNative = index >= member.form.numberCount
            // Buckets that make no histogram, and too many of them, get no series.
            if isNative, native == nil { continue }
            let isKnown = database.reference(of: labels) != nil
            if !isKnown { hasNew = true }
            guard let reference = reference(labels) else { continue }
            member.references[index] = reference
            if former.contains(reference) {
                resumed.insert(reference)
                continue
            }
            let beginsAtZero =
                switch member.zero {
                case .always: true
                case .ifUnknown: !isKnown
                case .never: false
                }
            if beginsAtZero, member.form.startsAtZero(index, in: metric.metadata.type) {
                addZero(reference, labels, isNative ? native : nil, metric)
            }
        }
        member.zero = .never
        return hasNew
    }

    /// Adds zeros where a metric of known series tells a later start than before: it began to count anew. Without them,
    /// a counter that has reached its former value again would seem to stand still.
    private func beginAgain(_ member: BridgedGroup.Member, _ metric: Metric, after known: Timestamp?) {
        guard let start = metric.start, let known, start > known else { return }
        let labels = member.form.labels(metric.name, member.stored.labels, metric.metadata, rules)
        let native = native(member, metric)
        for (index, reference) in member.references.enumerated() where reference.isStored && index < labels.count {
            guard member.form.startsAtZero(index, in: metric.metadata.type), let labels = labels[index] else {
                continue
            }
            let isNative = index >= member.form.numberCount
            if isNative, native == nil { continue }
            addZero(reference, labels, isNative ? native : nil, metric)
        }
    }

    private func passMetadata(_ member: BridgedGroup.Member, _ metric: Metric) {
        for reference in member.references where reference.isStored {
            // A series that left the store since has nothing to note.
            try? appender.update(reference, metadata: metric.metadata)
        }
    }

    /// The native histogram of a metric, if it has one that is stored.
    private func native(_ member: BridgedGroup.Member, _ metric: Metric) -> HistogramValue.NativePart? {
        guard member.form.count > member.form.numberCount, let detail = metric.detail else { return nil }
        switch member.form.nativeHistogram(of: detail, in: metric.metadata.type, rules.histogramLimits) {
        case .fitted(let histogram): return histogram
        case .beyondLimits, nil: return nil
        }
    }

    private func reference(_ labels: Labels) -> SeriesReference? {
        // A series beyond the store's limit is left out, and tried again with the next sample.
        do throws(AppendError) {
            let reference = try appender.reference(of: labels)
            return owned.insert(reference) ? reference : nil
        } catch {
            return nil
        }
    }

    /// A zero at the start that the metric tells, or else, and where that is too old, just before the first sample.
    private func addZero(
        _ reference: SeriesReference, _ labels: Labels, _ native: HistogramValue.NativePart?, _ metric: Metric
    ) {
        let time = metric.time
        let latest = time - 1
        var candidates = [latest]
        if let start = metric.start, start < latest, start > 0 { candidates.insert(start, at: 0) }
        for candidate in candidates {
            do throws(AppendError) {
                if let native {
                    _ = try appender.appendStartZero(
                        reference, labels: labels, start: candidate, before: time, like: native)
                } else {
                    _ = try appender.appendStartZero(reference, labels: labels, start: candidate, before: time)
                }
                count += 1
                return
            } catch {
                continue
            }
        }
    }

    private func add(_ member: BridgedGroup.Member, _ metric: Metric) {
        let time = metric.time
        // A start that lies behind the sample is none.
        let start = metric.start.flatMap { rules.storesStarts && $0 < time ? $0 : nil } ?? 0
        guard member.form != .number, let value = metric.detail else {
            guard let reference = member.references.first, reference.isStored, let number = member.stored.number
            else { return }
            put(reference, time, number, start: start)
            return
        }
        numbers.removeAll(keepingCapacity: true)
        member.form.append(value, to: &numbers)
        for (reference, number) in zip(member.references, numbers) where reference.isStored {
            put(reference, time, number, start: start)
        }
        guard member.form.count > member.form.numberCount, let reference = member.references.last else { return }
        switch member.form.nativeHistogram(of: value, in: metric.metadata.type, rules.histogramLimits) {
        case nil: break
        case .beyondLimits: beyondLimits += 1
        case .fitted(let native): addNative(native, reference, member, metric, start: start)
        }
    }

    private func addNative(
        _ native: HistogramValue.NativePart, _ reference: SeriesReference, _ member: BridgedGroup.Member,
        _ metric: Metric, start: Timestamp
    ) {
        guard reference.isStored else { return }
        let time = metric.time
        do throws(AppendError) {
            let labels = {
                (member.form.labels(metric.name, member.stored.labels, metric.metadata, self.rules).last ?? nil)
                    ?? .empty
            }
            switch native {
            case .integer(let histogram):
                _ = try appender.append(
                    reference, labels: labels(), timestamp: time, histogram: histogram, start: start)
            case .float(let histogram):
                _ = try appender.append(
                    reference, labels: labels(), timestamp: time, floatHistogram: histogram, start: start)
            }
            count += 1
        } catch {
            if case .unknownSeries = error { lost.insert(reference) }
        }
    }

    /// Writes the exemplars of a metric. The store passes over those that it has already.
    private func addExemplars(of member: BridgedGroup.Member, _ value: MetricValue, at time: Timestamp) {
        for (place, exemplar) in member.form.exemplars(of: value) {
            guard member.references.indices.contains(place), member.references[place].isStored else { continue }
            var exemplar = exemplar
            if exemplar.timestamp == nil { exemplar.timestamp = time }
            // Exemplars are a help, not a duty: what cannot be added is left out, as in a scrape.
            try? appender.append(member.references[place], exemplar: exemplar)
        }
    }
}
