package import MetricModel
package import Scrape

extension ServerAPI {
    /// What the API shows of the rest of the process, and what it sets off there.
    package struct Process: Sendable {
        /// The configuration as YAML.
        package var configuration: @Sendable () -> String
        /// Labels that remote reads and federation add.
        package var externalLabels: @Sendable () -> Labels
        /// The fields of `/api/v1/status/runtimeinfo`, as names and JSON.
        package var runtimeInformation: @Sendable () -> [(name: String, json: String)]
        /// Reads the configuration again; gives what is wrong with it, or nil.
        package var reload: @Sendable () -> String?
        /// Asks the process to end.
        package var quit: @Sendable () -> Void
        /// The process' own metrics, by name.
        package var metrics: @Sendable () -> [MetricFamily]
        /// The first and the last segment of the log that is replayed, and the one at hand.
        package var replayProgress: @Sendable () -> (minimum: Int, maximum: Int, current: Int) = { (0, 0, 0) }
        /// How OTLP is made Prometheus' own.
        package var otlp: @Sendable () -> OTLPConfiguration = { OTLPConfiguration() }
        /// The port of the gateway in the same process, for links; nil without one, or before it listens.
        package var gatewayPort: @Sendable () -> Int? = { nil }
        /// Milliseconds since 1970.
        package var now: @Sendable () -> Timestamp
        /// 63 random bits.
        package var random: @Sendable () -> UInt64 = { UInt64.random(in: 0...(UInt64.max >> 1)) }

        /// A process.
        package init(
            configuration: @escaping @Sendable () -> String = { "" },
            externalLabels: @escaping @Sendable () -> Labels = { .empty },
            runtimeInformation: @escaping @Sendable () -> [(name: String, json: String)] = { [] },
            reload: @escaping @Sendable () -> String? = { nil }, quit: @escaping @Sendable () -> Void = {},
            metrics: @escaping @Sendable () -> [MetricFamily] = { [] }, now: @escaping @Sendable () -> Timestamp
        ) {
            self.configuration = configuration
            self.externalLabels = externalLabels
            self.runtimeInformation = runtimeInformation
            self.reload = reload
            self.quit = quit
            self.metrics = metrics
            self.now = now
        }
    }
}
