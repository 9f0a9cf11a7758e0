internal import CoreMetrics
internal import MetricModel
internal import Synchronization

/// One metric of a registry.
final class Member: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram

        var type: MetricType {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        }
    }

    /// Where observations are counted.
    private enum Buckets {
        case none
        /// Not cumulative; the last is for +Inf.
        case classic([UInt64])
        case native(NativeBuckets)
    }

    private struct State {
        /// The counter's or gauge's value; the histogram's sum.
        var value = 0.0
        var count: UInt64 = 0
        var buckets: Buckets
    }

    let name: String
    let labels: [(String, String)]
    let kind: Kind
    /// Orders metrics of one name.
    let order: String
    private let histograms: MetricsRegistry.Histograms
    private let bounds: [Double]
    private let state: Mutex<State>

    init(name: String, labels: [(String, String)], kind: Kind, histograms: MetricsRegistry.Histograms) {
        self.name = name
        self.labels = labels
        self.kind = kind
        self.order = labels.map { "\($0.0)\u{0}\($0.1)" }.joined(separator: "\u{0}")
        self.histograms = histograms
        if case .classic(let buckets) = histograms { bounds = buckets.bounds } else { bounds = [] }
        self.state = Mutex(State(buckets: Self.empty(kind, histograms)))
    }

    private static func empty(_ kind: Kind, _ histograms: MetricsRegistry.Histograms) -> Buckets {
        guard kind == .histogram else { return .none }
        switch histograms {
        case .classic(let buckets): return .classic(Array(repeating: 0, count: buckets.bounds.count + 1))
        case .native(let resolution):
            return .native(NativeBuckets(schema: resolution.schema, maximum: resolution.maximumBuckets))
        }
    }

    /// As it is now.
    var metric: Metric {
        let labels = labels.map { LabelPair(ByteString($0.0), ByteString($0.1)) }
        return Metric(labels: labels, value: state.withLock { value($0) })
    }

    private func value(_ state: State) -> MetricValue {
        switch state.buckets {
        case .none: return kind == .counter ? .counter(CounterValue(state.value)) : .gauge(state.value)
        case .classic(let counts):
            var cumulative: UInt64 = 0
            var buckets: [HistogramValue.Bucket] = []
            for (bound, count) in zip(bounds + [.infinity], counts) {
                cumulative &+= count
                buckets.append(HistogramValue.Bucket(upperBound: bound, count: Double(cumulative)))
            }
            return .histogram(HistogramValue(count: Double(state.count), sum: state.value, buckets: buckets))
        case .native(let buckets):
            let native = buckets.histogram(count: state.count, sum: state.value)
            return .histogram(
                HistogramValue(count: Double(state.count), sum: state.value, native: .integer(native)))
        }
    }

    private func observe(_ value: Double) {
        state.withLock { state in
            switch state.buckets {
            case .none:
                state.value = value
                return
            case .classic(var counts):
                // Taken out meanwhile, so that the array is not copied.
                state.buckets = .none
                counts[bounds.firstIndex { value <= $0 } ?? bounds.count] &+= 1
                state.buckets = .classic(counts)
            case .native(var buckets):
                state.buckets = .none
                buckets.observe(value)
                state.buckets = .native(buckets)
            }
            state.value += value
            state.count &+= 1
        }
    }

    private func add(_ amount: Double) {
        state.withLock { $0.value += amount }
    }
}

extension Member: CounterHandler {
    func increment(by amount: Int64) { add(Double(amount)) }
}

extension Member: FloatingPointCounterHandler, MeterHandler {
    func set(_ value: Int64) { observe(Double(value)) }

    func set(_ value: Double) { observe(value) }

    func increment(by amount: Double) { add(amount) }

    func decrement(by amount: Double) { add(-amount) }
}

extension Member: RecorderHandler {
    func record(_ value: Int64) { observe(Double(value)) }

    func record(_ value: Double) { observe(value) }
}

extension Member: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}

extension Member {
    /// Counting starts again from zero.
    func reset() {
        state.withLock { $0 = State(buckets: Self.empty(kind, histograms)) }
    }
}
