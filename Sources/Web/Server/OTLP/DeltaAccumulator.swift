internal import ByteCoding
internal import MetricModel
internal import Synchronization

/// Adds up what OTLP streams tell as differences, so that what is stored counts from the stream's start.
///
/// Source of the behaviour: open-telemetry/opentelemetry-collector-contrib processor/deltatocumulativeprocessor, with
/// the defaults that prometheus/prometheus uses it with (storage/remote/write_otlp_handler.go).
final class DeltaAccumulator: Sendable {
    /// What a stream has come to.
    private enum Total {
        case number(OTLPMessage.NumberPoint)
        case histogram(OTLPMessage.HistogramPoint)
        case exponential(OTLPMessage.ExponentialPoint)
    }

    private struct Stream {
        var total: Total
        var lastSeen: Timestamp
    }

    private struct State {
        var streams: [[UInt8]: Stream] = [:]
        var lastCleaning: Timestamp = .min
    }

    /// Milliseconds after which a stream that tells nothing begins anew.
    static let staleAfter: Timestamp = 300_000
    /// Streams that are kept; points of further ones are left out.
    static let maximumStreams = 1_000_000

    private let state = Mutex(State())

    /// Makes all differences in `message` totals. Points that are older than what their stream told before, or overlap
    /// with it, are left out.
    /// - Parameter now: Milliseconds since 1970.
    /// - Complexity: O(message), and once a minute O(streams).
    func accumulate(_ message: inout OTLPMessage, now: Timestamp) {
        guard message.hasDeltas else { return }
        state.withLock { state in
            Self.clean(&state, now)
            for resource in message.resources.indices {
                let prefix = Self.identity(message.resources[resource].attributes)
                for scope in message.resources[resource].scopes.indices {
                    Self.accumulate(&message.resources[resource].scopes[scope], prefix, &state, now)
                }
            }
        }
    }

    private static func clean(_ state: inout State, _ now: Timestamp) {
        guard now >= state.lastCleaning &+ 60_000 else { return }
        state.lastCleaning = now
        state.streams = state.streams.filter { now &- $0.value.lastSeen <= staleAfter }
    }

    private static func accumulate(
        _ scope: inout OTLPMessage.Scope, _ prefix: [UInt8], _ state: inout State, _ now: Timestamp
    ) {
        var inScope = prefix
        append(scope.name, to: &inScope)
        append(scope.version, to: &inScope)
        inScope += identity(scope.attributes)
        for index in scope.metrics.indices where scope.metrics[index].isDelta {
            var name = inScope
            append(scope.metrics[index].name, to: &name)
            append(scope.metrics[index].unit, to: &name)
            accumulate(&scope.metrics[index], name, &state, now)
        }
        scope.metrics.removeAll { $0.isDelta }
    }

    /// Makes the points of one metric totals; it stays a delta only if none is left.
    private static func accumulate(
        _ metric: inout OTLPMessage.Metric, _ name: [UInt8], _ state: inout State, _ now: Timestamp
    ) {
        var isEmpty = true
        func total(_ point: OTLPMessage.Point, _ kind: UInt8, _ step: (Total?) -> Total?) -> Total? {
            let key = name + [kind] + identity(point.attributes)
            let known = state.streams[key]
            if known == nil, state.streams.count >= maximumStreams { return nil }
            guard let next = step(known?.total) else { return nil }
            state.streams[key] = Stream(total: next, lastSeen: now)
            isEmpty = false
            return next
        }
        switch metric.data {
        case .none, .gauge, .summary: return
        case .sum(let points, let isMonotonic):
            let totals = points.compactMap { point -> OTLPMessage.NumberPoint? in
                let made = total(point.point, isMonotonic ? 0 : 1) { known in
                    guard case .number(let known)? = known else { return .number(point) }
                    return known.adding(point).map { .number($0) }
                }
                guard case .number(let made)? = made else { return nil }
                return made
            }
            metric.data = .sum(totals, isMonotonic: isMonotonic)
        case .histogram(let points):
            metric.data = .histogram(
                points.compactMap { point in
                    let made = total(point.point, 2) { known in
                        guard case .histogram(let known)? = known else { return .histogram(point) }
                        return known.adding(point).map { .histogram($0) }
                    }
                    guard case .histogram(let made)? = made else { return nil }
                    return made
                })
        case .exponentialHistogram(let points):
            metric.data = .exponentialHistogram(
                points.compactMap { point in
                    let made = total(point.point, 3) { known in
                        guard case .exponential(let known)? = known else { return .exponential(point) }
                        return known.adding(point).map { .exponential($0) }
                    }
                    guard case .exponential(let made)? = made else { return nil }
                    return made
                })
        }
        if !isEmpty { metric.temporality = .cumulative }
    }

    // MARK: Identities

    private static func append(_ text: ByteString, to identity: inout [UInt8]) {
        Varint.append(UInt64(text.count), to: &identity)
        identity += text.bytes
    }

    private static func identity(_ attributes: [OTLPMessage.Attribute]) -> [UInt8] {
        var identity: [UInt8] = []
        Varint.append(UInt64(attributes.count), to: &identity)
        for attribute in attributes.sorted(by: { $0.key < $1.key }) {
            append(attribute.key, to: &identity)
            append(attribute.value, to: &identity)
        }
        return identity
    }
}

extension OTLPMessage {
    /// Whether any metric tells differences.
    fileprivate var hasDeltas: Bool {
        resources.contains { $0.scopes.contains { $0.metrics.contains(where: \.isDelta) } }
    }
}

extension OTLPMessage.Metric {
    fileprivate var isDelta: Bool {
        switch data {
        case .none, .gauge, .summary: false
        case .sum, .histogram, .exponentialHistogram: temporality == .delta
        }
    }
}

extension OTLPMessage.Point {
    /// This total's point after `next`: the start stays, all else is the later one's; nil if `next` does not follow.
    fileprivate func followed(by next: OTLPMessage.Point) -> OTLPMessage.Point? {
        guard next.start >= start, next.time > time else { return nil }
        var result = next
        result.start = start
        return result
    }
}

extension OTLPMessage.NumberPoint {
    fileprivate func adding(_ next: OTLPMessage.NumberPoint) -> OTLPMessage.NumberPoint? {
        guard let point = point.followed(by: next.point) else { return nil }
        return OTLPMessage.NumberPoint(point: point, value: value + next.value)
    }
}

extension OTLPMessage.HistogramPoint {
    fileprivate func adding(_ next: OTLPMessage.HistogramPoint) -> OTLPMessage.HistogramPoint? {
        guard let point = point.followed(by: next.point) else { return nil }
        // Other bounds cannot be added: the stream goes on with those.
        guard next.bounds == bounds else {
            var result = next
            result.point = point
            return result
        }
        var result = self
        result.point = point
        for (index, count) in next.counts.enumerated() where index < result.counts.count {
            result.counts[index] &+= count
        }
        result.count &+= next.count
        result.sum = sum.flatMap { sum in next.sum.map { sum + $0 } }
        return result
    }
}

extension OTLPMessage.ExponentialPoint {
    /// More buckets on a side are merged two by two.
    private static let maximumBuckets = 160

    fileprivate func adding(_ next: OTLPMessage.ExponentialPoint) -> OTLPMessage.ExponentialPoint? {
        guard let point = point.followed(by: next.point) else { return nil }
        var result = self
        result.point = point
        var added = next
        let scale = min(result.scale, added.scale)
        result.reduce(to: scale)
        added.reduce(to: scale)
        while result.scale > -10,
            Buckets.width(result.positive, added.positive) > Self.maximumBuckets
                || Buckets.width(result.negative, added.negative) > Self.maximumBuckets
        {
            result.reduce(to: result.scale - 1)
            added.reduce(to: added.scale - 1)
        }
        guard result.positive.add(added.positive), result.negative.add(added.negative) else { return nil }
        result.zeroCount &+= added.zeroCount
        result.count &+= added.count
        result.sum = sum.flatMap { sum in next.sum.map { sum + $0 } }
        return result
    }

    private mutating func reduce(to scale: Int32) {
        let shift = Int64(self.scale) - Int64(scale)
        guard shift > 0 else { return }
        positive.merge(by: shift)
        negative.merge(by: shift)
        self.scale = scale
    }
}

extension OTLPMessage.ExponentialPoint.Buckets {
    private var range: Range<Int64> { Int64(offset)..<Int64(offset) + Int64(counts.count) }

    /// How many buckets hold both.
    fileprivate static func width(_ one: Self, _ other: Self) -> Int64 {
        if one.counts.isEmpty { return Int64(other.counts.count) }
        if other.counts.isEmpty { return Int64(one.counts.count) }
        return max(one.range.upperBound, other.range.upperBound) - min(one.range.lowerBound, other.range.lowerBound)
    }

    /// Makes one bucket of each 2^`shift`.
    fileprivate mutating func merge(by shift: Int64) {
        guard !counts.isEmpty else { return }
        let first = range.lowerBound >> min(shift, 62)
        let last = (range.upperBound - 1) >> min(shift, 62)
        var merged = [UInt64](repeating: 0, count: Int(last - first) + 1)
        for (place, count) in counts.enumerated() {
            merged[Int(((range.lowerBound + Int64(place)) >> min(shift, 62)) - first)] &+= count
        }
        counts = merged
        offset = Int32(clamping: first)
    }

    /// - Returns: Whether the buckets lie where they can be added.
    fileprivate mutating func add(_ other: Self) -> Bool {
        if other.counts.isEmpty { return true }
        if counts.isEmpty {
            self = other
            return true
        }
        let width = Self.width(self, other)
        guard width <= 1 << 16 else { return false }
        let first = min(range.lowerBound, other.range.lowerBound)
        var sums = [UInt64](repeating: 0, count: Int(width))
        for buckets in [self, other] {
            for (place, count) in buckets.counts.enumerated() {
                sums[Int(buckets.range.lowerBound - first) + place] &+= count
            }
        }
        counts = sums
        offset = Int32(clamping: first)
        return true
    }
}
