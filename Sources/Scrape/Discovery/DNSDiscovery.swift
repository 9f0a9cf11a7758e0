internal import Logging
internal import MetricModel

/// Targets that DNS records name, asked at each refresh interval.
///
/// Source: prometheus/prometheus discovery/dns.
struct DNSDiscovery: Sendable {
    private let configuration: DNSDiscoveryConfiguration
    private let job: String
    private let clock: any ScrapeClock
    private let logger: Logger
    private let metrics: DiscoveryMetrics
    private let resolver: any RecordResolver

    init(
        _ configuration: DNSDiscoveryConfiguration, job: String, clock: any ScrapeClock, logger: Logger,
        metrics: DiscoveryMetrics, resolver: any RecordResolver
    ) {
        self.configuration = configuration
        self.job = job
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
        self.resolver = resolver
    }

    func run(_ update: @Sendable ([TargetGroup]) async -> Void) async {
        repeat {
            let start = clock.now
            await withTaskGroup(of: TargetGroup?.self) { group in
                for name in configuration.names { group.addTask { await self.group(name) } }
                for await found in group { if let found { await update([found]) } }
            }
            // As in Prometheus, a name that is not found fails a lookup, but no refresh.
            metrics.refreshes.note("dns", job, seconds: Double(clock.now - start) / 1e9, isFailure: false)
        } while await pause(configuration.refreshInterval, clock)
    }

    private func group(_ name: String) async -> TargetGroup? {
        metrics.dnsLookups.increment()
        do {
            let records = try await resolver.records(name, configuration.type)
            return TargetGroup(source: name, targets: records.compactMap { target(name, $0) })
        } catch {
            if !Task.isCancelled {
                metrics.dnsLookupFailures.increment()
                logger.error("Error refreshing DNS targets", metadata: ["err": "\(error)"])
            }
            return nil
        }
    }

    private func target(_ name: String, _ record: DNSRecord) -> Labels? {
        var labels: [(name: ByteString, value: ByteString)] = [("__meta_dns_name", ByteString(name))]
        func address(_ host: String, _ port: Int) {
            labels.append((TargetGroup.address, ByteString(HostPort.joined(host, port))))
        }
        func withoutDot(_ name: String) -> String { name.hasSuffix(".") ? String(name.dropLast()) : name }
        switch record {
        case .address(let bytes): address(IPAddress(bytes: bytes).text, configuration.port)
        case .service(let target, let port):
            address(withoutDot(target), Int(port))
            labels.append(("__meta_dns_srv_record_target", ByteString(target)))
            labels.append(("__meta_dns_srv_record_port", ByteString("\(port)")))
        case .mailExchange(let target):
            address(withoutDot(target), configuration.port)
            labels.append(("__meta_dns_mx_record_target", ByteString(target)))
        case .nameServer(let target):
            address(withoutDot(target), configuration.port)
            labels.append(("__meta_dns_ns_record_target", ByteString(target)))
        case .other: return nil
        }
        return Labels(labels)
    }
}
