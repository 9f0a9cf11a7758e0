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
    private var numbers: [Double] = []
    private static let instance: ByteString = "instance"
    /// References that the store does not know any more.
    private var lost: Set<SeriesReference> = []
    /// Samples in the batch.
    private(set) var count = 0

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
        for index in family.members.indices {
            var isWanted = extent != .unknown
            if family.members[index].isIncomplete {
                let start = group.start(of: family.members[index].stored, in: name, at: index)
                let hasNew = complete(
                    &family.members[index], name, family.type, at: time, start: start, former, &resumed)
                isWanted = isWanted || hasNew
            }
            guard isWanted else { continue }
            add(family.members[index], name, family.type, at: time)
            if extent != .again, family.members[index].stored.mayHaveExemplars {
                addExemplars(of: family.members[index], at: time)
            }
        }
        return resumed
    }

    /// Writes the times of a group.
    func writeTimes(of group: BridgedGroup, at time: Timestamp) {
        for index in group.times.indices {
            if group.times[index].reference == .none {
                var pairs = [(name: Labels.metricName, value: group.times[index].name)]
                pairs += group.key.labels.map { (name: $0.name, value: $0.value) }
                // As in an exposition: the target's own is not meant.
                if !pairs.contains(where: { $0.name == Self.instance }) { pairs.append((Self.instance, "")) }
                group.times[index].reference = rules.labels(pairs).map { reference($0) ?? .none } ?? .dropped
            }
            guard group.times[index].reference.isStored else { continue }
            samples.append(ReferencedSample(group.times[index].reference, time, group.times[index].seconds))
        }
    }

    /// Writes that series ended.
    func end(_ references: some Sequence<SeriesReference>, at time: Timestamp) {
        let marker = Double(bitPattern: SampleValue.staleBits)
        for reference in references where reference.isStored {
            samples.append(ReferencedSample(reference, time, marker))
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
        _ = appender.append(samples) { index, error in
            if case .unknownSeries = error { lost.insert(samples[index].reference) }
        }
        samples.removeAll(keepingCapacity: true)
    }

    /// Finds or makes the series of a metric that are not known yet.
    /// - Returns: Whether the store had not heard of one of them.
    private func complete(
        _ member: inout BridgedGroup.Member, _ name: ByteString, _ type: MetricType, at time: Timestamp,
        start: Timestamp?, _ former: Set<SeriesReference>, _ resumed: inout Set<SeriesReference>
    ) -> Bool {
        var hasNew = false
        let labels = member.form.labels(name, member.stored.labels, rules)
        for index in member.references.indices where member.references[index] == .none && index < labels.count {
            guard let labels = labels[index] else {
                member.references[index] = .dropped
                continue
            }
            let native = index >= member.form.numberCount ? member.native(in: type) : nil
            // Buckets that make no histogram get no series.
            if index >= member.form.numberCount, native == nil { continue }
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
            if beginsAtZero, member.form.startsAtZero(index, in: type) {
                addZero(reference, labels, native, before: time, start: start)
            }
        }
        member.zero = .never
        return hasNew
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
        _ reference: SeriesReference, _ labels: Labels, _ native: HistogramValue.NativePart?, before time: Timestamp,
        start: Timestamp?
    ) {
        let latest = time - 1
        var candidates = [latest]
        if let start, start < latest, start > 0 { candidates.insert(start, at: 0) }
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

    private func add(_ member: BridgedGroup.Member, _ name: ByteString, _ type: MetricType, at time: Timestamp) {
        if member.form == .number {
            guard let reference = member.references.first, reference.isStored, let number = member.stored.number
            else { return }
            samples.append(ReferencedSample(reference, time, number))
            return
        }
        let value = member.stored.value
        numbers.removeAll(keepingCapacity: true)
        member.form.append(value, to: &numbers)
        for (reference, number) in zip(member.references, numbers) where reference.isStored {
            samples.append(ReferencedSample(reference, time, number))
        }
        guard let native = member.native(in: type), let reference = member.references.last, reference.isStored else {
            return
        }
        do throws(AppendError) {
            let labels = { (member.form.labels(name, member.stored.labels, self.rules).last ?? nil) ?? .empty }
            switch native {
            case .integer(let histogram):
                _ = try appender.append(reference, labels: labels(), timestamp: time, histogram: histogram)
            case .float(let histogram):
                _ = try appender.append(reference, labels: labels(), timestamp: time, floatHistogram: histogram)
            }
            count += 1
        } catch {
            if case .unknownSeries = error { lost.insert(reference) }
        }
    }

    /// Writes the exemplars of a metric. The store passes over those that it has already.
    private func addExemplars(of member: BridgedGroup.Member, at time: Timestamp) {
        for (place, exemplar) in member.form.exemplars(of: member.stored.value) {
            guard member.references.indices.contains(place), member.references[place].isStored else { continue }
            var exemplar = exemplar
            if exemplar.timestamp == nil { exemplar.timestamp = time }
            // Exemplars are a help, not a duty: what cannot be added is left out, as in a scrape.
            try? appender.append(member.references[place], exemplar: exemplar)
        }
    }
}

extension BridgedGroup.Member {
    /// The native histogram, if one is stored.
    fileprivate func native(in type: MetricType) -> HistogramValue.NativePart? {
        form.count > form.numberCount ? form.nativeHistogram(of: stored.value, in: type) : nil
    }
}
