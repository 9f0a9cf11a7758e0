internal import CoreMetrics
internal import Synchronization

/// One metric of a registry.
final class Member: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    let name: String
    let labels: [(String, String)]
    let kind: Kind
    /// Orders metrics of one name.
    let order: String
    private let bounds: [Double]
    private let state: Mutex<State>

    private struct State {
        /// The counter's or gauge's value; the histogram's sum.
        var value = 0.0
        var count: UInt64 = 0
        /// Observations in each bucket, not cumulative; the last is for +Inf. Empty unless it is a histogram.
        var buckets: [UInt64]
    }

    init(name: String, labels: [(String, String)], kind: Kind, bounds: [Double]) {
        self.name = name
        self.labels = labels
        self.kind = kind
        self.order = labels.map { "\($0.0)\u{0}\($0.1)" }.joined(separator: "\u{0}")
        self.bounds = kind == .histogram ? bounds : []
        self.state = Mutex(State(buckets: kind == .histogram ? Array(repeating: 0, count: bounds.count + 1) : []))
    }

    func write(to body: inout TextBody) {
        let (value, count, buckets) = state.withLock { ($0.value, $0.count, $0.buckets) }
        guard kind == .histogram else {
            body.sample(name, labels, value)
            return
        }
        var cumulative: UInt64 = 0
        for (bound, number) in zip(bounds, buckets) {
            cumulative += number
            body.sample(name + "_bucket", labels + [("le", "\(bound)")], Double(cumulative))
        }
        body.sample(name + "_bucket", labels + [("le", "+Inf")], Double(count))
        body.sample(name + "_sum", labels, value)
        body.sample(name + "_count", labels, Double(count))
    }

    private func observe(_ value: Double) {
        guard kind == .histogram else {
            state.withLock { $0.value = value }
            return
        }
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.value += value
            $0.count &+= 1
            $0.buckets[place] &+= 1
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
        state.withLock {
            $0.value = 0
            $0.count = 0
            for place in $0.buckets.indices { $0.buckets[place] = 0 }
        }
    }
}
