import DurableFiles
import Exposition
import Gateway
import MetricModel
import Synchronization
import TestSupport

extension GatewayStore {
    /// Submits a command and waits for its outcome.
    func run(_ command: Command) -> Outcome {
        let condition = Condition()
        let result = Mutex<Outcome?>(nil)
        submit(command) { outcome in
            condition.withLock {
                result.withLock { $0 = outcome }
                condition.signal()
            }
        }
        return condition.withLock {
            while true {
                if let outcome = result.withLock({ $0 }) { return outcome }
                condition.wait()
            }
        }
    }

    /// All that can be seen of the state.
    var fingerprint: String {
        String(decoding: scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
            + String(decoding: metricsJSON().flatMap { $0 }, as: UTF8.self)
    }
}

/// Random commands over few groups, families and labels, so that they meet.
struct CommandGenerator {
    var random: SeededGenerator
    var time: Int64 = 1_600_000_000_000_000_000
    let check: Push.Check

    init(seed: UInt64, check: Push.Check = .consistency) {
        random = SeededGenerator(seed: seed)
        self.check = check
    }

    mutating func next() -> Command {
        time += 1_000_000_007
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .wipe
        case 1, 2, 3: return .delete(group())
        default:
            return .push(
                Push(
                    group: group(), families: families(),
                    mode: Bool.random(using: &random) ? .replaceGroup : .replaceFamilies,
                    check: check, time: time))
        }
    }

    mutating func group() -> GroupingKey {
        var labels = [LabelPair("job", pick(["a", "b"]))]
        if Int.random(in: 0..<3, using: &random) == 0 { labels.append(LabelPair("instance", pick(["", "i", "j"]))) }
        if Int.random(in: 0..<3, using: &random) == 0 { labels.append(LabelPair("l", pick(["1", "2"]))) }
        return GroupingKey(labels)
    }

    mutating func families() -> [MetricFamily] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in family() }
    }

    private mutating func family() -> MetricFamily {
        let type: MetricType = pick([.counter, .counter, .gauge, .unknown, .summary, .histogram])
        var family = MetricFamily(
            name: pick(["x", "x_count", "y", "y_sum", "z_bucket", "z"]), help: pick([nil, "one", "two"]), type: type)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            var labels: [LabelPair] = []
            for name in ["l", "m", "instance"] as [ByteString] where Bool.random(using: &random) {
                labels.append(LabelPair(name, pick(["1", "2", "i", ""])))
            }
            let number = Double(Int.random(in: 0..<100, using: &random))
            let isTimed = Int.random(in: 0..<40, using: &random) == 0
            family.metrics.append(Metric(labels: labels, value: value(type, number), timestamp: isTimed ? 1 : nil))
        }
        return family
    }

    private func value(_ type: MetricType, _ number: Double) -> MetricValue {
        switch type {
        case .counter: .counter(CounterValue(number))
        case .gauge: .gauge(number)
        case .summary: .summary(SummaryValue(count: number, sum: number, quantiles: [.init(0.5, number)]))
        case .histogram:
            .histogram(HistogramValue(count: number, sum: 1, buckets: [.init(upperBound: 1, count: number)]))
        default: .untyped(number)
        }
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }
}
