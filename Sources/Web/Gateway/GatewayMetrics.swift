package import MetricModel
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// The gateway's metrics of itself, under upstream's names, since dashboards and alerts read those.
///
/// Source: prometheus/pushgateway handler/metrics.go.
package final class GatewayMetrics: Sendable {
    /// Which part of the gateway answered; the value of the label `handler`.
    package enum Handler: UInt8, Sendable, CaseIterable {
        case push
        case delete
        case wipe
        case status
        case healthy
        case ready
        case `static`
        case apiOptions
        case apiStatus
        case apiMetrics
        case apiGroups
        case apiPush
        case apiWatch

        /// The label's value.
        var label: String {
            switch self {
            case .push: "push"
            case .delete: "delete"
            case .wipe: "wipe"
            case .status: "status"
            case .healthy: "healthy"
            case .ready: "ready"
            case .static: "static"
            case .apiOptions: "api/v1/options"
            case .apiStatus: "api/v1/status"
            case .apiMetrics: "api/v1/metrics"
            case .apiGroups: "api/v1/groups"
            case .apiPush: "api/v1/push"
            case .apiWatch: "api/v1/watch"
            }
        }
    }

    /// Handler, method and status code in one number: the key is hashed at each request.
    private struct RequestKey: Hashable {
        private let packed: UInt32

        init(_ handler: Handler, _ method: HTTPMethod, _ status: HTTPStatus) {
            let code = UInt32(truncatingIfNeeded: status.code) & 0xFFFF
            packed = UInt32(handler.rawValue) << 24 | UInt32(method.metricIndex) << 16 | code
        }

        var handler: String { Handler(rawValue: UInt8(packed >> 24))?.label ?? "" }
        var method: String { HTTPMethod.metricLabels[Int(packed >> 16 & 0xFF)] }
        var code: String { String(packed & 0xFFFF) }
    }

    private struct State {
        var requests: [RequestKey: UInt64] = [:]
        /// By ``HTTPMethod/metricIndex``.
        var sizes = [SlidingQuantiles?](repeating: nil, count: HTTPMethod.metricLabels.count)
        var durations = [SlidingQuantiles?](repeating: nil, count: HTTPMethod.metricLabels.count)
    }

    private static let quantiles = [0.1, 0.5, 0.9]
    private let state = Mutex(State())

    /// Metrics at zero.
    package init() {}

    /// Counts an answered request.
    package func count(_ handler: Handler, _ method: HTTPMethod, _ status: HTTPStatus) {
        state.withLock { $0.requests[RequestKey(handler, method, status), default: 0] += 1 }
    }

    /// Counts an answered push.
    /// - Parameters:
    ///   - size: Bytes, as ``approximateSize(_:)`` has them.
    ///   - start: When the request came, by ``now()``.
    package func countPush(_ method: HTTPMethod, _ status: HTTPStatus, size: Int, start: Int64) {
        let now = Self.now()
        let index = method.metricIndex
        let key = RequestKey(.push, method, status)
        state.withLock { state in
            state.requests[key, default: 0] += 1
            if state.sizes[index] == nil {
                state.sizes[index] = SlidingQuantiles()
                state.durations[index] = SlidingQuantiles()
            }
            state.sizes[index]?.observe(Double(size), now: now)
            state.durations[index]?.observe(Double(now - start) / 1e9, now: now)
        }
    }

    /// Nanoseconds of a clock that does not go back.
    package static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }

    /// The size of a request as client_golang estimates it.
    ///
    /// Source: prometheus/client_golang prometheus/promhttp/instrument_server.go (`computeApproximateRequestSize`).
    package static func approximateSize(_ request: HTTPRequest) -> Int {
        // Name and value of each field, the protocol's name, the method, the target and the body. The field `Host`
        // counts with its value only.
        var size = request.head.target.count + request.head.method.name.utf8.count + 8 + request.body.readableBytes
        for field in request.head.fields { size += field.name.count + field.value.count }
        return request.head.range(of: "host") == nil ? size : size - 4
    }

    /// The families as they are exposed now.
    package func families() -> [MetricFamily] {
        let now = Self.now()
        return state.withLock { state in
            var requests = MetricFamily(
                name: "pushgateway_http_requests_total",
                help: "Total HTTP requests processed by the Pushgateway, excluding scrapes.", type: .counter)
            for (key, count) in state.requests {
                let labels = [
                    LabelPair("code", ByteString(key.code)),
                    LabelPair("handler", ByteString(key.handler)),
                    LabelPair("method", ByteString(key.method)),
                ]
                requests.metrics.append(Metric(labels: labels, value: .counter(CounterValue(Double(count)))))
            }
            requests.metrics.sort { Self.order($0) < Self.order($1) }
            return [
                Self.summary(
                    "pushgateway_http_push_duration_seconds",
                    "HTTP request duration for pushes to the Pushgateway.", &state.durations, now),
                Self.summary(
                    "pushgateway_http_push_size_bytes", "HTTP request size for pushes to the Pushgateway.",
                    &state.sizes,
                    now), requests,
            ]
        }
    }

    private static func order(_ metric: Metric) -> String {
        metric.labels.map(\.value.string).joined(separator: "\u{1}")
    }

    private static func summary(
        _ name: ByteString, _ help: ByteString, _ methods: inout [SlidingQuantiles?], _ now: Int64
    ) -> MetricFamily {
        var family = MetricFamily(name: name, help: help, type: .summary)
        for index in methods.indices {
            guard let values = methods[index]?.values(quantiles, now: now), let state = methods[index] else { continue }
            let summary = SummaryValue(
                count: Double(state.count), sum: state.sum,
                quantiles: zip(quantiles, values).map { SummaryValue.Quantile($0, $1) })
            let label = LabelPair("method", ByteString(HTTPMethod.metricLabels[index]))
            family.metrics.append(Metric(labels: [label], value: .summary(summary)))
        }
        family.metrics.sort { order($0) < order($1) }
        return family
    }
}
