public import CoreMetrics
internal import Exposition
internal import MetricModel
internal import Synchronization

/// A swift-metrics backend that keeps the metrics of a job, to be pushed when it ends or on demand.
///
///     let registry = MetricsRegistry()
///     MetricsSystem.bootstrap(registry)
///     …
///     try await registry.push(to: gateway, key: JobKey(job: "backup"))
///
/// Counters become counters (`_total` is appended where it is missing), meters and non-aggregating recorders gauges,
/// recorders and timers histograms (timers in seconds), classic or native. Names and label names are made valid by replacing other
/// characters with `_`. Safe from any thread; recording takes a short lock and does not allocate.
public final class MetricsRegistry: MetricsFactory {
    /// Upper bounds of histogram buckets.
    public struct Buckets: Sendable {
        /// Ascending, without +Inf.
        public let bounds: [Double]

        /// Buckets up to each of `bounds`.
        public init(_ bounds: [Double]) { self.bounds = bounds.filter(\.isFinite).sorted() }

        /// From 5 ms to 10 s, as Prometheus' client libraries have it.
        public static let standard = Buckets([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

        /// From 100 ms to three hours, for jobs.
        public static let jobs = Buckets([0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10800])
    }

    /// How finely native histograms tell values apart.
    public struct Resolution: Sendable {
        /// Bounds grow by 2 to the power of 2 to the power of minus this: from -4 (a factor of 65536) over 0 (2) to 8
        /// (1.0027).
        public let schema: Int32
        /// When a histogram has more buckets than this, its schema is lowered.
        public let maximumBuckets: Int

        /// Bounds that grow by at most `factor`, above 1, with at most `maximumBuckets` buckets.
        public init(factor: Double = 1.1, maximumBuckets: Int = 160) {
            var schema: Int32 = 8
            // The bound of bucket 1 is the factor from bound to bound.
            while schema > -4, FloatHistogram.exponentialBound(1, schema: schema - 1) <= factor { schema -= 1 }
            self.schema = schema
            self.maximumBuckets = max(1, maximumBuckets)
        }
    }

    /// What recorders and timers become.
    public enum Histograms: Sendable {
        /// Histograms with fixed buckets, which every Prometheus and Pushgateway understands.
        case classic(Buckets)
        /// Native histograms, which are pushed as protobuf; the server must have them enabled.
        case native(Resolution)
    }

    private let histograms: Histograms
    private let members = Mutex<[Identity: Member]>([:])

    struct Identity: Hashable {
        let name: String
        let labels: [String]
    }

    /// An empty registry whose histograms have `buckets`.
    public convenience init(buckets: Buckets = .standard) { self.init(histograms: .classic(buckets)) }

    /// An empty registry.
    public init(histograms: Histograms) { self.histograms = histograms }

    /// All metrics in the text format, sorted by name and labels. It has no native histograms; of them, the sum and the
    /// number of observations are written.
    public func text() -> [UInt8] {
        var body: [UInt8] = []
        for family in families() { TextEncoder.append(family, to: &body) }
        return body
    }

    /// All metrics as length-delimited protobuf messages (`io.prometheus.client.MetricFamily`), sorted by name and labels.
    public func protobuf() -> [UInt8] {
        var body: [UInt8] = []
        for family in families() { ProtobufEncoder.append(family, to: &body) }
        return body
    }

    private func families() -> [MetricFamily] {
        var families: [MetricFamily] = []
        for member in members.withLock({ Array($0.values) }).sorted(by: { ($0.name, $0.order) < ($1.name, $1.order) }) {
            let name = ByteString(member.name)
            if families.last?.name != name { families.append(MetricFamily(name: name, type: member.kind.type)) }
            // A name that is used for two kinds keeps the first: one exposition can have only one type for it.
            guard families[families.count - 1].type == member.kind.type else { continue }
            families[families.count - 1].metrics.append(member.metric)
        }
        return families
    }

    /// Pushes what is there now.
    /// - Throws: ``PushGateway/Failure``.
    public func push(to gateway: PushGateway, key: JobKey, mode: PushGateway.Mode = .replaceFamilies) async throws {
        switch histograms {
        case .classic: try await gateway.push(text(), key: key, mode: mode)
        case .native: try await gateway.push(protobuf(), format: .protobuf, key: key, mode: mode)
        }
    }

    private func member(_ label: String, _ dimensions: [(String, String)], _ kind: Member.Kind) -> Member {
        var name = Self.valid(label, colons: true)
        if kind == .counter, !name.hasSuffix("_total") { name += "_total" }
        let labels = dimensions.map { (Self.valid($0.0, colons: false), $0.1) }.sorted { $0.0 < $1.0 }
        let identity = Identity(name: name, labels: [kind.rawValue] + labels.flatMap { [$0.0, $0.1] })
        return members.withLock { members in
            if let known = members[identity] { return known }
            let member = Member(name: name, labels: labels, kind: kind, histograms: histograms)
            members[identity] = member
            return member
        }
    }

    private func remove(_ handler: AnyObject) {
        members.withLock { members in
            if let (identity, _) = members.first(where: { $0.value === handler }) { members[identity] = nil }
        }
    }

    private static func valid(_ text: String, colons: Bool) -> String {
        var result = ""
        for (place, byte) in text.utf8.enumerated() {
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            if place == 0 && isDigit { result += "_" }
            let isAllowed = isLetter || isDigit || byte == UInt8(ascii: "_") || (colons && byte == UInt8(ascii: ":"))
            result.unicodeScalars.append(isAllowed ? Unicode.Scalar(byte) : "_")
        }
        return result.isEmpty ? "_" : result
    }

    // MARK: MetricsFactory

    /// A counter of whole numbers.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        member(label, dimensions, .counter)
    }

    /// A counter of any numbers.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        member(label, dimensions, .counter)
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        member(label, dimensions, .gauge)
    }

    /// A histogram, or a gauge where nothing is to be aggregated.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        member(label, dimensions, aggregate ? .histogram : .gauge)
    }

    /// A histogram of seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        member(label, dimensions, .histogram)
    }

    /// Forgets the counter.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    /// Forgets the counter.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    /// Forgets the gauge.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    /// Forgets the histogram or gauge.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    /// Forgets the histogram.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
