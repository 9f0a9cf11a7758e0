import MetricModel
import Scrape
import Synchronization

/// A store in memory that behaves as the real one does towards scrapes.
final class RecordingSink: SampleSink {
    struct Series: Sendable {
        var labels: Labels
        var samples: [(timestamp: Int64, value: Double)] = []
        var histograms: [(timestamp: Int64, value: HistogramValue.NativePart)] = []
        var exemplars: [Exemplar] = []
        var metadata: MetricMetadata?
    }

    struct State {
        var series: [Series] = []
        var references: [Labels: UInt64] = [:]
        var commits = 0
        var rollbacks = 0
        var labelled = 0
        var forgotten: Set<UInt64> = []
    }

    let state = Mutex(State())

    func begin() -> any SampleBatch { Batch(self) }

    /// The samples of the series with `labels`, `stale` for a staleness marker.
    func values(_ labels: Labels) -> [String] {
        state.withLock { state in
            guard let reference = state.references[labels] else { return [] }
            return state.series[Int(reference) - 1].samples.map {
                SampleValue.isStale($0.value) ? "\($0.timestamp):stale" : "\($0.timestamp):\($0.value)"
            }
        }
    }

    func series(_ labels: Labels) -> Series? {
        state.withLock { state in state.references[labels].map { state.series[Int($0) - 1] } }
    }

    /// All series but those about scrapes.
    var scraped: Set<Labels> {
        state.withLock { state in
            Set(
                state.references.keys.filter { labels in
                    let name = labels.metricName?.string ?? ""
                    return name != "up" && !name.hasPrefix("scrape_")
                })
        }
    }

    var labelledAppends: Int { state.withLock { $0.labelled } }

    /// Makes all references unknown, as the store's garbage collection may.
    func forgetReferences() {
        state.withLock { state in state.forgotten.formUnion((0..<state.series.count).map { UInt64($0 + 1) }) }
    }

    /// A batch: its samples reach the series with the commit.
    final class Batch: SampleBatch {
        private let sink: RecordingSink
        private var changes: [(inout State) -> Void] = []
        private var newest: [UInt64: (Int64, Double)] = [:]

        init(_ sink: RecordingSink) { self.sink = sink }

        private func check(_ reference: UInt64, _ timestamp: Int64, _ value: Double) throws(SampleRejection) {
            let known = sink.state.withLock { state -> (Int64, Double)? in
                state.series[Int(reference) - 1].samples.last.map { ($0.timestamp, $0.value) }
            }
            guard let last = newest[reference] ?? known else {
                newest[reference] = (timestamp, value)
                return
            }
            if timestamp < last.0 { throw .outOfOrder }
            if timestamp == last.0, value.bitPattern != last.1.bitPattern { throw .duplicate }
            newest[reference] = (timestamp, value)
        }

        func append(_ samples: UnsafeBufferPointer<BatchSample>, rejected: (Int, SampleRejection) -> Void) {
            for (index, sample) in samples.enumerated() {
                let isKnown = sink.state.withLock { state in
                    sample.reference >= 1 && sample.reference <= state.series.count
                        && !state.forgotten.contains(sample.reference)
                }
                guard isKnown else {
                    rejected(index, .unknownSeries)
                    continue
                }
                do throws(SampleRejection) {
                    try check(sample.reference, sample.timestamp, sample.value)
                    changes.append {
                        $0.series[Int(sample.reference) - 1].samples.append((sample.timestamp, sample.value))
                    }
                } catch {
                    rejected(index, error)
                }
            }
        }

        private func reference(_ labels: Labels) -> UInt64 {
            sink.state.withLock { state in
                state.labelled += 1
                if let known = state.references[labels] {
                    state.forgotten.remove(known)
                    return known
                }
                state.series.append(Series(labels: labels))
                let reference = UInt64(state.series.count)
                state.references[labels] = reference
                return reference
            }
        }

        func append(
            _ labels: Labels, timestamp: Timestamp, value: Double, start: Timestamp
        ) throws(SampleRejection) -> UInt64 {
            let reference = reference(labels)
            try check(reference, timestamp, value)
            changes.append { $0.series[Int(reference) - 1].samples.append((timestamp, value)) }
            return reference
        }

        func append(
            _ reference: UInt64, _ labels: () -> Labels, timestamp: Timestamp, histogram: HistogramValue.NativePart,
            start: Timestamp
        ) throws(SampleRejection) -> UInt64 {
            let reference = reference == 0 ? self.reference(labels()) : reference
            changes.append { $0.series[Int(reference) - 1].histograms.append((timestamp, histogram)) }
            return reference
        }

        func appendStartZero(
            _ reference: UInt64, _ labels: () -> Labels, start: Timestamp, before timestamp: Timestamp,
            histogram: HistogramValue.NativePart?
        ) throws(SampleRejection) {
            let reference = reference == 0 ? self.reference(labels()) : reference
            try check(reference, start, 0)
            changes.append { $0.series[Int(reference) - 1].samples.append((start, 0)) }
        }

        func append(_ reference: UInt64, exemplar: Exemplar) throws(SampleRejection) {
            changes.append { $0.series[Int(reference) - 1].exemplars.append(exemplar) }
        }

        func update(_ reference: UInt64, metadata: MetricMetadata) {
            changes.append { $0.series[Int(reference) - 1].metadata = metadata }
        }

        func commit() throws {
            sink.state.withLock { state in
                for change in changes { change(&state) }
                state.commits += 1
            }
            changes = []
        }

        func rollback() {
            sink.state.withLock { $0.rollbacks += 1 }
            changes = []
        }
    }
}
