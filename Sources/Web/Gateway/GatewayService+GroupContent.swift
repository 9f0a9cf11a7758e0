internal import Exposition
internal import Gateway
internal import MetricModel
internal import NIOPosix

/// `GET` on the path of a push: what the group holds, as text that could be pushed again, or as JSON.
///
/// Only with `--push.enable-get`: upstream answers 405.
extension GatewayService {
    func groupContent(_ request: HTTPRequest, _ target: TargetPath, _ responder: HTTPResponder) {
        let key: GroupingKey
        do throws(PushTarget.Invalid) {
            key = try group(target)
        } catch {
            answer(.push, request, responder, .error(error.status, error.description))
            return
        }
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            guard let group = store.group(key) else {
                answer(.push, request, responder, .error(.notFound, "there is no group \(key.description)"))
                return
            }
            answer(.push, request, responder, Self.content(group, request.head))
        }
    }

    private static func content(_ group: GroupView, _ head: HTTPRequestHead) -> HTTPResponse {
        let accept = head["accept"]
        if let accept, accept.split(separator: ",").contains(where: { $0.contains("application/json") }) {
            return APIAnswer.json(.ok, Array("{\"status\":\"success\",\"data\":".utf8) + group.json + Array("}".utf8))
        }
        let format = Negotiation.format(accept: accept, includesOpenMetrics: true)
        let families = group.families.map { family in
            MetricFamily(
                name: family.name, help: family.help, type: family.type, unit: family.unit, metrics: family.metrics)
        }
        let body = Scrape.body(of: families, format: format, coding: .identity)
        return HTTPResponse(
            .ok, fields: [HTTPField("Content-Type", format.contentType), HTTPField("Vary", "Accept")],
            body: .bytes(body.bytes))
    }
}
