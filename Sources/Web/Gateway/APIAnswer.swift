internal import ByteCoding
internal import Gateway
internal import MetricModel

/// Answers of the routes that are Narthex's own, in the form of upstream's JSON API.
enum APIAnswer {
    /// `{"status":"error","errorType":"bad_data","error":"…"}`.
    ///
    /// Source: prometheus/pushgateway api/v1/api.go (`respondError`).
    static func error(_ status: HTTPStatus, _ reason: String) -> HTTPResponse {
        let type =
            switch status {
            case .badRequest, .unprocessableContent, .contentTooLarge: "bad_data"
            case .tooManyRequests: "limit"
            case .notFound: "not_found"
            case .forbidden: "forbidden"
            default: "unavailable"
            }
        var json = Array("{\"status\":\"error\",\"errorType\":\"\(type)\",\"error\":".utf8)
        JSONText.append(reason, to: &json)
        json.append(UInt8(ascii: "}"))
        var response = self.json(status, json)
        if status == .serviceUnavailable { response.fields.append(HTTPField("Retry-After", "1")) }
        return response
    }

    /// A body of JSON that pages of other origins may not read.
    static func json(_ status: HTTPStatus, _ json: [UInt8]) -> HTTPResponse {
        HTTPResponse(
            status,
            fields: [
                HTTPField("Content-Type", "application/json"), HTTPField("X-Content-Type-Options", "nosniff"),
                HTTPField("Cache-Control", "no-store"),
            ], body: .bytes(json))
    }

    /// Appends the labels of a group as an object.
    static func append(_ key: GroupingKey, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "{"))
        for (index, label) in key.labels.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            JSONText.append(label.name, to: &json)
            json.append(UInt8(ascii: ":"))
            JSONText.append(label.value, to: &json)
        }
        json.append(UInt8(ascii: "}"))
    }
}
