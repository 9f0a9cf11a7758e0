import Web

/// `narthex server`: what `prometheus` is, for scraping, storing and querying.
enum ServerCommand {
    static let command = Command(
        "server", "The time series server: scrapes, stores, and answers PromQL.", flags: flags,
        examples: [
            "narthex server --config.file=prometheus.yml --storage.tsdb.path=/var/lib/prometheus",
            "narthex server --storage.tsdb.retention.time=90d --web.enable-lifecycle --web.enable-remote-write-receiver",
        ], action: run)

    /// The flags of Prometheus 3.14 that mean something here, with its names and defaults, then our own.
    static let flags: [FlagTable.Flag] =
        [
            .init("config.file", "Prometheus configuration file path.", default: "prometheus.yml"),
            .toggle("config.auto-reload", "Read the configuration again whenever its files change."),
            .init(
                "config.auto-reload-interval", "How often the files are looked at for --config.auto-reload.",
                default: "30s"),
        ] + ServerFlags.web(defaultAddress: ":9090") + webFlags + storeFlags + queryFlags
        + scrapeFlags + ServerFlags.connectionLimits + ServerFlags.log + UpstreamFlags.table

    private static let webFlags: [FlagTable.Flag] = [
        .init(
            "web.external-url",
            "The URL under which the server is reached from outside; its path becomes the route prefix.", kind: .url,
            default: ""),
        .init(
            "web.route-prefix", "Prefix of all paths inside. By default the path of --web.external-url.", default: ""),
        .toggle("web.enable-lifecycle", "Let HTTP requests end the process and reload its configuration."),
        .toggle("web.enable-admin-api", "Let HTTP requests delete series and make snapshots."),
        .toggle("web.enable-remote-write-receiver", "Take samples by remote write."),
        .init(
            "web.remote-write-receiver.accepted-protobuf-messages",
            "Messages that remote write may bring; may be given twice.",
            kind: .choice(RemoteWriteMessage.allNames, named: "remote write message"), isRepeatable: true,
            placeholder: "MESSAGE"),
        .toggle("web.enable-otlp-receiver", "Take samples by OTLP."),
        .init("web.page-title", "Title of the pages.", default: "Narthex"),
        .init(
            "web.max-notifications-subscribers", "Most pages that listen for notifications at a time.",
            kind: .integer, default: "16"),
        .init(
            "web.search.max-limit", "Largest limit that a search may ask for; 0 for any.", kind: .integer,
            default: "10000"),
        .init(
            "web.cors.origin", "Regular expression for the origins that may read the API; anchored.", default: ".*"),
        .init(
            "web.worker-threads", "Most requests that are worked on at a time.", kind: .integer, default: "24"),
    ]

    private static let storeFlags: [FlagTable.Flag] = [
        .init("storage.tsdb.path", "Base path for metrics storage.", default: "data/"),
        .init(
            "storage.tsdb.retention.time",
            "How long samples are kept. If neither this nor --storage.tsdb.retention.size is given, 15d; 0s for no limit. "
                + "Units: y, w, d, h, m, s, ms. storage.tsdb.retention in the configuration file goes before both flags.",
            default: "0s"),
        .init(
            "storage.tsdb.retention.size", "Most bytes that blocks may take, with a unit; 0 for no limit.",
            kind: .bytes, default: "0"),
        .toggle("storage.tsdb.no-lockfile", "Make no lock file in the data directory."),
        .init(
            "storage.tsdb.allow-overlapping-compaction", "Merge blocks that overlap.", kind: .toggle, default: "true",
            isHidden: true),
        .init(
            "storage.tsdb.wal-compression", "Compress the write-ahead log.", kind: .toggle, default: "true",
            isHidden: true),
        .init(
            "storage.tsdb.block-reload-interval", "How often the store writes blocks, compacts and forgets.",
            kind: .duration, default: "1m", isHidden: true),
        .init(
            "storage.tsdb.wal-compression-type", "How the write-ahead log is compressed.",
            kind: .choice(["none", "snappy", "zstd"], named: "compression"), default: "snappy"),
        .init(
            "storage.tsdb.min-block-duration", "Smallest block. For tests only.", default: "2h", isHidden: true),
        .init(
            "storage.tsdb.max-block-duration",
            "Largest block that compaction makes. By default a tenth of the retention time. For tests only.",
            default: "", isHidden: true),
        .init(
            "storage.tsdb.wal-segment-size", "Size of a segment of the write-ahead log.", kind: .bytes,
            default: "128MiB", isHidden: true),
        .init(
            "storage.tsdb.samples-per-chunk", "Samples that a chunk aims at.", kind: .integer, default: "120",
            isHidden: true),
        .init(
            "storage.remote.read-sample-limit", "Most samples in an answer to a remote read; 0 for no limit.",
            kind: .integer, default: "50000000"),
        .init(
            "storage.remote.read-concurrent-limit", "Most remote reads at a time; 0 for any number.", kind: .integer,
            default: "10"),
        .init(
            "storage.remote.read-max-bytes-in-frame", "Largest frame of a streamed answer to a remote read.",
            kind: .integer, default: "1048576"),
        .init(
            "storage.durability",
            "What acknowledged samples survive: disk (loss of power) or os (end of the process).",
            kind: .choice(["disk", "os"], named: "durability"), default: "disk"),
    ]

    private static let queryFlags: [FlagTable.Flag] = [
        .init(
            "query.lookback-delta", "How far back samples are looked for during evaluation.", default: "5m"),
        .init("query.timeout", "Longest time that a query may take.", default: "2m"),
        .init(
            "query.log-slow-queries", "Log queries that take longer than this, waiting included; 0s for none.",
            default: "5s"),
        .init("query.max-concurrency", "Most queries that are evaluated at a time.", kind: .integer, default: "20"),
        .init(
            "query.max-samples", "Most samples that a query may hold in memory.", kind: .integer, default: "50000000"),
        .init(
            "enable-feature",
            "Features to turn on, separated by commas: "
                + "\(FeatureFlags.effective.keys.sorted().joined(separator: ", ")). Other names are logged and change "
                + "nothing.",
            default: "", isRepeatable: true),
    ]

    private static let scrapeFlags: [FlagTable.Flag] = [
        .init(
            "scrape.adjust-timestamps", "Move the times of scrapes to the exact interval.", kind: .toggle,
            default: "true", isHidden: true),
        .init(
            "scrape.timestamp-tolerance", "How far the times of scrapes are moved at most.", kind: .duration,
            default: "2ms", isHidden: true),
        .init(
            "scrape.discovery-reload-interval", "How long changes found by discovery are gathered.", default: "5s",
            isHidden: true),
    ]

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        MemoryArenas.share()
        let logger = ServerFlags.logger(flags, style: .slog)
        return await ServerProcess(flags: flags, logger: logger).run()
    }
}
