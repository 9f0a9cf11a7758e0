internal import ByteCoding
internal import MetricModel
internal import PromQL

/// Why an API request failed, with the type that clients look at and the status that goes with it.
///
/// Source: prometheus/prometheus web/api/v1/api.go.
package struct APIError: Error, Sendable {
    /// The type of an error; the raw value is what the answer says.
    package enum Kind: String, Sendable {
        case timeout
        case canceled
        case execution
        case badData = "bad_data"
        case `internal`
        case unavailable
        case notFound = "not_found"
        case notAcceptable = "not_acceptable"

        /// The status of the answer.
        package var status: Int {
            switch self {
            case .badData: 400
            case .execution: 422
            case .canceled: 499
            case .timeout: 503
            case .internal, .unavailable: 500
            case .notFound: 404
            case .notAcceptable: 406
            }
        }
    }

    /// What kind of fault it is.
    package var kind: Kind
    /// For the user.
    package var message: String

    /// An error.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// A parameter that cannot be used.
    package static func parameter(_ name: String, _ message: String) -> APIError {
        APIError(.badData, "invalid parameter \"\(name)\": \(message)")
    }

    /// Never sent: a request of ``ServerRequest/Effort/light`` takes more than that.
    static let tooMuch = APIError(.execution, "takes longer than the thread that asks may wait")

    /// The whole answer.
    var response: ServerResponse {
        var json = Array(#"{"status":"error","errorType":""#.utf8)
        json += kind.rawValue.utf8
        json += #"","error":"#.utf8
        JSONText.append(message, to: &json)
        json.append(UInt8(ascii: "}"))
        return ServerResponse(kind.status, fields: [("Content-Type", "application/json")], body: .bytes(json))
    }
}
