package import MetricModel

/// What `meta.json` says about a block.
///
/// Source: prometheus/prometheus tsdb/block.go (`BlockMeta`); fields that are 0 or empty are left out there as here.
package struct BlockMeta: Sendable, Equatable {
    /// Numbers of things in the block.
    package struct Stats: Sendable, Equatable {
        /// Of all kinds.
        package var samples: UInt64 = 0
        /// Numbers.
        package var floatSamples: UInt64 = 0
        /// Native histograms.
        package var histogramSamples: UInt64 = 0
        /// Series with samples.
        package var series: UInt64 = 0
        /// Chunks of all series.
        package var chunks: UInt64 = 0
        /// Ranges that are deleted but still there.
        package var tombstones: UInt64 = 0

        /// Zeros.
        package init() {}
    }

    /// A block that went into this one.
    package struct Parent: Sendable, Equatable {
        /// Its name.
        package var ulid: ULID
        /// First millisecond.
        package var minimumTime: Timestamp
        /// Millisecond after the last.
        package var maximumTime: Timestamp
    }

    /// Its name and directory.
    package var ulid: ULID
    /// First millisecond.
    package var minimumTime: Timestamp
    /// Millisecond after the last.
    package var maximumTime: Timestamp
    /// Numbers of things in it.
    package var stats = Stats()
    /// How often its samples were compacted; 1 for blocks of the head.
    package var level = 1
    /// The level 1 blocks whose samples it holds.
    package var sources: [ULID] = []
    /// Whether it turned out to have no samples.
    package var isDeletable = false
    /// The blocks it was made from.
    package var parents: [Parent] = []
    /// Whether a compaction of it failed.
    package var compactionFailed = false
    /// ``outOfOrderHint`` and others.
    package var hints: [String] = []

    /// The hint that all samples came out of order.
    package static let outOfOrderHint = "from-out-of-order"
    /// The hint of a block that was written from series that had ended.
    package static let staleSeriesHint = "from-stale-series"

    /// Whether the head may hold more samples in order of the block's time.
    package var isPartial: Bool {
        hints.contains { $0 == Self.outOfOrderHint || Self.partialHints.contains($0) }
    }
    /// Hints of blocks that hold a part of the head only; such blocks are compacted apart from others.
    package static let partialHints = [staleSeriesHint, "from-selected-series"]

    /// A block from `minimumTime` to before `maximumTime`.
    package init(ulid: ULID, minimumTime: Timestamp, maximumTime: Timestamp) {
        self.ulid = ulid
        self.minimumTime = minimumTime
        self.maximumTime = maximumTime
    }

    /// Whether the block may have samples from `start` to `end`, both included.
    package func overlaps(_ start: Timestamp, _ end: Timestamp) -> Bool { minimumTime <= end && start < maximumTime }

    /// What a block made from `blocks` is; the level is one above theirs.
    ///
    /// Source: prometheus/prometheus tsdb/compact.go (`CompactBlockMetas`).
    package init(compacting blocks: [BlockMeta], ulid: ULID) {
        self.init(
            ulid: ulid, minimumTime: blocks.map(\.minimumTime).min() ?? 0,
            maximumTime: blocks.map(\.maximumTime).max() ?? 0)
        level = (blocks.map(\.level).max() ?? 0) + 1
        sources = Set(blocks.flatMap(\.sources)).sorted()
        parents = blocks.map {
            Parent(ulid: $0.ulid, minimumTime: $0.minimumTime, maximumTime: $0.maximumTime)
        }
        let shared = blocks.map { Set($0.hints) }.reduce(nil as Set<String>?) { $0?.intersection($1) ?? $1 }
        hints = (shared ?? []).sorted()
    }
}

// MARK: JSON

extension BlockMeta {
    /// The content of `meta.json`, as Prometheus writes it.
    package var json: [UInt8] {
        var fields = [
            "\"ulid\": \"\(ulid)\"", "\"minTime\": \(minimumTime)", "\"maxTime\": \(maximumTime)",
        ]
        fields.append("\"stats\": " + Self.object(statsFields, depth: 1))
        var compaction = ["\"level\": \(level)"]
        if !sources.isEmpty {
            compaction.append("\"sources\": " + Self.array(sources.map { "\"\($0)\"" }, depth: 2))
        }
        if isDeletable { compaction.append("\"deletable\": true") }
        if !parents.isEmpty {
            let objects = parents.map { parent in
                Self.object(
                    [
                        "\"ulid\": \"\(parent.ulid)\"", "\"minTime\": \(parent.minimumTime)",
                        "\"maxTime\": \(parent.maximumTime)",
                    ], depth: 3)
            }
            compaction.append("\"parents\": " + Self.array(objects, depth: 2))
        }
        if compactionFailed { compaction.append("\"failed\": true") }
        if !hints.isEmpty {
            let texts = hints.map { "\"" + $0.filter { $0 != "\"" && $0 != "\\" } + "\"" }
            compaction.append("\"hints\": " + Self.array(texts, depth: 2))
        }
        fields.append("\"compaction\": " + Self.object(compaction, depth: 1))
        fields.append("\"version\": 1")
        return Array(Self.object(fields, depth: 0).utf8)
    }

    private var statsFields: [String] {
        let all: [(String, UInt64)] = [
            ("numSamples", stats.samples), ("numFloatSamples", stats.floatSamples),
            ("numHistogramSamples", stats.histogramSamples), ("numSeries", stats.series), ("numChunks", stats.chunks),
            ("numTombstones", stats.tombstones),
        ]
        return all.filter { $0.1 != 0 }.map { "\"\($0.0)\": \($0.1)" }
    }

    private static func object(_ fields: [String], depth: Int) -> String { list(fields, "{", "}", depth) }
    private static func array(_ items: [String], depth: Int) -> String { list(items, "[", "]", depth) }

    private static func list(_ items: [String], _ open: String, _ close: String, _ depth: Int) -> String {
        guard !items.isEmpty else { return open + close }
        let indent = String(repeating: "\t", count: depth)
        return open + "\n" + items.map { indent + "\t" + $0 }.joined(separator: ",\n") + "\n" + indent + close
    }

    /// The meaning of `meta.json`; `path` is named in errors.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)``.
    package init(json bytes: [UInt8], path: String) throws(StoreError) {
        func corrupt(_ reason: String, _ offset: Int = 0) -> StoreError {
            .corrupt(path: path, offset: Int64(offset), reason: reason)
        }
        let root: JSONDocument
        do throws(JSONDocument.Fault) { root = try JSONDocument.parse(bytes) } catch {
            throw corrupt("not valid JSON: \(error.reason)", error.offset)
        }
        guard root["version"].whole == 1 else {
            throw corrupt("unexpected meta file version \(root["version"].whole ?? 0)")
        }
        guard let ulid = Self.ulid(root["ulid"]), let minimum = root["minTime"].whole,
            let maximum = root["maxTime"].whole
        else { throw corrupt("ulid, minTime or maxTime is missing or wrong") }
        guard minimum <= maximum else { throw corrupt("minTime \(minimum) is after maxTime \(maximum)") }
        self.init(ulid: ulid, minimumTime: minimum, maximumTime: maximum)
        let numbers = root["stats"]
        func number(_ name: String) -> UInt64 { UInt64(clamping: numbers[name].whole ?? 0) }
        stats.samples = number("numSamples")
        stats.floatSamples = number("numFloatSamples")
        stats.histogramSamples = number("numHistogramSamples")
        stats.series = number("numSeries")
        stats.chunks = number("numChunks")
        stats.tombstones = number("numTombstones")
        let compaction = root["compaction"]
        level = Int(clamping: compaction["level"].whole ?? 0)
        sources = compaction["sources"].elements.compactMap(Self.ulid)
        isDeletable = compaction["deletable"].isTrue
        compactionFailed = compaction["failed"].isTrue
        hints = compaction["hints"].elements.compactMap { $0.string?.string }
        parents = compaction["parents"].elements.compactMap { item in
            guard let parent = Self.ulid(item["ulid"]) else { return nil }
            return Parent(
                ulid: parent, minimumTime: item["minTime"].whole ?? 0, maximumTime: item["maxTime"].whole ?? 0)
        }
    }

    private static func ulid(_ field: JSONDocument) -> ULID? { field.string.flatMap { ULID($0.string) } }
}
