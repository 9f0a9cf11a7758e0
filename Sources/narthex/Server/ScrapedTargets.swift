import ByteCoding
import MetricModel
import PromQL
import Scrape
import Web
import YAML

/// What the API shows of scraping. The manager is asked from threads that may wait for it.
struct ScrapedTargets: TargetDirectory {
    let manager: ScrapeManager
    /// Rewrites addresses of this machine so that they can be reached from elsewhere.
    let externalHost: String

    var poolNames: [String] { asking { await $0.pools } }

    var activeTargets: [TargetStatus] {
        let byPool = asking { await $0.activeTargets }
        return byPool.keys.sorted().flatMap { pool in
            (byPool[pool] ?? []).map { target in status(of: target, pool) }
        }
    }

    private func status(of target: ScrapeTarget, _ pool: String) -> TargetStatus {
        let status = target.status
        var result = TargetStatus(
            pool: pool, discoveredLabels: status.discoveredLabels, labels: status.labels, scrapeURL: status.scrapeURL,
            globalURL: globalURL(status.scrapeURL))
        result.lastError = status.lastError
        result.lastScrape = status.lastScrape.map { $0 / 1_000_000 }
        result.lastScrapeDuration = status.lastScrapeDuration
        result.health = status.health.rawValue
        result.scrapeInterval = status.scrapeInterval
        result.scrapeTimeout = status.scrapeTimeout
        let metadata = target.metadata
        result.metadata = { metadata.all }
        return result
    }

    /// The URL with the host of this server instead of `localhost`.
    private func globalURL(_ url: String) -> String {
        guard !externalHost.isEmpty, let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        for host in ["localhost", "127.0.0.1", "[::1]"] where rest.hasPrefix(host) {
            let behind = rest.dropFirst(host.count)
            if behind.isEmpty || behind.first == ":" || behind.first == "/" {
                return url[..<scheme.upperBound] + externalHost + behind
            }
        }
        return url
    }

    var droppedTargets: [DroppedTargetStatus] {
        let byPool = asking { await $0.droppedTargets }
        return byPool.keys.sorted().flatMap { pool in
            (byPool[pool]?.labels ?? []).map { DroppedTargetStatus(pool: pool, discoveredLabels: $0) }
        }
    }

    var droppedCounts: [String: Int] { asking { await $0.droppedTargets }.mapValues(\.count) }

    /// How much is known of metrics, by job.
    var metadataFamilies: [MetricFamily] {
        let byPool = asking { await $0.activeTargets }.sorted { $0.key < $1.key }
        func family(_ name: ByteString, _ help: ByteString, _ number: (ScrapeTarget) -> Int) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: .gauge,
                metrics: byPool.map { pool, targets in
                    Metric(
                        labels: [LabelPair("scrape_job", ByteString(pool))],
                        value: .gauge(Double(targets.reduce(0) { $0 + number($1) })))
                })
        }
        return [
            family(
                "prometheus_target_metadata_cache_entries", "Total number of metric metadata entries in the cache",
                \.metadata.count),
            family(
                "prometheus_target_metadata_cache_bytes",
                "The number of bytes that are currently used for storing metric metadata in the cache",
                \.metadata.byteCount),
        ]
    }

    func configuration(ofPool name: String) -> String? { asking { await $0.configuration(of: name) }?.yaml.yaml }

    func relabelSteps(ofPool name: String, _ labels: Labels) -> [RelabelStepStatus]? {
        guard let configuration = asking({ await $0.configuration(of: name) }) else { return nil }
        return RelabelStep.steps(configuration.relabelRules, labels: labels).map { step in
            RelabelStepStatus(
                ruleJSON: step.rule.json, output: step.output ?? .empty, isKept: step.output != nil)
        }
    }

    private func asking<Result: Sendable>(
        _ question: @escaping @Sendable (ScrapeManager) async -> Result
    ) -> Result {
        let manager = manager
        return waiting { await question(manager) }
    }
}

extension RelabelRule {
    /// The rule as the API shows it.
    fileprivate var json: [UInt8] {
        var json: [UInt8] = []
        func field(_ name: String, _ value: ByteString) {
            if !json.isEmpty { json.append(UInt8(ascii: ",")) }
            json += "\"\(name)\":".utf8
            JSONText.append(value, to: &json)
        }
        if !sourceLabels.isEmpty {
            json += #""source_labels":["#.utf8
            for (index, label) in sourceLabels.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                JSONText.append(label, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        }
        field("separator", separator)
        field("regex", regex.pattern)
        if modulus > 0 { json += ",\"modulus\":\(modulus)".utf8 }
        if !targetLabel.text.isEmpty { field("target_label", targetLabel.text) }
        field("replacement", replacement.text)
        field("action", ByteString(action.rawValue))
        return [UInt8(ascii: "{")] + json + [UInt8(ascii: "}")]
    }
}
