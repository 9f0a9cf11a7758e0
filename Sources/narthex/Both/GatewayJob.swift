import Bridge
import MetricModel
import Scrape

/// The job that scrapes the gateway of this process: what it says of labels and histograms holds as well for what
/// comes from pushes, so that both are the same series.
struct GatewayJob {
    private let job: ScrapeConfiguration
    private let features: ScrapeFeatures
    /// The target's, after relabelling.
    private let target: Labels

    /// The first of `jobs` that has the gateway as a fixed target; nil if none has.
    /// - Parameters:
    ///   - addresses: Where the gateway listens.
    ///   - path: Where it exposes what it holds.
    init?(in jobs: [ScrapeConfiguration], addresses: [String], path: String, features: ScrapeFeatures) {
        for job in jobs {
            for case .fixed(let groups) in job.discovery {
                for group in groups {
                    for target in group.targets {
                        let discovered = TargetLabels.discovered(job, target: target, group: group.labels)
                        guard let labels = try? TargetLabels.relabelled(job, discovered: discovered),
                            labels["__metrics_path__"]?.string == path, let address = labels["__address__"]?.string,
                            addresses.contains(where: { Self.reaches(address, listening: $0) })
                        else { continue }
                        self.job = job
                        self.features = features
                        self.target = labels
                        return
                    }
                }
            }
        }
        return nil
    }

    /// What becomes of the gateway's series.
    var rules: BridgeRules {
        let mutator = SampleMutator(target: target, honorsLabels: job.honorsLabels, rules: job.metricRelabelRules)
        let options = ScrapeAppender.Options(job, target: target, features: features)
        var rules = BridgeRules(
            keepsNative: options.readsNativeHistograms, alwaysKeepsClassic: options.keepsClassicHistograms,
            convertsClassic: options.convertsClassicHistograms,
            relabelling: .init(identity: "\(target)\n\(job.yaml.yaml)", apply: mutator.stored))
        rules.histogramLimits = options.histogramLimits
        rules.follow(features)
        return rules
    }

    /// How often groups are stored again, in milliseconds.
    var interval: Int64 { job.scrapeInterval.milliseconds }

    /// Whether a target at `address` is the one that listens on `listening`.
    static func reaches(_ address: String, listening: String) -> Bool {
        guard let (host, port) = parts(address), let (own, ownPort) = parts(listening), port == ownPort else {
            return false
        }
        let here: Set<String> = ["", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ProcessFacts.hostName]
        return host == own || here.contains(host) && here.contains(own)
    }

    private static func parts(_ address: String) -> (host: String, port: String)? {
        guard let colon = address.lastIndex(of: ":") else { return nil }
        let host = address[..<colon].lowercased()
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return (
            isBracketed ? String(host.dropFirst().dropLast()) : host, String(address[address.index(after: colon)...])
        )
    }
}

extension BridgeRules {
    /// Takes over what `features` say of all series. Zeros are added in any case.
    mutating func follow(_ features: ScrapeFeatures) {
        storesStarts = features.storesStarts
        passesMetadata = features.passesMetadata
        addsTypeAndUnitLabels = features.addsTypeAndUnitLabels
    }
}
