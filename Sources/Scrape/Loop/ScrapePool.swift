internal import Logging
internal import MetricModel

/// The targets of one job, and their loops.
///
/// Not thread-safe: it belongs to the manager.
/// Source: the behaviour of prometheus/prometheus scrape/scrape.go (`scrapePool`).
final class ScrapePool {
    /// A target that is scraped.
    struct Active {
        var target: ScrapeTarget
        var loop: ScrapeLoop
    }

    private(set) var configuration: ScrapeConfiguration
    private(set) var active: [UInt64: Active] = [:]
    /// The discovered labels of targets that relabelling dropped, up to a limit.
    private(set) var dropped: [Labels] = []
    private(set) var droppedCount = 0
    private(set) var client: ScrapeClient
    private let environment: ScrapeLoop.Environment
    /// Runs a loop, and after it what has to be cleaned up.
    private let spawn: (@escaping @Sendable () async -> Void) -> Void
    private var failureLog: ScrapeFailureLog?

    /// - Throws: `ScrapeFailure` if the HTTP client cannot be made.
    init(
        _ configuration: ScrapeConfiguration, environment: ScrapeLoop.Environment,
        spawn: @escaping (@escaping @Sendable () async -> Void) -> Void
    ) throws(ScrapeFailure) {
        self.configuration = configuration
        self.environment = environment
        self.spawn = spawn
        client = try ScrapeClient(
            configuration.client, dialer: configuration.jobName, dialers: environment.metrics.dialers)
        openFailureLog()
    }

    /// Takes on a new configuration. Targets keep their state; loops are started anew, in the place of the old ones.
    /// - Throws: `ScrapeFailure` if the HTTP client cannot be made; the old configuration then goes on.
    func reload(_ new: ScrapeConfiguration) throws(ScrapeFailure) {
        environment.metrics.poolReloads.increment()
        let start = environment.clock.now
        let made: ScrapeClient
        do throws(ScrapeFailure) {
            made = try ScrapeClient(
                new.client, dialer: new.jobName, dialers: environment.metrics.dialers)
        } catch {
            environment.metrics.poolReloadsFailed.increment()
            throw error
        }
        let keepsCache = configuration.storageRelevant == new.storageRelevant
        let oldClient = client
        client = made
        configuration = new
        openFailureLog()
        let forced = targetLimitError
        var replaced: [ScrapeLoop] = []
        for (identity, old) in active {
            if keepsCache { old.loop.stop(marksEnd: false) } else { old.loop.stop(marksEnd: true) }
            replaced.append(old.loop)
            let loop = makeLoop(old.target, appender: keepsCache ? old.loop.appender : nil)
            loop.force(forced)
            active[identity] = Active(target: old.target, loop: loop)
            let previous = old.loop
            spawn { await loop.run(after: previous) }
        }
        let loops = replaced
        spawn {
            for loop in loops { await loop.waitUntilStopped() }
            await oldClient.close()
        }
        environment.metrics.reloadLengths.observe(
            Double(environment.clock.now - start) / 1e9, configuration.scrapeInterval.description)
    }

    /// Opens the failure log again, which a reload promises.
    func openFailureLog() {
        failureLog = nil
        guard !configuration.scrapeFailureLogFile.isEmpty else { return }
        do throws(ScrapeFailure) {
            failureLog = try ScrapeFailureLog(path: configuration.scrapeFailureLogFile, clock: environment.clock)
        } catch {
            environment.logger.error(
                "Cannot open the scrape failure log",
                metadata: ["scrape_pool": "\(configuration.jobName)", "err": "\(error)"])
        }
    }

    /// Makes the targets those of `groups`: starts loops for new ones, ends those of targets that are gone.
    func sync(_ groups: [TargetGroup]) {
        let start = environment.clock.now
        var wanted: [UInt64: (labels: Labels, discovered: Labels)] = [:]
        dropped = []
        droppedCount = 0
        for group in groups {
            for (index, member) in group.targets.enumerated() {
                add(member, of: group, at: index, to: &wanted)
            }
        }
        for (identity, found) in wanted {
            if let known = active[identity] {
                known.target.setOrigin(configuration, discovered: found.discovered)
                continue
            }
            let target = ScrapeTarget(labels: found.labels, discovered: found.discovered, configuration: configuration)
            let loop = makeLoop(target, appender: nil)
            active[identity] = Active(target: target, loop: loop)
            spawn { await loop.run(after: nil) }
        }
        for (identity, gone) in active where wanted[identity] == nil {
            gone.loop.stop(marksEnd: true)
            active[identity] = nil
        }
        let forced = targetLimitError
        for member in active.values { member.loop.force(forced) }
        let job = configuration.jobName
        environment.metrics.poolTargets.set(Double(active.count), job)
        environment.metrics.poolTargetLimits.set(Double(configuration.limits.targets), job)
        environment.metrics.poolSyncs.increment(job)
        environment.metrics.syncLengths.observe(Double(environment.clock.now - start) / 1e9, job)
    }

    private func add(
        _ member: Labels, of group: TargetGroup, at index: Int,
        to wanted: inout [UInt64: (labels: Labels, discovered: Labels)]
    ) {
        let discovered = TargetLabels.discovered(configuration, target: member, group: group.labels)
        do throws(TargetLabels.Invalid) {
            guard let labels = try TargetLabels.relabelled(configuration, discovered: discovered) else {
                let limit = configuration.keepDroppedTargets
                if limit == 0 || UInt64(dropped.count) < limit { dropped.append(discovered) }
                droppedCount += 1
                return
            }
            wanted[ScrapeTarget.identity(labels, configuration)] = (labels, discovered)
        } catch {
            environment.metrics.targetSyncFailed.increment(configuration.jobName)
            environment.logger.error(
                "Creating target failed",
                metadata: [
                    "scrape_pool": "\(configuration.jobName)",
                    "err": "instance \(index) in group \(group.source): \(error)",
                ])
        }
    }

    /// Ends all loops.
    func stop() {
        let loops = active.values.map(\.loop)
        for loop in loops { loop.stop(marksEnd: true) }
        active = [:]
        environment.metrics.forget(configuration.jobName)
        let client = client
        spawn {
            for loop in loops { await loop.waitUntilStopped() }
            await client.close()
        }
    }

    private func makeLoop(_ target: ScrapeTarget, appender: ScrapeAppender?) -> ScrapeLoop {
        ScrapeLoop(
            target: target, configuration: configuration, client: client, environment: environment, appender: appender,
            failureLog: failureLog)
    }

    private var targetLimitError: String? {
        let limit = configuration.limits.targets
        guard limit > 0, UInt64(active.count) > limit else { return nil }
        environment.metrics.targetLimitExceeded.increment()
        return "target_limit exceeded (number of targets: \(active.count), limit: \(limit))"
    }
}
