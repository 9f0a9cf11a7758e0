internal import Logging
internal import MetricModel
internal import Synchronization

/// Scrapes one target again and again until it is stopped.
///
/// Source: the behaviour of prometheus/prometheus scrape/scrape.go (`scrapeLoop`).
final class ScrapeLoop: Sendable {
    /// What a loop needs besides its target.
    struct Environment: Sendable {
        var sink: any SampleSink
        var clock: any ScrapeClock
        var metrics: ScrapeMetrics
        var features: ScrapeFeatures
        var logger: Logger
        /// The same for all targets of this server, other than that of its twin.
        var offsetSeed: UInt64
    }

    let target: ScrapeTarget
    let interval: PrometheusDuration
    let timeout: PrometheusDuration
    /// What was learned of the target's lines; handed on when a loop takes the place of another.
    let appender: ScrapeAppender
    private let environment: Environment
    private let client: ScrapeClient
    private let request: ScrapeRequest
    private let configuration: ScrapeConfiguration
    private let identity: UInt64
    private let failureLog: ScrapeFailureLog?
    private let forcedError = Mutex<String?>(nil)
    private let stopSignal = Signal()
    private let finished = Signal()
    private let marksEnd = Atomic<Bool>(true)

    init(
        target: ScrapeTarget, configuration: ScrapeConfiguration, client: ScrapeClient, environment: Environment,
        appender: ScrapeAppender?, failureLog: ScrapeFailureLog?
    ) {
        self.target = target
        self.configuration = configuration
        self.client = client
        self.environment = environment
        self.failureLog = failureLog
        func duration(_ name: ByteString, _ otherwise: PrometheusDuration) -> PrometheusDuration {
            guard let text = target.labels[name], let duration = try? PrometheusDuration(text.string),
                duration != .zero
            else { return otherwise }
            return duration
        }
        interval = duration(TargetLabels.interval, configuration.scrapeInterval)
        timeout = duration(TargetLabels.timeout, configuration.scrapeTimeout)
        request = ScrapeRequest(configuration, labels: target.labels, timeout: timeout)
        identity = ScrapeTarget.identity(target.labels, configuration)
        let options = ScrapeAppender.Options(configuration, target: target.labels, features: environment.features)
        self.appender =
            appender
            ?? ScrapeAppender(
                labels: target.labels, options: options, metadata: target.metadata, metrics: environment.metrics)
    }

    /// Asks the loop to end after the scrape under way.
    /// - Parameter marksEnd: whether its series are to be marked as ended, after a while in which the target may return.
    func stop(marksEnd: Bool) {
        if !marksEnd { self.marksEnd.store(false, ordering: .relaxed) }
        stopSignal.set()
    }

    /// Returns when the last scrape is done.
    func waitUntilStopped() async { await finished.wait() }

    /// Makes all scrapes fail with `error`, or no more.
    func force(_ error: String?) { forcedError.withLock { $0 = error } }

    /// Scrapes until ``stop(marksEnd:)`` or cancellation.
    /// - Parameter previous: a loop of the same target, which has to be done first.
    func run(after previous: ScrapeLoop?) async {
        if let previous {
            await previous.waitUntilStopped()
            appender.setSampleLimit(Int(clamping: configuration.limits.samples))
        }
        let last = await scrapeUntilStopped()
        finished.set()
        if Task.isCancelled {
            if environment.features.marksStaleOnShutdown, last != nil { markEnd(at: environment.clock.now / 1_000_000) }
            return
        }
        if marksEnd.load(ordering: .relaxed), let last { await markEndLater(last) }
    }

    /// - Returns: the time of the last scrape, in nanoseconds; nil if there was none.
    private func scrapeUntilStopped() async -> Int64? {
        let clock = environment.clock
        let period = max(1_000_000, interval.milliseconds * 1_000_000)
        let tolerance = environment.features.timestampTolerance.nanoseconds
        guard await stopSignal.sleep(nanoseconds: offset(period), clock) else { return nil }
        var aligned = clock.now
        var last: Int64?
        while !stopSignal.isSet, !Task.isCancelled {
            var time = clock.now
            if time - aligned >= period { aligned += (time - aligned) / period * period }
            if time - aligned <= min(period / 100, tolerance), time >= aligned { time = aligned }
            if let last {
                environment.metrics.intervalLengths.observe(Double(time - last) / 1e9, interval.description)
            }
            await scrape(at: time)
            last = time
            let now = clock.now
            // Ticks that were missed are left out.
            let next = aligned + (max(0, now - aligned) / period + 1) * period
            guard await stopSignal.sleep(nanoseconds: next - now, clock) else { break }
        }
        return last
    }

    /// How long to wait for the first scrape, so that all targets together spread over the interval: the same moment of
    /// each interval whenever the loop starts.
    private func offset(_ period: Int64) -> Int64 {
        let base = period - environment.clock.now % period
        let offset = Int64((identity ^ environment.offsetSeed) % UInt64(period))
        let next = base + offset
        return next > period ? next - period : next
    }

    // MARK: One scrape

    /// Scrapes once and stores the result, also of a failure.
    /// - Parameter time: nanoseconds since 1970, for the samples.
    func scrape(at time: Int64) async {
        let start = environment.clock.now
        var outcome = Outcome()
        if let forced = forcedError.withLock({ $0 }) {
            outcome.failure = forced
        } else {
            do {
                outcome.body = try await fetch()
            } catch let failure as ScrapeFailure {
                outcome.failure = failure.description
                outcome.isOverLimit = failure == BodyDecoding.overLimit
                failureLog?.write(failure.description, job: configuration.jobName, target: request.url)
            } catch {
                if Task.isCancelled { return }
                outcome.failure = "\(error)"
            }
        }
        if Task.isCancelled { return }
        store(&outcome, start: start, at: time)
    }

    private struct Outcome {
        var body: DecodedBody?
        var failure: String?
        var isOverLimit = false
    }

    private func fetch() async throws -> DecodedBody {
        let limit = Int(clamping: configuration.limits.bodySize.bytes)
        // A compressed body is never longer than what it holds.
        let response = try await client.get(
            request.url, unixSocket: request.unixSocket, headers: request.headers, timeout: timeout.duration,
            bodyLimit: limit > 0 ? limit : BodyDecoding.hardLimit)
        do throws(ScrapeFailure) {
            return try BodyDecoding.decode(response, limit: limit, fallback: configuration.fallbackProtocol)
        } catch {
            if error == BodyDecoding.overLimit { environment.metrics.bodySizeLimitExceeded.increment() }
            throw error
        }
    }

    private func store(_ outcome: inout Outcome, start: Int64, at time: Int64) {
        let timestamp = time / 1_000_000
        var batch = environment.sink.begin()
        var counts = ScrapeAppender.Counts()
        if let body = outcome.body, !body.bytes.isEmpty {
            let failure: ScrapeFailure?
            (counts, failure) = body.bytes.withUnsafeBufferPointer {
                appender.append(
                    $0, format: body.format, at: timestamp, now: environment.clock.now / 1_000_000, to: batch)
            }
            if let failure {
                outcome.failure = failure.description
                batch.rollback()
                batch = environment.sink.begin()
                appender.appendNothing(at: timestamp, to: batch)
            }
        } else {
            appender.appendNothing(at: timestamp, to: batch)
        }
        let duration = Double(environment.clock.now - start) / 1e9
        target.report(start: time, duration: duration, error: outcome.failure)
        var report = ScrapeAppender.Report(isUp: outcome.failure == nil, duration: duration, counts: counts)
        if configuration.reportsExtraMetrics {
            report.extra = (
                timeout.seconds, Double(configuration.limits.samples),
                outcome.isOverLimit ? -1 : Double(outcome.body?.bytes.count ?? 0)
            )
        }
        commit(batch, since: start) { () throws(ScrapeFailure) in
            try appender.addReport(report, at: timestamp, to: batch)
        }
    }

    /// - Parameter start: When the scrape began; nil where none did.
    private func commit(_ batch: any SampleBatch, since start: Int64?, report: () throws(ScrapeFailure) -> Void) {
        do {
            try report()
            try batch.commit()
            if let start {
                environment.metrics.scrapeLengths.observe(Double(environment.clock.now - start) / 1e9)
            }
        } catch {
            batch.rollback()
            environment.logger.error(
                "Scrape commit failed", metadata: ["target": "\(request.url)", "err": "\(error)"])
        }
    }

    // MARK: The end

    /// Marks all series as ended, unless the target returns within two intervals.
    private func markEndLater(_ last: Int64) async {
        let clock = environment.clock
        let period = interval.milliseconds * 1_000_000
        let staleTime = last + period
        let until = staleTime + period + period / 10
        do {
            try await clock.sleep(nanoseconds: max(0, until - clock.now))
        } catch {
            return
        }
        if marksEnd.load(ordering: .relaxed) { markEnd(at: staleTime / 1_000_000) }
    }

    private func markEnd(at timestamp: Int64) {
        let batch = environment.sink.begin()
        appender.appendNothing(at: timestamp, to: batch)
        commit(batch, since: nil) { () throws(ScrapeFailure) in
            try appender.addReportEnd(hasExtra: configuration.reportsExtraMetrics, at: timestamp, to: batch)
        }
    }
}
