internal import Logging
internal import MetricModel

/// Targets that a server lists as JSON, asked at each refresh interval.
///
/// Source: prometheus/prometheus discovery/http.
struct HTTPDiscovery: Sendable {
    private let configuration: HTTPDiscoveryConfiguration
    private let job: String
    private let clock: any ScrapeClock
    private let logger: Logger
    private let metrics: DiscoveryMetrics

    /// The longest answer that is read.
    private static let maximumAnswer = 128 << 20

    init(
        _ configuration: HTTPDiscoveryConfiguration, job: String, clock: any ScrapeClock, logger: Logger,
        metrics: DiscoveryMetrics
    ) {
        self.configuration = configuration
        self.job = job
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
    }

    func run(_ update: @Sendable ([TargetGroup]) async -> Void) async {
        let client: ScrapeClient
        do {
            client = try ScrapeClient(configuration.client, dialer: "http", dialers: metrics.dialers)
        } catch {
            logger.error("Cannot create service discovery", metadata: ["err": "\(error)", "type": "http"])
            return
        }
        var count = 0
        repeat {
            let start = clock.now
            var isFailure = false
            do {
                let groups = try await groups(client)
                let gone = count > groups.count ? groups.count..<count : 0..<0
                count = groups.count
                await update(groups + gone.map { TargetGroup(source: "\(configuration.url):\($0)") })
            } catch {
                if Task.isCancelled { break }
                metrics.httpFailures.increment()
                isFailure = true
                logger.error("Unable to refresh target groups", metadata: ["err": "\(error)", "discovery": "http"])
            }
            metrics.refreshes.note(
                "http", job, seconds: Double(clock.now - start) / 1e9, isFailure: isFailure)
        } while await pause(configuration.refreshInterval, clock)
        await client.close()
    }

    private func groups(_ client: ScrapeClient) async throws -> [TargetGroup] {
        let headers = [
            ("User-Agent", ScrapeRequest.userAgent), ("Accept", "application/json"),
            ("X-Prometheus-Refresh-Interval-Seconds", ScrapeRequest.seconds(configuration.refreshInterval)),
        ]
        let response = try await client.get(
            configuration.url, headers: headers, timeout: configuration.refreshInterval.duration,
            bodyLimit: Self.maximumAnswer)
        guard response.status == 200 else {
            throw ScrapeFailure("server returned HTTP status \(response.status) \(response.reason)")
        }
        guard Self.isJSON(response.contentType.trimmed.lowercased()) else {
            throw ScrapeFailure("unsupported content type \"\(response.contentType)\"")
        }
        guard !response.isCut else { throw ScrapeFailure("the answer is longer than \(Self.maximumAnswer) bytes") }
        return try TargetList.parse(
            response.body, source: configuration.url, label: (TargetList.url, ByteString(configuration.url)))
    }

    private static func isJSON(_ type: String) -> Bool {
        let parts = type.split(separator: ";", maxSplits: 1).map { String($0).trimmed }
        guard parts.first == "application/json" else { return false }
        return parts.count == 1 || parts[1] == "charset=utf-8" || parts[1] == "charset=\"utf-8\""
    }
}
