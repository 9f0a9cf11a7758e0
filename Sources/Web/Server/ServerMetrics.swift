package import MetricModel
internal import Synchronization
package import TSDB

/// The server's own metrics, under the names that dashboards for Prometheus know.
package final class ServerMetrics: Sendable {
    /// Counts the requests.
    package let requests = RequestMeter(known: ServerAPI.routePatterns)
    /// Counts the queries.
    package let engine: EngineMetrics
    private let process = ProcessMetrics()
    private let server = Mutex<HTTPServer?>(nil)
    private let reload = Mutex<(succeeded: Bool, time: Timestamp)>((true, 0))

    /// Nothing counted yet.
    /// - Parameter maximumConcurrency: How many queries may run at a time.
    package init(maximumConcurrency: Int = 20) { engine = EngineMetrics(maximumConcurrency: maximumConcurrency) }

    /// Shows the connections of `server` from now on.
    package func watch(_ server: HTTPServer) { self.server.withLock { $0 = server } }

    /// Notes that the configuration was read again.
    package func noteReload(succeeded: Bool, at time: Timestamp) {
        reload.withLock { $0 = (succeeded, succeeded ? time : $0.time) }
    }

    /// Whether the last reading of the configuration succeeded, and when one last did, in milliseconds.
    package var lastReload: (succeeded: Bool, time: Timestamp) { reload.withLock { $0 } }

    /// All metrics, by name.
    /// - Parameters:
    ///   - database: The store; nil while it is being opened.
    ///   - isReady: Whether the server answers questions about data.
    ///   - extra: Families of other parts, such as scraping.
    package func families(
        _ database: Database?, _ counters: APICounters, isReady: Bool = true, extra: [MetricFamily] = []
    ) -> [MetricFamily] {
        var families = [BuildInfo.family("prometheus")] + process.families() + extra
        families +=
            configurationFamilies + connectionFamilies + requests.families + engine.families
            + counters.families
        families.append(
            Self.gauge(
                "prometheus_ready",
                "Whether Prometheus startup was fully completed and the server is ready for normal operation.",
                isReady ? 1 : 0))
        if let database { families += StoreFamilies.all(database) }
        return families.filter { !$0.metrics.isEmpty }.sorted { $0.name < $1.name }
    }

    // MARK: Families

    /// A gauge without labels.
    package static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(
            name: ByteString(name), help: ByteString(help), type: .gauge,
            metrics: [Metric(labels: [], value: .gauge(value))])
    }

    /// A counter without labels.
    package static func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
        MetricFamily(
            name: ByteString(name), help: ByteString(help), type: .counter,
            metrics: [Metric(labels: [], value: .counter(CounterValue(Double(value))))])
    }

    private var connectionFamilies: [MetricFamily] {
        guard let server = server.withLock({ $0 }) else { return [] }
        let accepted = server.acceptedCount
        let open = UInt64(clamping: server.connectionCount)
        func counter(_ name: ByteString, _ help: ByteString, _ value: UInt64) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: .counter,
                metrics: [
                    Metric(labels: [LabelPair("listener_name", "http")], value: .counter(CounterValue(Double(value))))
                ])
        }
        return [
            counter(
                "net_conntrack_listener_conn_accepted_total",
                "Total number of connections opened to the listener of a given name.", accepted),
            counter(
                "net_conntrack_listener_conn_closed_total",
                "Total number of connections closed that were made to the listener of a given name.",
                accepted > open ? accepted - open : 0),
        ]
    }

    private var configurationFamilies: [MetricFamily] {
        let (succeeded, time) = lastReload
        return [
            Self.gauge(
                "prometheus_config_last_reload_successful",
                "Whether the last configuration reload attempt was successful.", succeeded ? 1 : 0),
            Self.gauge(
                "prometheus_config_last_reload_success_timestamp_seconds",
                "Timestamp of the last successful configuration reload.", Double(time) / 1000),
        ]
    }
}
