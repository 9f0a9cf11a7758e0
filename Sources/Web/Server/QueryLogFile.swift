internal import ByteCoding
internal import MetricModel
internal import PromQL

#if canImport(Glibc)
internal import Glibc
#endif

/// The query log (`query_log_file`): a line of JSON for each query that was evaluated.
///
/// Source of the form: prometheus/prometheus promql/engine.go (`exec`) and util/logging/file.go.
final class QueryLogFile: Sendable {
    private let descriptor: Int32

    /// Opens the file at `path` to append to it; nil if it cannot be opened, with the reason in `errno`.
    init?(path: String) {
        let opened = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
        if opened < 0 { return nil }
        descriptor = opened
    }

    deinit { _ = close(descriptor) }

    /// Appends a line about `query`.
    /// - Returns: Whether all of it was written.
    func write(_ query: FinishedQuery, at now: Timestamp) -> Bool {
        let line = Self.line(query, at: now)
        // One call a line, so that lines of several queries do not mix.
        return line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == line.count
    }

    /// The line about `query`, with its line feed.
    static func line(_ query: FinishedQuery, at now: Timestamp) -> [UInt8] {
        var json = Array(#"{"time":""#.utf8)
        json += CivilTime.rfc3339(milliseconds: now).utf8
        json += #"","level":"INFO","source":"engine.go","msg":"promql query logged","params":{"end":""#.utf8
        let (start, end, step) =
            switch query.time {
            case .instant(let time): (time, time, Int64(0))
            case .range(let start, let end, let step): (start, end, step)
            }
        json += CivilTime.rfc3339(milliseconds: end).utf8
        json += #"","query":"#.utf8
        JSONText.append(query.query, to: &json)
        json += ",\"start\":\"\(CivilTime.rfc3339(milliseconds: start))\",\"step\":\(step / 1000)}".utf8
        if let failure = query.failure {
            json += #","error":"#.utf8
            JSONText.append(failure.description, to: &json)
        }
        json += #","stats":"#.utf8
        QueryResultJSON.append(QueryAnswer.Statistics(query.statistics), to: &json)
        json += ",\"spanID\":\"0000000000000000\",\"traceID\":\"00000000000000000000000000000000\"".utf8
        if let origin = query.origin {
            for (name, value) in [("clientIP", origin.client), ("method", origin.method), ("path", origin.path)] {
                json += (name == "clientIP" ? ",\"httpRequest\":{" : ",").utf8
                json += "\"\(name)\":".utf8
                JSONText.append(value, to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
        json += "}\n".utf8
        return json
    }
}
