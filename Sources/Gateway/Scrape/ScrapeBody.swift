internal import Exposition
package import MetricModel
internal import Synchronization

/// The body of a scrape, made while it is sent: whoever sends it takes one piece after the other, and memory is needed
/// for those in between only. What it shows is the state at one moment, however long it takes.
///
/// It can be handed from thread to thread.
package final class ScrapeBody: Sendable {
    /// Where the walk over the families is.
    fileprivate struct Walk {
        /// The stored families that are still to be written, the last first; those that are written are let go.
        var families: [FamilyView]
        let filter: ScrapeFilter
        /// What the process exposes itself, by name, as far as it is not written yet.
        var own: ArraySlice<MetricFamily>
        var writer: FamilyWriter
        var isFinished = false
    }

    private let walk: Mutex<Walk>

    init(_ scrape: Scrape, own: [MetricFamily], format: ExpositionFormat, coding: Scrape.Coding) {
        walk = Mutex(
            Walk(
                families: scrape.view.families.reversed(), filter: scrape.filter,
                own: own.filter { !$0.metrics.isEmpty }.sorted { $0.name < $1.name }[...],
                writer: FamilyWriter(
                    format, filter: scrape.filter, isGzipped: coding == .gzip,
                    seriesCount: scrape.view.families.reduce(0) { $0 + $1.shownCount })))
    }

    /// The next pieces of the body, in order, none of them empty; nil behind the last.
    /// - Parameter count: At least so many bytes, unless the body ends before, and seldom more than a piece beyond.
    /// - Complexity: O(what is encoded + pieces).
    package func next(atLeast count: Int) -> [[UInt8]]? {
        walk.withLock { walk in
            var pieces: [[UInt8]] = []
            var total = 0
            while total < count, !walk.isFinished {
                walk.advance()
                for part in walk.writer.takeParts() {
                    total += part.count
                    pieces.append(part)
                }
            }
            return pieces.isEmpty ? nil : pieces
        }
    }

    /// Whether all pieces were taken.
    package var isFinished: Bool { walk.withLock { $0.isFinished } }

    /// What was not taken yet in one array, for tests and small bodies.
    /// - Complexity: O(bytes).
    package var bytes: [UInt8] { (next(atLeast: .max) ?? []).flatMap { $0 } }
}

extension ScrapeBody.Walk {
    /// Goes on by a chunk, or to the next family.
    mutating func advance() {
        if writer.step() { return }
        guard let family = families.last else {
            if let first = own.popFirst() { return writer.append(first) }
            writer.finish()
            isFinished = true
            return
        }
        if let first = own.first, first.name < family.name {
            own.removeFirst()
            return writer.append(first)
        }
        families.removeLast()
        if let first = own.first, first.name == family.name {
            own.removeFirst()
            writer.append(family.joined(with: first, filteredBy: filter))
        } else {
            writer.begin(family)
        }
    }
}

extension FamilyView {
    /// The series that are shown and pass a filter, in order.
    private func shownSeries(filteredBy filter: ScrapeFilter) -> [PackedSeries] {
        var series: [PackedSeries] = []
        for entry in entries {
            entry.chunk.all.forEach { one in
                if shows(one), filter.includes(one, of: name) { series.append(one.series) }
            }
        }
        return series
    }

    /// The family as the model has it, with the series that are shown, in upstream's order.
    /// - Complexity: O(series), with several allocations each.
    package var family: MetricFamily { family(filteredBy: ScrapeFilter()) }

    /// The family with the series that are shown and pass a filter.
    func family(filteredBy filter: ScrapeFilter) -> MetricFamily {
        MetricFamily(
            name: name, help: help, type: type, unit: unit, metrics: shownSeries(filteredBy: filter).map(\.metric))
    }

    /// Our own family with the pushed series that joined it; the help is ours.
    fileprivate func joined(with own: MetricFamily, filteredBy filter: ScrapeFilter) -> MetricFamily {
        var all = own.metrics.map { metric in
            PackedSeries(
                labels: metric.labels.sorted { $0.name < $1.name }, value: metric.value, type: own.type,
                isExposable: true)
        }
        all.append(contentsOf: shownSeries(filteredBy: filter))
        all.sort { PackedSeries.compare($0, $1) < 0 }
        var family = own
        family.metrics = all.map(\.metric)
        return family
    }
}
