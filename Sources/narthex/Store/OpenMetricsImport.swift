import DurableFiles
import Exposition
import MetricModel
import TSDB
import Web

/// Blocks from an OpenMetrics text, as `promtool tsdb create-blocks-from openmetrics` makes them.
///
/// The text is read once to find its times, and once for each range of time that has samples, so that the samples of
/// one block are in memory at a time. Samples need not be in order; of a series and time the first counts.
struct OpenMetricsImport {
    private let file: String
    private let directory: String
    private let duration: Int64
    private let labels: [(name: ByteString, value: ByteString)]
    private let flags: ParsedFlags
    private static let smallestBlock: Int64 = 2 * 3_600_000

    init(_ flags: ParsedFlags) throws {
        self.flags = flags
        file = flags.argument("input file").first ?? ""
        directory = flags.argument("output directory").first ?? "data/"
        labels = try flags.all("label").map { text in
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else {
                throw CommandLineError("expected KEY=VALUE got '\(text)'")
            }
            return (ByteString(String(text[..<mark])), ByteString(String(text[text.index(after: mark)...])))
        }
        // The longest of the lengths that compaction makes which is not longer than what was asked for.
        let asked = flags.duration("max-block-duration").components.seconds * 1000
        var length = Self.smallestBlock
        for _ in 1..<10 where length * 3 <= asked { length *= 3 }
        duration = length
    }

    func run() throws {
        let disk = POSIXFileSystem()
        let mapped = try disk.map(file)
        try disk.makeDirectory(directory)
        try mapped.withUnsafeBytes { bytes in try run(bytes.bindMemory(to: UInt8.self), disk) }
    }

    private func run(_ bytes: UnsafeBufferPointer<UInt8>, _ disk: POSIXFileSystem) throws {
        guard let times = try times(bytes) else { return }
        var hasHeader = false
        var next = times.lowerBound
        for range in Backfill.ranges(from: times.lowerBound, to: times.upperBound, duration: duration)
        where range.contains(next) {
            var backfill = Backfill(directory, from: range.lowerBound, to: range.upperBound, on: disk)
            next = try fill(&backfill, bytes)
            var generator = SystemRandomNumberGenerator()
            guard let meta = try backfill.finish(ulid: ULID(time: ProcessFacts.now, using: &generator)),
                !flags.isOn("quiet")
            else { continue }
            let block = try Block(PathName.join(directory, meta.ulid.description), on: disk)
            Command.print(BlockListing.table([block], flags, withHeader: !hasHeader), to: 1)
            hasHeader = true
        }
    }

    /// The first and last time in the text; nil without samples.
    private func times(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ClosedRange<Timestamp>? {
        var reader = ExpositionReader(bytes, .openMetrics)
        var first = Timestamp.max
        var last = Timestamp.min
        do {
            while let entry = try reader.next() {
                guard entry == .series else { continue }
                guard let time = reader.timestamp else {
                    throw CommandLineError("expected timestamp for series got none")
                }
                first = min(first, time)
                last = max(last, time)
            }
        } catch let error as ParseError {
            throw CommandLineError("getting min and max timestamp: next: \(error)")
        } catch {
            throw CommandLineError("getting min and max timestamp: \(error)")
        }
        return first <= last ? first...last : nil
    }

    /// Adds the samples of the range.
    /// - Returns: the first time behind it.
    private func fill(_ backfill: inout Backfill, _ bytes: UnsafeBufferPointer<UInt8>) throws -> Timestamp {
        var reader = ExpositionReader(bytes, .openMetrics)
        var next = Timestamp.max
        while let entry = try reader.next() {
            guard entry == .series, let time = reader.timestamp else { continue }
            if time > backfill.end { next = min(next, time) }
            guard time >= backfill.start, time <= backfill.end else { continue }
            var builder = LabelsBuilder(reader.labels)
            for label in labels { builder.set(label.name, label.value) }
            backfill.append(builder.labels(), .float(time, reader.value, start: 0))
        }
        return next
    }
}
