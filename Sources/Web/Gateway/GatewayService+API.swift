internal import ByteCoding
internal import Gateway
internal import MetricModel
internal import NIOPosix

/// The JSON API.
///
/// Source: prometheus/pushgateway api/v1/api.go.
extension GatewayService {
    /// Upstream lets pages from anywhere read the API, which changes nothing and is not what pushes go to.
    static let apiFields = [
        HTTPField("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin"),
        HTTPField("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
        HTTPField("Access-Control-Allow-Origin", "*"), HTTPField("Access-Control-Expose-Headers", "Date"),
        HTTPField("Cache-Control", "no-cache, no-store, must-revalidate"),
    ]

    private static let jsonFields = apiFields + [HTTPField("Content-Type", "application/json")]

    func statusDocument() -> HTTPResponse {
        var bytes: [UInt8] = Array("{\"status\":\"success\",\"data\":{\"build_information\":".utf8)
        Self.appendObject(BuildInfo.fields, to: &bytes)
        bytes += ",\"flags\":".utf8
        Self.appendObject(settings.flags, to: &bytes)
        bytes += ",\"start_time\":".utf8
        JSONText.append(CivilTime.rfc3339(second: startTime.second, nanosecond: startTime.nanosecond), to: &bytes)
        bytes += "}}".utf8
        return HTTPResponse(.ok, fields: Self.jsonFields, body: .bytes(bytes))
    }

    func metricsDocument(_ request: HTTPRequest, _ responder: HTTPResponder) {
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let body = HTTPResponseBody.segments(store.metricsJSON())
            answer(.apiMetrics, request, responder, HTTPResponse(.ok, fields: Self.jsonFields, body: body))
        }
    }

    private static func appendObject(_ pairs: [(name: String, value: String)], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, pair) in pairs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(pair.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONText.append(pair.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
