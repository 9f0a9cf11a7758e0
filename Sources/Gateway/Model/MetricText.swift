internal import ByteCoding
internal import Exposition
internal import MetricModel

/// Metrics as upstream's error texts show them: protobuf's text form on one line.
enum MetricText {
    /// In bytes: no error text grows with its cause.
    private static let maximumLength = 2048

    /// `collected metric "x" { label:{…} gauge:{value:1}}`, the start of most refusals.
    static func collected(_ name: ByteString, _ metric: Metric) -> String {
        "collected metric \(Quoting.quote(name)) { \(text(metric))}"
    }

    /// The refusal of a series that is there already.
    static func collectedBefore(_ name: ByteString, _ metric: Metric) -> String {
        collected(name, metric) + " was collected before with the same name and label values"
    }

    /// One error as it is, several as a list, as client_golang's `MultiError` prints them; a long list is cut.
    static func list(_ errors: [String]) -> String {
        guard errors.count != 1 else { return errors.first ?? "" }
        let shown = errors.prefix(20).map { "\n* \($0)" }.joined()
        let rest = errors.count > 20 ? "\n* … (\(errors.count - 20) more)" : ""
        return "\(errors.count) error(s) occurred:" + shown + rest
    }

    private static func text(_ metric: Metric) -> String {
        let line = ProtobufTextEncoder.line(metric)
        guard line.count > maximumLength else { return String(decoding: line, as: UTF8.self) }
        return String(decoding: line.prefix(maximumLength), as: UTF8.self) + "…"
    }
}
