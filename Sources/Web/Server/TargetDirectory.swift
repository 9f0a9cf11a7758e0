package import MetricModel

/// What the API shows of scraping.
package protocol TargetDirectory: Sendable {
    /// The names of all scrape configurations.
    var poolNames: [String] { get }
    /// The targets that are scraped, in the order of their pools.
    var activeTargets: [TargetStatus] { get }
    /// Targets that relabelling dropped, as far as they are kept.
    var droppedTargets: [DroppedTargetStatus] { get }
    /// How many targets relabelling dropped, by pool.
    var droppedCounts: [String: Int] { get }
    /// The configuration of a pool as YAML; nil if there is no such pool.
    func configuration(ofPool name: String) -> String?
    /// What the relabelling rules of a pool make of `labels`, rule by rule; nil if there is no such pool.
    func relabelSteps(ofPool name: String, _ labels: Labels) -> [RelabelStepStatus]?
}

/// A target that is scraped.
package struct TargetStatus: Sendable {
    /// The job.
    package var pool: String
    /// Before relabelling.
    package var discoveredLabels: Labels
    /// Those that its series carry.
    package var labels: Labels
    /// With parameters.
    package var scrapeURL: String
    /// The same, with the machine's name in place of `localhost`.
    package var globalURL: String
    /// Empty after a success.
    package var lastError = ""
    /// Milliseconds; nil if it was never scraped.
    package var lastScrape: Timestamp?
    /// Seconds.
    package var lastScrapeDuration = 0.0
    /// `up`, `down` or `unknown`.
    package var health = "unknown"
    /// As in the labels: `15s`.
    package var scrapeInterval = ""
    /// As in the labels: `10s`.
    package var scrapeTimeout = ""
    /// What it exposes about its metrics, looked up only where it is asked for.
    package var metadata: @Sendable () -> [(family: ByteString, metadata: MetricMetadata)] = { [] }

    /// A target.
    package init(pool: String, discoveredLabels: Labels, labels: Labels, scrapeURL: String, globalURL: String) {
        self.pool = pool
        self.discoveredLabels = discoveredLabels
        self.labels = labels
        self.scrapeURL = scrapeURL
        self.globalURL = globalURL
    }
}

/// A target that relabelling dropped.
package struct DroppedTargetStatus: Sendable {
    /// The job.
    package var pool: String
    /// Before relabelling.
    package var discoveredLabels: Labels

    /// A dropped target.
    package init(pool: String, discoveredLabels: Labels) {
        self.pool = pool
        self.discoveredLabels = discoveredLabels
    }
}

/// What one relabelling rule made of a label set.
package struct RelabelStepStatus: Sendable {
    /// The rule as JSON.
    package var ruleJSON: [UInt8]
    /// The labels after the rule; empty if it drops the target.
    package var output: Labels
    /// Whether the rule keeps the target.
    package var isKept: Bool

    /// A step.
    package init(ruleJSON: [UInt8], output: Labels, isKept: Bool) {
        self.ruleJSON = ruleJSON
        self.output = output
        self.isKept = isKept
    }
}
