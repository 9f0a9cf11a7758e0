package import MetricModel
internal import Synchronization

/// How a target is doing.
package enum TargetHealth: String, Sendable, Hashable {
    case unknown
    case up
    case down
}

/// One endpoint that is scraped, and how its last scrape went.
package final class ScrapeTarget: Sendable {
    /// All labels after relabelling, reserved ones among them.
    package let labels: Labels
    /// What it says of its metrics.
    package let metadata = MetadataStore()
    private let state: Mutex<State>

    private struct State {
        var discovered: Labels
        var configuration: ScrapeConfiguration
        var health = TargetHealth.unknown
        var lastError = ""
        var lastScrape: Int64?
        var lastDuration = 0.0
    }

    init(labels: Labels, discovered: Labels, configuration: ScrapeConfiguration) {
        self.labels = labels
        state = Mutex(State(discovered: discovered, configuration: configuration))
    }

    /// What the API shows of a target.
    package struct Status: Sendable {
        /// The labels that its series carry.
        package var labels: Labels
        /// Before relabelling.
        package var discoveredLabels: Labels
        /// The job.
        package var scrapePool: String
        /// With parameters.
        package var scrapeURL: String
        /// As of the last scrape.
        package var health: TargetHealth
        /// Empty after a success.
        package var lastError: String
        /// Nanoseconds since 1970; nil before the first.
        package var lastScrape: Int64?
        /// Seconds.
        package var lastScrapeDuration: Double
        /// As in the labels: `15s`.
        package var scrapeInterval: String
        /// As in the labels: `10s`.
        package var scrapeTimeout: String
    }

    /// How the target is doing.
    package var status: Status {
        let state = state.withLock { $0 }
        return Status(
            labels: publicLabels, discoveredLabels: state.discovered, scrapePool: state.configuration.jobName,
            scrapeURL: ScrapeRequest.url(state.configuration, labels: labels), health: state.health,
            lastError: state.lastError, lastScrape: state.lastScrape, lastScrapeDuration: state.lastDuration,
            scrapeInterval: (labels[TargetLabels.interval] ?? "").string,
            scrapeTimeout: (labels[TargetLabels.timeout] ?? "").string)
    }

    /// The labels that are not reserved.
    package var publicLabels: Labels {
        var builder = LabelsBuilder(labels)
        builder.filter { !$0.hasPrefix(TargetLabels.reservedPrefix) }
        return builder.labels()
    }

    func setOrigin(_ configuration: ScrapeConfiguration, discovered: Labels) {
        state.withLock { state in
            state.configuration = configuration
            state.discovered = discovered
        }
    }

    func report(start: Int64, duration: Double, error: String?) {
        state.withLock { state in
            state.health = error == nil ? .up : .down
            state.lastError = error ?? ""
            state.lastScrape = start
            state.lastDuration = duration
        }
    }

    /// What tells targets apart: labels and URL.
    static func identity(_ labels: Labels, _ configuration: ScrapeConfiguration) -> UInt64 {
        var hash = FNV1a()
        let number = "\(labels.hash64)"
        hash.add((String(repeating: "0", count: max(0, 16 - number.utf8.count)) + number).utf8)
        hash.add(ScrapeRequest.url(configuration, labels: labels).utf8)
        return hash.value
    }
}

/// The FNV-1a hash of 64 bits, by which Prometheus spreads scrapes over the interval.
package struct FNV1a: Sendable {
    /// The hash of what was added.
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of nothing.
    package init() {}

    /// Goes on with `bytes`.
    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
