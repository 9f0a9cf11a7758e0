internal import Gateway
internal import MetricModel

/// Since when the metrics of a push count: as they say themselves, or as a `…_created` gauge beside them says, which
/// is how clients write it in the text format.
struct StartTimes {
    private let push: AppliedPush?
    /// By name.
    private var families: [ByteString: StoredFamily]?

    /// - Parameter push: Whose gauges are looked at; nil for none.
    init(_ push: AppliedPush?) { self.push = push }

    /// When the metric began to count, in milliseconds; nil if nothing says so.
    mutating func start(of stored: StoredMetric, in family: ByteString) -> Timestamp? {
        let created: Int64? =
            switch stored.value {
            case .counter(let counter): counter.created
            case .summary(let summary): summary.created
            case .histogram(let histogram): histogram.created
            case .gauge, .untyped: nil
            }
        if let created { return created / 1_000_000 }
        guard let push else { return nil }
        if families == nil {
            families = Dictionary(
                (0..<push.familyCount).map { (push.family($0).name, push.family($0)) },
                uniquingKeysWith: { _, last in last })
        }
        let total: ByteString = "_total"
        let base = family.hasSuffix(total) ? family.bytes.dropLast(total.count) : family.bytes[...]
        guard let gauges = families?[ByteString(base + Array("_created".utf8))] else { return nil }
        for index in 0..<gauges.count where gauges[index].hasSameLabels(as: stored) {
            return gauges[index].number.flatMap { Timestamp(exactly: ($0 * 1000).rounded(.down)) }
        }
        return nil
    }
}
