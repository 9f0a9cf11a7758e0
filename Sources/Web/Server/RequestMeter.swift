package import MetricModel
internal import Synchronization

/// Counts HTTP requests by handler: how many, how long they took, how large the answers were.
///
/// Source: prometheus/prometheus web/web.go (`newMetrics`).
package final class RequestMeter: Sendable {
    private static let durationBounds = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120]
    private static let sizeBounds: [Double] = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    private struct Distribution {
        var counts: [UInt64]
        var sum = 0.0

        init(_ bounds: [Double]) { counts = Array(repeating: 0, count: bounds.count + 1) }

        mutating func observe(_ value: Double, _ bounds: [Double]) {
            let place = bounds.firstIndex { value <= $0 } ?? bounds.count
            counts[place] &+= 1
            sum += value
        }
    }

    private struct Handler {
        var codes: [Int: UInt64] = [200: 0]
        var durations = Distribution(RequestMeter.durationBounds)
        var sizes = Distribution(RequestMeter.sizeBounds)
    }

    private let handlers: Mutex<[String: Handler]>

    /// A meter that shows the handlers `known` before they are asked for anything.
    package init(known: [String] = []) {
        handlers = Mutex(Dictionary(known.map { ($0, Handler()) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Counts an answer.
    /// - Parameters:
    ///   - handler: The pattern of the route.
    ///   - seconds: From the request's arrival to the end of the answer.
    ///   - bytes: Of the body as sent.
    package func count(_ handler: String, code: Int, seconds: Double, bytes: Int) {
        handlers.withLock { handlers in
            handlers[handler, default: Handler()].codes[code, default: 0] &+= 1
            handlers[handler]?.durations.observe(seconds, Self.durationBounds)
            handlers[handler]?.sizes.observe(Double(bytes), Self.sizeBounds)
        }
    }

    /// The families, as `/metrics` shows them.
    package var families: [MetricFamily] {
        let all = handlers.withLock { $0 }.sorted { $0.key < $1.key }
        var requests: [Metric] = []
        var durations: [Metric] = []
        var sizes: [Metric] = []
        for (name, handler) in all {
            let label = LabelPair("handler", ByteString(name))
            for (code, count) in handler.codes.sorted(by: { $0.key < $1.key }) {
                requests.append(
                    Metric(
                        labels: [LabelPair("code", ByteString("\(code)")), label],
                        value: .counter(CounterValue(Double(count)))))
            }
            // A handler that was never asked has no durations yet, as upstream's vectors do.
            guard handler.durations.counts.contains(where: { $0 > 0 }) else { continue }
            durations.append(Self.metric(label, handler.durations, Self.durationBounds))
            sizes.append(Self.metric(label, handler.sizes, Self.sizeBounds))
        }
        let scrapes = all.first { $0.key == "/metrics" }?.value.codes ?? [:]
        return [
            MetricFamily(
                name: "promhttp_metric_handler_requests_total", help: "Total number of scrapes by HTTP status code.",
                type: .counter,
                metrics: [200, 500, 503].map { code in
                    Metric(
                        labels: [LabelPair("code", ByteString("\(code)"))],
                        value: .counter(CounterValue(Double(scrapes[code] ?? 0))))
                }),
            MetricFamily(
                name: "prometheus_http_requests_total", help: "Counter of HTTP requests.", type: .counter,
                metrics: requests),
            MetricFamily(
                name: "prometheus_http_request_duration_seconds", help: "Histogram of latencies for HTTP requests.",
                type: .histogram, metrics: durations),
            MetricFamily(
                name: "prometheus_http_response_size_bytes", help: "Histogram of response size for HTTP requests.",
                type: .histogram, metrics: sizes),
        ]
    }

    private static func metric(_ label: LabelPair, _ distribution: Distribution, _ bounds: [Double]) -> Metric {
        var total: UInt64 = 0
        var buckets: [HistogramValue.Bucket] = []
        for (count, bound) in zip(distribution.counts, bounds + [.infinity]) {
            total &+= count
            buckets.append(HistogramValue.Bucket(upperBound: bound, count: Double(total)))
        }
        return Metric(
            labels: [label],
            value: .histogram(HistogramValue(count: Double(total), sum: distribution.sum, buckets: buckets)))
    }
}

/// Measures one request, whose answer may be sent piece by piece.
struct RequestMeasure: Sendable {
    private let meter: RequestMeter
    private let handler: String
    private let start = ContinuousClock.now

    init(_ meter: RequestMeter, handler: String) {
        self.meter = meter
        self.handler = handler
    }

    /// The response, counted when it is made or, if it is streamed, when it has been sent.
    func applied(to response: HTTPResponse) -> HTTPResponse {
        if let length = response.body.length {
            finish(response.status.code, length)
            return response
        }
        guard case .stream(let produce) = response.body else { return response }
        var measured = response
        measured.body = .stream { writer in
            let sent = Atomic<Int>(0)
            defer { finish(response.status.code, sent.load(ordering: .relaxed)) }
            let counting = HTTPBodyWriter { buffer in
                sent.add(buffer.readableBytes, ordering: .relaxed)
                try await writer.write(buffer)
            }
            try await produce(counting)
        }
        return measured
    }

    private func finish(_ code: Int, _ bytes: Int) {
        let elapsed = start.duration(to: .now).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        meter.count(handler, code: code, seconds: seconds, bytes: bytes)
    }
}
