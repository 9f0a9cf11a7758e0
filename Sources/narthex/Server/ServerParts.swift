import Bridge
import Dispatch
import Logging
import Matching
import MetricModel
import PromQL
import Scrape
import Synchronization
import TSDB
import Web

/// The parts of the server that do not need the store to be open, and how they are brought together with it.
struct ServerParts: Sendable {
    let settings: ServerSettings
    let configuration: CurrentConfiguration
    let flags: ParsedFlags
    let logger: Logger
    let bridge: PushBridge?
    let ports: ListeningPorts?
    let gatewayFlags: ParsedFlags?
    let manager: ScrapeManager
    let evaluator: MeteredEvaluator
    let replay = ReplayProgress()
    private let sink: DatabaseSink
    private let facts: ProcessFacts

    init(
        settings: ServerSettings, configuration: CurrentConfiguration, flags: ParsedFlags, logger: Logger,
        bridge: PushBridge?, ports: ListeningPorts? = nil, gatewayFlags: ParsedFlags? = nil
    ) {
        self.settings = settings
        self.configuration = configuration
        self.flags = flags
        self.logger = logger
        self.bridge = bridge
        self.ports = ports
        self.gatewayFlags = gatewayFlags
        sink = DatabaseSink(bridge: bridge)
        manager = ScrapeManager(
            sink: sink, features: settings.scrapeFeatures, hostName: ProcessFacts.hostName, logger: logger)
        evaluator = MeteredEvaluator(configuration.metrics.engine)
        facts = ProcessFacts()
    }

    func makeAPI(quit: @escaping @Sendable () -> Void) -> ServerAPI {
        let counters = APICounters()
        let targets = ScrapedTargets(manager: manager, externalHost: settings.externalHost)
        let metrics = configuration.metrics
        var process = ServerAPI.Process(
            configuration: { [configuration] in configuration.current.configuration.yaml },
            externalLabels: { [configuration] in configuration.current.configuration.global.externalLabels },
            runtimeInformation: { [facts, configuration, sink] in
                facts.fields(
                    configuration.metrics.lastReload, sink.database.current, configuration.current.configuration)
            },
            reload: { [configuration] in configuration.reload() }, quit: quit,
            metrics: { [sink, manager, bridge] in
                let database = sink.database.current
                return metrics.families(
                    database, counters, isReady: database != nil,
                    extra: manager.families + targets.metadataFamilies + (bridge.map(Self.families) ?? []))
            },
            now: { ProcessFacts.now })
        process.gatewayPort = { [ports] in ports?.gateway }
        process.replayProgress = { [replay] in replay.current }
        process.otlp = { [configuration] in configuration.current.configuration.otlp }
        return ServerAPI(
            settings: settings.api, process: process, parser: Parser(options: settings.parser), evaluator: evaluator,
            targets: targets, counters: counters)
    }

    /// Brings everything together with the store.
    func follow(_ database: Database, _ loaded: LoadedConfiguration) {
        sink.database.open(database)
        evaluator.open(EngineEvaluator(engine, database))
        bridge?.setRules(pushed(loaded).rules)
        bridge?.open(into: database)
    }

    // MARK: What goes on

    /// Stores again and again, at each scrape interval, what the gateway's groups hold.
    func refreshPushed() async {
        guard let bridge else { return }
        let queue = DispatchQueue(label: "narthex.refresh")
        while !Task.isCancelled {
            let (rules, milliseconds) = pushed(configuration.current)
            let interval = max(1, milliseconds)
            bridge.setRules(rules)
            let wait = interval - ProcessFacts.now % interval
            do { try await Task.sleep(for: .milliseconds(wait)) } catch { return }
            await withCheckedContinuation { continuation in
                queue.async {
                    bridge.refresh()
                    continuation.resume()
                }
            }
        }
    }

    /// What becomes of pushed series, and after how many milliseconds they are stored again: as the job that scrapes
    /// this gateway says, or else with labels honoured and histograms as for all jobs.
    private func pushed(_ loaded: LoadedConfiguration) -> (rules: BridgeRules, interval: Int64) {
        if let flags = gatewayFlags {
            let prefix = GatewaySettings.prefix(flags["web.route-prefix"], externalURL: flags["web.external-url"])
            let job = GatewayJob(
                in: loaded.jobs, addresses: flags.all("web.listen-address"),
                path: prefix + flags["web.telemetry-path"], features: settings.scrapeFeatures)
            if let job { return (job.rules, job.interval) }
        }
        let global = loaded.configuration.global
        var rules = BridgeRules(
            keepsNative: global.scrapesNativeHistograms, alwaysKeepsClassic: global.alwaysScrapesClassicHistograms,
            convertsClassic: global.convertsClassicHistograms)
        rules.follow(settings.scrapeFeatures)
        return (rules, global.scrapeInterval.milliseconds)
    }

    /// Reads the configuration again whenever its files have changed, if that is asked for.
    func watchConfiguration() async {
        guard settings.reloadsByItself else { return }
        let interval = settings.autoReloadInterval
        var known = configuration.checksum
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { return }
            let checksum = configuration.checksum
            guard checksum != known else { continue }
            known = checksum
            logger.info("Configuration file change detected, reloading the configuration.")
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { [configuration] in
                    _ = configuration.reload()
                    continuation.resume()
                }
            }
        }
    }

    /// What is counted of pushes on their way into the store.
    private static func families(of bridge: PushBridge) -> [MetricFamily] {
        let counts = bridge.counts
        return [
            ServerMetrics.counter(
                "narthex_bridge_pushes_total", "Pushes that were passed on to the store.", counts.pushes),
            ServerMetrics.counter(
                "narthex_bridge_samples_total", "Samples that pushes and refreshes of groups gave the store.",
                counts.samples),
            ServerMetrics.counter(
                "narthex_bridge_crowded_pushes_total",
                "Pushes that were stored with others, since more than one a millisecond came for a group.",
                counts.crowded),
            ServerMetrics.counter(
                "narthex_bridge_resyncs_total",
                "Times all groups were looked at since too many pushes waited for the store.", counts.resyncs),
            ServerMetrics.counter(
                "narthex_bridge_histograms_exceeded_bucket_limit_total",
                "Pushed native histograms that were not stored since they have too many buckets.",
                counts.beyondLimits),
            ServerMetrics.counter(
                "narthex_bridge_failures_total", "Batches of pushed samples that the store refused.", counts.failures),
            ServerMetrics.gauge(
                "narthex_bridge_series", "Series of the store that pushes write.", Double(bridge.owned.count)),
        ]
    }
}

/// The store, once it is open.
final class OpenedDatabase: Sendable {
    private let database = Mutex<Database?>(nil)

    /// nil while the log is replayed.
    var current: Database? { database.withLock { $0 } }

    func open(_ database: Database) { self.database.withLock { $0 = database } }
}

/// How far the replay of the log is.
final class ReplayProgress: Sendable {
    private let state = Mutex((minimum: 0, maximum: 0, current: 0))

    var current: (minimum: Int, maximum: Int, current: Int) { state.withLock { $0 } }

    /// Notes an event of the replay.
    /// - Returns: Whether it was one.
    func note(_ event: StoreEvent) -> Bool {
        guard case .replaying(let segment, let first, let last) = event else { return false }
        state.withLock { $0 = (first, last, segment) }
        return true
    }
}
