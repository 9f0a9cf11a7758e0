internal import MetricModel
internal import YAML

/// What the file says about the store; flags say the rest.
///
/// Source: prometheus/prometheus config/config.go (`StorageConfig`, `TSDBConfig`).
package struct StorageConfiguration: Sendable, Hashable {
    /// How long samples are kept, by three limits; zero is no limit.
    package struct Retention: Sendable, Hashable {
        /// `time`.
        package var time = PrometheusDuration.zero
        /// `size`: of all blocks, the log and the chunks of the head.
        package var size = ByteSize(bytes: 0)
        /// Of the disk, from 0 to 100.
        package var percentage = 0.0

        /// No limits.
        package init() {}
    }

    /// How late a sample may come.
    package var outOfOrderTimeWindow = PrometheusDuration.zero
    /// `stale_series_compaction_threshold`: share of ended series in the head, 0 to 1, from which on they are moved to blocks; 0
    /// for never.
    package var staleSeriesCompactionThreshold = 0.0
    /// `xor`, `xor2` or empty for the default.
    package var floatChunkEncoding = ""
    /// `retention`: how long samples are kept.
    package var retention = Retention()
    /// How many exemplars are kept; nil for the default.
    package var maximumExemplars: Int64?

    /// The defaults.
    package init() {}

    /// - Parameter retention: What holds where the section does not say how long samples are kept.
    init(_ node: YAMLNode, _ decoder: YAMLDecoder, retention: Retention) throws(YAMLError) {
        var read = StorageConfiguration()
        read.retention = retention
        try decoder.fields(of: node, type: "config.StorageConfig") { key, value throws(YAMLError) in
            switch key {
            case "tsdb": try read.readStore(value, decoder)
            case "exemplars":
                if !value.isNull { read.maximumExemplars = 0 }
                try decoder.fields(of: value, type: "config.ExemplarsConfig") { key, value throws(YAMLError) in
                    guard key == "max_exemplars" else { return false }
                    read.maximumExemplars = decoder.integer(value, into: "int64")
                    return true
                }
            default: return false
            }
            return true
        }
        self = read
    }

    private mutating func readStore(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = self
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            switch key {
            // Prometheus writes this name itself when it shows its configuration.
            case "outofordertimewindow": _ = decoder.integer(value, into: "int64")
            case "out_of_order_time_window": read.outOfOrderTimeWindow = try decoder.duration(value)
            case "stale_series_compaction_threshold": read.staleSeriesCompactionThreshold = decoder.float(value)
            case "chunk_encoding":
                try decoder.fields(of: value, type: "config.ChunkEncodingConfig") { key, value throws(YAMLError) in
                    guard key == "floats" else { return false }
                    read.floatChunkEncoding = try decoder.string(value)
                    return true
                }
            case "retention": if !value.isNull { try read.readRetention(value, decoder) }
            default: return false
            }
            return true
        }
        self = read
        if fits, !["", "xor", "xor2"].contains(floatChunkEncoding) {
            throw .invalid(
                "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely,"
                    + " got \(Quoting.quote(ByteString(floatChunkEncoding)))", line: node.line)
        }
    }

    private mutating func readRetention(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = Retention()
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            switch key {
            case "time": read.time = try decoder.duration(value)
            case "size": read.size = try decoder.byteSize(value)
            case "percentage": read.percentage = decoder.float(value)
            default: return false
            }
            return true
        }
        retention = read
        guard fits else { return }
        if retention.size.bytes < 0 {
            throw .invalid(
                "'storage.tsdb.retention.size' must be greater than or equal to 0, got \(retention.size)",
                line: node.line)
        }
        if !(0...100).contains(retention.percentage) {
            throw .invalid(
                "'storage.tsdb.retention.percentage' must be in the range [0, 100], got \(retention.percentage)",
                line: node.line)
        }
    }

    var fields: YAMLFields {
        var store = YAMLFields()
        store.set("outofordertimewindow", .literal("\(outOfOrderTimeWindow.milliseconds)"))
        store.duration("out_of_order_time_window", outOfOrderTimeWindow)
        store.float("stale_series_compaction_threshold", staleSeriesCompactionThreshold)
        if !floatChunkEncoding.isEmpty {
            store.set("chunk_encoding", .mapping([("floats", .text(floatChunkEncoding))]))
        }
        var kept = YAMLFields()
        kept.duration("time", retention.time)
        kept.size("size", retention.size)
        kept.float("percentage", retention.percentage)
        store.set("retention", kept.mapping)
        var fields = YAMLFields()
        fields.set("tsdb", store.mapping)
        if let maximumExemplars {
            fields.set(
                "exemplars",
                maximumExemplars == 0
                    ? .mapping([]) : .mapping([("max_exemplars", .literal("\(maximumExemplars)"))]))
        }
        return fields
    }
}
