/// Why a query failed, in upstream's words.
///
/// Source: prometheus/prometheus promql/engine.go.
package enum QueryError: Error {
    /// The text is no query, or not one for this kind of request.
    case parse(ParseError)
    /// The query cannot be asked like this.
    case badData(String)
    /// It took longer than the time-out; the phase that was interrupted.
    case timedOut(during: String)
    /// It was cancelled; the phase that was interrupted.
    case cancelled(during: String)
    /// It would hold more samples than allowed.
    case tooManySamples
    /// The store failed.
    case storage(any Error)
    /// Evaluation is not possible with these data.
    case execution(String)
}

extension QueryError: CustomStringConvertible {
    /// The sentence that users see.
    package var description: String {
        switch self {
        case .parse(let error): error.description
        case .badData(let message), .execution(let message): message
        case .timedOut(let phase): "query timed out in \(phase)"
        case .cancelled(let phase): "query was canceled in \(phase)"
        case .tooManySamples: "query processing would load too many samples into memory in query execution"
        case .storage(let error): "expanding series: \(error)"
        }
    }

    static let sameLabelset = QueryError.execution("vector cannot contain metrics with the same labelset")
}
