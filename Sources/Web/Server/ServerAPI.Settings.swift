package import Matching
package import TSDB

extension ServerAPI {
    /// What the API is allowed and told.
    package struct Settings: Sendable {
        /// `--web.enable-admin-api`.
        package var enablesAdministration = false
        /// `--web.enable-lifecycle`.
        package var enablesLifecycle = false
        /// `--web.enable-remote-write-receiver`.
        package var enablesRemoteWrite = false
        /// `--web.remote-write-receiver.accepted-protobuf-messages`.
        package var acceptedMessages = Set(RemoteWriteMessage.allCases)
        /// `--web.enable-otlp-receiver`.
        package var enablesOTLP = false
        /// Whether OTLP's deltas are stored as they are (feature `otlp-native-delta-ingestion`).
        package var storesOTLPDeltas = false
        /// Whether OTLP's deltas are added up, and stored as totals (feature `otlp-deltatocumulative`).
        package var convertsOTLPDeltas = false
        /// Whether OTLP's series get the labels `__type__` and `__unit__` (feature `type-and-unit-labels`).
        package var addsTypeAndUnitLabels = false
        /// Whether a start that comes with samples becomes a zero (feature `created-timestamp-zero-ingestion`).
        package var addsStartZeros = false
        /// Whether metadata that comes with samples is stored (feature `metadata-wal-records`).
        package var storesMetadata = false
        /// The feature `search-api`.
        package var enablesSearch = false
        /// Largest limit of a search; 0 for any (`--web.search.max-limit`).
        package var maximumSearchLimit = 10_000
        /// `--web.page-title`.
        package var pageTitle = "Narthex"
        /// Most pages that listen for notifications at a time.
        package var maximumSubscribers = 16
        /// Most remote reads at a time; 0 for any number (`--storage.remote.read-concurrent-limit`).
        package var remoteReadConcurrency = 10
        /// Largest frame of a streamed remote read, in bytes (`--storage.remote.read-max-bytes-in-frame`).
        package var remoteReadFrameSize = 1 << 20
        /// Which pages may read the API (`--web.cors.origin`); nil for all.
        package var origin: RegularExpression?
        /// The prefix that users see, for links: empty, or with a leading and without a trailing slash.
        package var externalPrefix = ""
        /// Flags and their values, for `/api/v1/status/flags`.
        package var flags: [(name: String, value: String)] = []
        /// Version and the like, by upstream's keys.
        package var buildInformation: [(name: String, value: String)] = []
        /// How far back federation looks, in milliseconds.
        package var lookbackDelta: Int64 = 5 * 60 * 1000
        /// Most samples in an answer to a remote read; 0 for no limit (`--storage.remote.read-sample-limit`).
        package var remoteReadSampleLimit = 50_000_000
        /// Most bytes of a remote write after decompression.
        package var remoteWriteLimit = 32 << 20
        /// Whether a remote write is acknowledged only once it is on disk.
        package var durability = Durability.synced
        /// Features by category, for `/api/v1/features`.
        package var features: [String: [String: Bool]] = [:]

        /// The defaults.
        package init() {}
    }
}
