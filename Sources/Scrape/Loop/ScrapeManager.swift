package import Logging
package import MetricModel

/// Finds the targets of all jobs and scrapes them into a store.
///
/// ``run()`` carries everything; when it is cancelled, all ends. A new configuration leaves what it does not change
/// alone.
package actor ScrapeManager {
    /// Counted over all jobs.
    package nonisolated let metrics = ScrapeMetrics()
    /// The same of discovery.
    package nonisolated let discoveryMetrics: DiscoveryMetrics

    private let sink: any SampleSink
    private let clock: any ScrapeClock
    private let features: ScrapeFeatures
    private let logger: Logger
    private let hostName: String
    private let resolver: any RecordResolver
    private var offsetSeed: UInt64 = 0

    private var jobs: [String: Job] = [:]
    private let work: AsyncStream<@Sendable () async -> Void>
    private let workContinuation: AsyncStream<@Sendable () async -> Void>.Continuation

    private struct Job {
        var configuration: ScrapeConfiguration
        var pool: ScrapePool?
        var providers: [Provider] = []
        var lastSync: Int64?
        var isSyncScheduled = false
    }

    /// A discovery that runs, and what it found.
    private final class Provider {
        let configuration: DiscoveryConfiguration
        let stop = Signal()
        var groups: [String: TargetGroup] = [:]

        init(_ configuration: DiscoveryConfiguration) { self.configuration = configuration }
    }

    /// A manager without jobs.
    /// - Parameters:
    ///   - sink: the store.
    ///   - clock: the time; the machine's by default.
    ///   - hostName: with the external labels, spreads the scrapes of servers that share targets.
    package init(
        sink: any SampleSink, clock: any ScrapeClock = SystemScrapeClock(), features: ScrapeFeatures = .init(),
        hostName: String = "", logger: Logger
    ) {
        self.sink = sink
        self.clock = clock
        self.features = features
        self.logger = logger
        self.hostName = hostName
        resolver = SystemRecordResolver()
        discoveryMetrics = DiscoveryMetrics(dialers: metrics.dialers)
        (work, workContinuation) = AsyncStream.makeStream()
    }

    /// Scrapes until cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await task in work { group.addTask(operation: task) }
            group.cancelAll()
        }
        for client in jobs.values.compactMap({ $0.pool?.client }) { await client.close() }
    }

    private nonisolated func spawn(_ task: @escaping @Sendable () async -> Void) { workContinuation.yield(task) }

    /// Takes on the jobs of a configuration. Jobs that did not change go on undisturbed.
    ///
    /// A new job whose HTTP client cannot be made is logged and left out, as upstream does, so that one missing file
    /// does not keep all other jobs from being scraped.
    /// - Throws: `ScrapeFailure` naming the jobs that go on as they were, since their new HTTP client cannot be made.
    package func apply(_ configurations: [ScrapeConfiguration], externalLabels: Labels) throws {
        var hash = FNV1a()
        hash.add("\(hostName)\(externalLabels)".utf8)
        offsetSeed = hash.value
        var failures: [String] = []
        let names = Set(configurations.map(\.jobName))
        for (name, job) in jobs where !names.contains(name) {
            for provider in job.providers { provider.stop.set() }
            job.pool?.stop()
            jobs[name] = nil
            discoveryMetrics.refreshes.forget(name)
            metrics.dialers.forget(name)
        }
        for configuration in configurations {
            do throws(ScrapeFailure) {
                try apply(configuration)
            } catch {
                if jobs[configuration.jobName]?.pool != nil {
                    failures.append("scrape pool \(configuration.jobName): \(error)")
                } else {
                    logger.error(
                        "error creating new scrape pool",
                        metadata: ["err": "\(error)", "scrape_pool": "\(configuration.jobName)"])
                }
            }
        }
        if !failures.isEmpty { throw ScrapeFailure(failures.joined(separator: "; ")) }
    }

    private func apply(_ configuration: ScrapeConfiguration) throws(ScrapeFailure) {
        let name = configuration.jobName
        if jobs[name]?.pool != nil, jobs[name]?.configuration == configuration { return }
        if let pool = jobs[name]?.pool {
            try pool.reload(configuration)
            jobs[name]?.configuration = configuration
        } else {
            metrics.pools.increment()
            do throws(ScrapeFailure) {
                let pool = try ScrapePool(configuration, environment: environment) { [weak self] in self?.spawn($0) }
                jobs[name] = Job(configuration: configuration, pool: pool)
            } catch {
                metrics.poolsFailed.increment()
                throw error
            }
        }
        updateProviders(name, configuration)
        sync(name)
    }

    private var environment: ScrapeLoop.Environment {
        ScrapeLoop.Environment(
            sink: sink, clock: clock, metrics: metrics, features: features, logger: logger, offsetSeed: offsetSeed)
    }

    /// Starts discoveries that are new and stops those that are gone.
    private func updateProviders(_ name: String, _ configuration: ScrapeConfiguration) {
        var old = jobs[name]?.providers ?? []
        var providers: [Provider] = []
        for discovery in configuration.discovery {
            if let index = old.firstIndex(where: { $0.configuration == discovery }) {
                providers.append(old.remove(at: index))
                continue
            }
            let provider = Provider(discovery)
            providers.append(provider)
            if case .fixed(let groups) = discovery {
                for group in groups { provider.groups[group.source] = group }
            } else {
                start(provider, of: name)
            }
        }
        for provider in old { provider.stop.set() }
        jobs[name]?.providers = providers
    }

    private func start(_ provider: Provider, of name: String) {
        let discovery = TargetDiscovery(
            configuration: provider.configuration, job: name, clock: clock, logger: logger, metrics: discoveryMetrics,
            resolver: resolver)
        let identity = ObjectIdentifier(provider)
        let stop = provider.stop
        spawn { [weak self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [weak self] in
                    await discovery.run { [weak self] in await self?.update(name, identity, $0) }
                }
                group.addTask { await stop.wait() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func update(_ name: String, _ identity: ObjectIdentifier, _ groups: [TargetGroup]) {
        discoveryMetrics.receivedUpdates.increment()
        guard let provider = jobs[name]?.providers.first(where: { ObjectIdentifier($0) == identity }) else { return }
        for group in groups { provider.groups[group.source] = group.targets.isEmpty ? nil : group }
        guard let job = jobs[name], !job.isSyncScheduled else { return }
        let wait = job.lastSync.map { $0 + features.discoveryInterval.nanoseconds - clock.now } ?? 0
        if wait <= 0 {
            sync(name)
            return
        }
        jobs[name]?.isSyncScheduled = true
        spawn { [weak self, clock] in
            do {
                try await clock.sleep(nanoseconds: wait)
                await self?.sync(name)
            } catch {}
        }
    }

    private func sync(_ name: String) {
        guard let job = jobs[name], let pool = job.pool else { return }
        jobs[name]?.lastSync = clock.now
        jobs[name]?.isSyncScheduled = false
        discoveryMetrics.sentUpdates.increment()
        discoveryMetrics.lastUpdates.set((Double(clock.now) / 1e9).rounded(.down), name)
        let groups = job.providers.flatMap { provider in
            provider.groups.values.sorted { $0.source < $1.source }
        }
        metrics.discoveredTargets.set(Double(groups.reduce(0) { $0 + $1.targets.count }), name)
        pool.sync(groups)
    }

    // MARK: What the API shows

    /// The names of the jobs, sorted.
    package var pools: [String] { jobs.keys.sorted() }

    /// The targets that are scraped, by job.
    package var activeTargets: [String: [ScrapeTarget]] {
        jobs.mapValues { job in job.pool.map { pool in pool.active.values.map(\.target) } ?? [] }
    }

    /// The discovered labels of targets that relabelling dropped, by job, and how many there are in all.
    package var droppedTargets: [String: (labels: [Labels], count: Int)] {
        jobs.mapValues { ($0.pool?.dropped ?? [], $0.pool?.droppedCount ?? 0) }
    }

    /// The configuration of job `name`, for its relabelling rules.
    package func configuration(of name: String) -> ScrapeConfiguration? { jobs[name]?.configuration }
}

/// One rule's part in relabelling a target, for the page that explains it.
package struct RelabelStep: Sendable {
    /// The rule.
    package var rule: RelabelRule
    /// The labels after the rule; nil if it drops the target.
    package var output: Labels?

    /// The steps that `rules` take with `labels`; from the one that drops on, if one does, without output.
    package static func steps(_ rules: [RelabelRule], labels: Labels) -> [RelabelStep] {
        var builder = LabelsBuilder(labels)
        var steps: [RelabelStep] = []
        var isKept = true
        for rule in rules {
            isKept = isKept && rule.apply(to: &builder)
            steps.append(RelabelStep(rule: rule, output: isKept ? builder.labels() : nil))
        }
        return steps
    }
}
