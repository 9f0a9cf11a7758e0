import Matching
import MetricModel
import PromQL
import Scrape
import TSDB
import Web

/// What the flags of `narthex server` say, checked.
struct ServerSettings {
    var api = ServerAPI.Settings()
    var store = Database.Options()
    /// Whether the largest block follows from how long samples are kept.
    private var derivesMaximumBlockDuration = true
    var parser = Parser.Options()
    var scrapeFeatures = ScrapeFeatures()
    /// What `--enable-feature` says.
    var features: FeatureFlags
    /// Milliseconds.
    var lookbackDelta: Int64
    var queryTimeout: Duration
    /// Seconds; 0 for never.
    var slowQuery: Double
    var maximumConcurrency: Int
    var maximumSamples: Int
    var routePrefix: String
    /// The host of `--web.external-url`; empty if there is none.
    var externalHost: String
    /// Whether the configuration is read again whenever its files change.
    var reloadsByItself: Bool
    /// How often the configuration's files are looked at.
    var autoReloadInterval: Duration
    /// What is worth telling about the flags.
    var warnings: [String]

    init(_ flags: ParsedFlags) throws {
        warnings = try UpstreamFlags.warnings(flags)
        features = FeatureFlags(flags.all("enable-feature"))
        reloadsByItself = flags.isOn("config.auto-reload") || features.contains("auto-reload-config")
        let reload = try Self.duration(flags, "config.auto-reload-interval").milliseconds
        autoReloadInterval = .milliseconds(max(1000, reload))
        lookbackDelta = try Self.duration(flags, "query.lookback-delta").milliseconds
        slowQuery = Double(try Self.duration(flags, "query.log-slow-queries").milliseconds) / 1000
        queryTimeout = .nanoseconds(try Self.duration(flags, "query.timeout").nanoseconds)
        maximumConcurrency = max(1, flags.integer("query.max-concurrency"))
        maximumSamples = max(1, flags.integer("query.max-samples"))
        let given = flags["web.route-prefix"]
        let external = flags["web.external-url"]
        routePrefix = given.isEmpty ? URLText.path(external) : given
        if !routePrefix.hasPrefix("/") { routePrefix = "/" + routePrefix }
        externalHost = external.isEmpty ? ProcessFacts.hostName : Self.host(of: external)
        parser = features.parser
        scrapeFeatures.addsStartZeros = features.contains("created-timestamp-zero-ingestion")
        scrapeFeatures.storesStarts = features.contains("st-storage")
        scrapeFeatures.addsTypeAndUnitLabels = features.contains("type-and-unit-labels")
        scrapeFeatures.passesMetadata = features.contains("metadata-wal-records")
        scrapeFeatures.timestampTolerance =
            flags.isOn("scrape.adjust-timestamps") ? flags.duration("scrape.timestamp-tolerance") : .zero
        scrapeFeatures.discoveryInterval = .milliseconds(
            try Self.duration(flags, "scrape.discovery-reload-interval").milliseconds)
        try setStore(flags)
        try setAPI(flags)
    }

    /// What flags change of the configuration's defaults.
    var configurationDefaults: GlobalConfiguration.Defaults {
        var defaults = features.defaults
        defaults.retention.time = PrometheusDuration(milliseconds: store.retention)
        defaults.retention.size = ByteSize(bytes: store.maximumBytes)
        return defaults
    }

    /// The store's options with what the configuration says of them.
    func storeOptions(_ loaded: LoadedConfiguration) -> Database.Options {
        var options = store
        loaded.adjust(&options, floatEncoding: store.floatEncoding)
        options.maximumBlockDuration = blockDuration(retention: options.retention)
        return options
    }

    /// The longest block, in milliseconds: what the flag says, or a tenth of the time that is kept, at most a month.
    func blockDuration(retention: Int64) -> Int64 {
        guard derivesMaximumBlockDuration else { return store.maximumBlockDuration }
        let month: Int64 = 31 * 24 * 3_600_000
        return max(store.minimumBlockDuration, min(month, retention > 0 ? retention / 10 : month))
    }

    private mutating func setStore(_ flags: ParsedFlags) throws {
        store.retention = try Self.duration(flags, "storage.tsdb.retention.time").milliseconds
        store.maximumBytes = Int64(flags.bytes("storage.tsdb.retention.size"))
        if store.retention == 0, store.maximumBytes == 0 { store.retention = 15 * 24 * 3_600_000 }
        store.noLockFile = flags.isOn("storage.tsdb.no-lockfile")
        store.minimumBlockDuration = try Self.duration(flags, "storage.tsdb.min-block-duration").milliseconds
        derivesMaximumBlockDuration = flags["storage.tsdb.max-block-duration"].isEmpty
        if !derivesMaximumBlockDuration {
            store.maximumBlockDuration = try Self.duration(flags, "storage.tsdb.max-block-duration").milliseconds
        }
        store.walSegmentSize = flags.bytes("storage.tsdb.wal-segment-size")
        store.samplesPerChunk = flags.integer("storage.tsdb.samples-per-chunk")
        switch flags["storage.tsdb.wal-compression-type"] {
        case "none": store.walCompression = .none
        case "zstd": store.walCompression = .zstd
        default: store.walCompression = .snappy
        }
        if !flags.isOn("storage.tsdb.wal-compression") { store.walCompression = .none }
        store.mergesOverlappingBlocks = flags.isOn("storage.tsdb.allow-overlapping-compaction")
        if features.contains("exemplar-storage") { store.maximumExemplars = 100_000 }
        store.memorySnapshotOnShutdown = features.contains("memory-snapshot-on-shutdown")
        store.metadataRecords = features.contains("metadata-wal-records")
        store.storesStartTimestamps = features.contains("st-storage")
        store.encodesHistogramStarts = features.contains("histograms-st-encoding")
        if features.contains("xor2-encoding") { store.floatEncoding = .xor2 }
    }

    private mutating func setAPI(_ flags: ParsedFlags) throws {
        api.enablesAdministration = flags.isOn("web.enable-admin-api")
        api.enablesLifecycle = flags.isOn("web.enable-lifecycle")
        api.enablesRemoteWrite = flags.isOn("web.enable-remote-write-receiver")
        let messages = flags.all("web.remote-write-receiver.accepted-protobuf-messages")
        if !messages.isEmpty { api.acceptedMessages = Set(messages.compactMap { RemoteWriteMessage(rawValue: $0) }) }
        api.enablesOTLP = flags.isOn("web.enable-otlp-receiver")
        api.storesOTLPDeltas = features.contains("otlp-native-delta-ingestion")
        api.convertsOTLPDeltas = features.contains("otlp-deltatocumulative")
        if api.storesOTLPDeltas && api.convertsOTLPDeltas {
            throw CommandLineError(
                "cannot enable otlp-deltatocumulative and otlp-native-delta-ingestion features at the same time")
        }
        api.addsTypeAndUnitLabels = features.contains("type-and-unit-labels")
        api.addsStartZeros = scrapeFeatures.addsStartZeros
        api.enablesSearch = features.contains("search-api")
        api.maximumSearchLimit = flags.integer("web.search.max-limit")
        api.pageTitle = flags["web.page-title"]
        api.maximumSubscribers = flags.integer("web.max-notifications-subscribers")
        api.remoteReadConcurrency = flags.integer("storage.remote.read-concurrent-limit")
        api.remoteReadFrameSize = max(1024, flags.integer("storage.remote.read-max-bytes-in-frame"))
        api.storesMetadata = features.contains("metadata-wal-records")
        let origin = flags["web.cors.origin"]
        if origin != ".*" { api.origin = try RegularExpression(ByteString(origin)) }
        api.flags = listing(flags)
        api.buildInformation = [
            ("version", BuildInfo.version), ("revision", BuildInfo.revision), ("branch", BuildInfo.branch),
            ("buildUser", BuildInfo.buildUser), ("buildDate", BuildInfo.buildDate),
            ("goVersion", BuildInfo.swiftVersion),
        ]
        api.lookbackDelta = lookbackDelta
        api.remoteReadSampleLimit = flags.integer("storage.remote.read-sample-limit")
        api.durability = flags["storage.durability"] == "os" ? .relaxed : .synced
        api.features = featureTable
    }

    private static func duration(_ flags: ParsedFlags, _ name: String) throws -> QueryDuration {
        do throws(DurationGrammar.Refusal) {
            return try DurationGrammar.parse(ByteString(flags[name]))
        } catch {
            throw CommandLineError("--\(name): \(error)")
        }
    }

    private static func host(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    /// What `/api/v1/features` answers.
    private var featureTable: [String: [String: Bool]] {
        let functions = Function.allCases.map { function in
            (function.rawValue, !function.signature.isExperimental || parser.experimentalFunctions)
        }
        var operators = Dictionary(uniqueKeysWithValues: BinaryOperator.allCases.map { ($0.rawValue, true) })
        for operation in ["=~", "!~", "@"] { operators[operation] = true }
        for operation in AggregateOperator.allCases {
            operators[operation.rawValue] = !operation.isExperimental || parser.experimentalFunctions
        }
        var words = ["bool", "by", "group_left", "group_right", "ignoring", "offset", "on", "without"].reduce(
            into: [String: Bool]()
        ) { $0[$1] = true }
        for word in ["anchored", "smoothed"] { words[word] = parser.extendedRangeSelectors }
        for word in ["fill", "fill_left", "fill_right"] { words[word] = parser.binaryFillModifiers }
        words["duration_expr"] = parser.durationExpressions
        words["per_step_stats"] = features.contains("promql-per-step-stats")
        words["delayed_name_removal"] = features.contains("promql-delayed-name-removal")
        words["type_and_unit_labels"] = features.contains("type-and-unit-labels")
        for word in ["at_modifier", "negative_offset", "per_query_lookback_delta", "subqueries"] { words[word] = true }
        return [
            "api": [
                "admin": api.enablesAdministration, "lifecycle": api.enablesLifecycle,
                "remote_write_receiver": api.enablesRemoteWrite, "otlp_write_receiver": api.enablesOTLP,
                "search": api.enablesSearch, "search_fuzz_alg_subsequence": true, "search_fuzz_alg_jarowinkler": true,
                "label_values_match": true, "query_warnings": true, "query_stats": true, "time_range_series": true,
                "time_range_labels": true, "exclude_alerts": true, "openapi_3.1": true,
                "openapi_3.2": true,
            ],
            "otlp_receiver": [
                "delta_conversion": api.convertsOTLPDeltas, "native_delta_ingestion": api.storesOTLPDeltas,
            ],
            "promql": words, "promql_functions": Dictionary(uniqueKeysWithValues: functions),
            "promql_operators": operators,
            "prometheus": ["agent_mode": false, "server_mode": true, "auto_reload_config": reloadsByItself],
            "scrape": [
                "extra_scrape_metrics": true, "start_timestamp_zero_ingestion": scrapeFeatures.addsStartZeros,
                "type_and_unit_labels": scrapeFeatures.addsTypeAndUnitLabels,
            ],
            "service_discovery_providers": ["dns": true, "file": true, "http": true, "static": true],
            "tsdb": [
                "exemplar_storage": store.maximumExemplars > 0, "metadata_wal_records": store.metadataRecords,
                "delayed_compaction": false, "isolation": true, "native_histograms": true,
                "st_storage": store.storesStartTimestamps, "xor2_encoding": true,
                "histograms_st_encoding": store.encodesHistogramStarts,
            ],
        ]
    }
}
