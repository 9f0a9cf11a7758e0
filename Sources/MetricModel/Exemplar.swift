/// An example behind a sample: usually a trace id, with the value that was observed.
public struct Exemplar: Sendable, Hashable {
    /// Usually one or two: `trace_id`, `span_id`.
    public var labels: Labels
    /// What was observed.
    public var value: Double
    /// Milliseconds, or nil if the source gave no time.
    public var timestamp: Timestamp?

    /// An exemplar of `value` with `labels`.
    public init(labels: Labels, value: Double, timestamp: Timestamp? = nil) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }
}
