import MetricModel
import TSDB
import TestSupport
import Testing

/// A sample, small enough to be compared millions of times.
struct CrashSample: Hashable, Sendable {
    /// The hash of the labels.
    let series: UInt64
    let time: Timestamp
    /// The bits of a number, or of a histogram's sum and count.
    let value: UInt64

    init(_ labels: Labels, _ time: Timestamp, _ value: Double) {
        series = labels.hash64
        self.time = time
        self.value = value.bitPattern
    }

    init(_ labels: Labels, _ time: Timestamp, _ histogram: FloatHistogram) {
        series = labels.hash64
        self.time = time
        value = histogram.sum.bitPattern &* 31 &+ histogram.count.bitPattern
    }

    /// Everything that a store answers.
    static func all(_ database: Database) throws -> [CrashSample] {
        var found: [CrashSample] = []
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            for sample in columns.histograms {
                found.append(CrashSample(series.labels, columns.timestamps[sample.index], sample.histogram))
            }
            let histograms = Set(columns.histograms.map(\.index))
            for index in 0..<columns.count where !histograms.contains(index) {
                found.append(CrashSample(series.labels, columns.timestamps[index], columns.values[index]))
            }
        }
        return found
    }
}

/// What a store was asked to keep and to forget, up to a moment.
struct CrashHistory {
    /// Samples that were acknowledged as synced.
    private(set) var acknowledged: Set<CrashSample> = []
    /// Samples of commits that were begun.
    private(set) var attempted: Set<CrashSample> = []
    /// Samples of one record each that were not acknowledged: all of them are there, or none.
    private(set) var open: [Set<CrashSample>] = []
    /// The same of late samples, whose log is synced by commits that have some.
    private(set) var openLate: [Set<CrashSample>] = []
    /// Records of commits that failed: they may be there too, whole.
    private(set) var doubtful: [Set<CrashSample>] = []
    /// Samples that a deletion or retention that was begun may have removed.
    private(set) var doomed: Set<CrashSample> = []
    /// Samples whose deletion was acknowledged.
    private(set) var deleted: Set<CrashSample> = []

    mutating func begin(_ records: [Set<CrashSample>], late: Bool = false) {
        for record in records { attempted.formUnion(record) }
        if late { openLate += records } else { open += records }
    }

    /// All that was begun is durable; of late samples only if `late`.
    mutating func acknowledge(late: Bool = true) {
        for record in open + (late ? openLate : []) { acknowledged.formUnion(record) }
        open = []
        if late { openLate = [] }
    }

    /// The newest `count` records were refused.
    mutating func doubt(_ count: Int, late: Bool) {
        if late {
            doubtful += openLate.suffix(count)
            openLate.removeLast(min(count, openLate.count))
        } else {
            doubtful += open.suffix(count)
            open.removeLast(min(count, open.count))
        }
    }

    mutating func doom(_ isMeant: (CrashSample) -> Bool) { doomed.formUnion(attempted.filter(isMeant)) }

    mutating func delete(_ isMeant: (CrashSample) -> Bool) { deleted.formUnion(attempted.filter(isMeant)) }

    /// Expects of what a store answers that it holds what it must, and nothing that it must not.
    func check(_ samples: [CrashSample], _ comment: Comment) {
        let found = Set(samples)
        #expect(found.count == samples.count, "samples twice; \(comment)")
        let lost = acknowledged.subtracting(doomed).subtracting(found)
        #expect(lost.isEmpty, "lost \(lost); \(comment)")
        let invented = found.subtracting(attempted)
        #expect(invented.isEmpty, "invented \(invented); \(comment)")
        let risen = found.intersection(deleted)
        #expect(risen.isEmpty, "deleted \(risen); \(comment)")
        for record in open + openLate + doubtful {
            let rest = record.subtracting(doomed)
            let there = rest.intersection(found)
            #expect(there.isEmpty || there == rest, "\(there.count) of \(rest.count) of a record; \(comment)")
        }
    }
}

/// A disk before one of its operations, and what the store on it had promised by then.
struct CrashMoment: Sendable {
    let disk: SimulatedDisk
    let history: CrashHistory
}
