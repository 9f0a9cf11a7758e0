internal import Compression
internal import Exposition
internal import Gateway
internal import MetricModel
internal import NIOCore
internal import NIOPosix

/// Pushes and deletions.
///
/// Source: prometheus/pushgateway handler/push.go, handler/delete.go.
extension GatewayService {
    /// Bodies beyond this size are read on a thread of their own: the event loop has other connections.
    private static let inlineLimit = 64 << 10

    /// What is counted and logged about a push.
    private struct Report: Sendable {
        let method: HTTPMethod
        let size: Int
        let start: Int64
        let head: HTTPRequestHead
        let responder: HTTPResponder
    }

    func push(
        _ request: HTTPRequest, _ target: TargetPath, mode: Push.Mode, coding: BodyCoding?, start: Int64,
        _ responder: HTTPResponder
    ) {
        let report = Report(
            method: request.head.method, size: GatewayMetrics.approximateSize(request), start: start,
            head: request.head,
            responder: responder)
        let group: GroupingKey
        do throws(PushTarget.Invalid) {
            group = try self.group(target)
        } catch {
            refuse(report, error.status, error.description, group: nil)
            return
        }
        if coding == nil, request.body.readableBytes <= Self.inlineLimit {
            read(request.body, group, mode, report)
        } else {
            workers.submit { [self] state in
                guard state == .active else {
                    refuse(report, .serviceUnavailable, "the gateway is shutting down", group: group)
                    return
                }
                decodeAndRead(request.body, coding, group, mode, report)
            }
        }
    }

    func delete(_ request: HTTPRequest, _ target: TargetPath, _ responder: HTTPResponder) {
        let method = request.head.method
        let group: GroupingKey
        do throws(PushTarget.Invalid) {
            group = try self.group(target)
        } catch {
            logger.debug("failed to parse URL", metadata: ["err": "\(error)"])
            answer(.delete, request, responder, .error(error.status, error.description))
            return
        }
        store.submit(.delete(group)) { [metrics] outcome in
            let response = Self.response(to: outcome, accepted: .accepted)
            metrics.count(.delete, method, response.status)
            responder.complete(response)
        }
    }

    func group(_ target: TargetPath) throws(PushTarget.Invalid) -> GroupingKey {
        try PushTarget.group(
            job: target.path[target.part], isBase64: target.isBase64, rest: target.path[target.rest],
            allowsUTF8: settings.allowsUTF8Names, limits: settings.limits)
    }

    private func decodeAndRead(
        _ body: ByteBuffer, _ coding: BodyCoding?, _ group: GroupingKey, _ mode: Push.Mode, _ report: Report
    ) {
        guard let coding else {
            read(body, group, mode, report)
            return
        }
        do throws(CompressionError) {
            let decoded = try coding.decode(body, limits: settings.limits)
            decoded.withUnsafeBufferPointer { read($0, group, mode, report) }
        } catch {
            refuse(report, error.isLimit ? .contentTooLarge : .badRequest, error.description, group: group)
        }
    }

    private func read(_ body: ByteBuffer, _ group: GroupingKey, _ mode: Push.Mode, _ report: Report) {
        // SAFETY: the parsers use the bytes during the call only.
        body.withUnsafeReadableBytes { raw in
            raw.withMemoryRebound(to: UInt8.self) { read($0, group, mode, report) }
        }
    }

    private func read(
        _ bytes: UnsafeBufferPointer<UInt8>, _ group: GroupingKey, _ mode: Push.Mode, _ report: Report
    ) {
        let families: [MetricFamily]
        do throws(ParseError) {
            families = try parse(bytes, report.head)
        } catch {
            logger.debug("failed to parse text", metadata: ["source": "\(report.head.source)", "err": "\(error)"])
            refuse(report, error.isLimit ? .contentTooLarge : .badRequest, error.description, group: group)
            return
        }
        submit(families, group, mode, report)
    }

    private func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ head: HTTPRequestHead
    ) throws(ParseError) -> [MetricFamily] {
        let names: NameValidation = settings.allowsUTF8Names ? .utf8 : .legacy
        switch Self.format(head, acceptsOpenMetrics: settings.acceptsOpenMetrics) {
        case .text: return try TextParser.parse(bytes, names: names, limits: settings.limits.metrics)
        case .protobufDelimited:
            return try ProtobufParser.parse(UnsafeRawBufferPointer(bytes), limits: settings.limits.metrics)
        case .openMetrics:
            return try OpenMetricsParser.parse(Array(bytes), names: names, limits: settings.limits.metrics)
        }
    }

    /// The format by `Content-Type`; what nearly all clients send is told from its first bytes.
    private static func format(_ head: HTTPRequestHead, acceptsOpenMetrics: Bool) -> Negotiation.PushFormat {
        guard let range = head.range(of: "content-type") else { return .text }
        if head.bytes[range].starts(with: "text/plain".utf8) { return .text }
        return Negotiation.pushFormat(contentType: head["content-type"], acceptsOpenMetrics: acceptsOpenMetrics)
    }

    private func submit(_ families: [MetricFamily], _ group: GroupingKey, _ mode: Push.Mode, _ report: Report) {
        let checks = settings.checksConsistency
        let push = Push(
            group: group, families: families, mode: mode, check: checks ? .consistency : .none,
            time: WallClock.nanoseconds())
        store.submit(.push(push)) { [self] outcome in
            switch outcome {
            case .accepted, .each, .repeated:
                onStored?(group, push.time)
                finish(report, Self.response(to: outcome, accepted: checks ? .ok : .accepted))
            case .refused(let refusal):
                if !checks, case .inconsistent = refusal {
                    // Upstream does not wait for the verdict when it does not check.
                    note(report, .accepted, refusal.description, group: group)
                    finish(report, HTTPResponse(.accepted))
                    return
                }
                let response = Self.response(to: outcome, accepted: .ok)
                logger.error(
                    "pushed metrics are invalid or inconsistent with existing metrics",
                    metadata: [
                        "method": "\(report.method.name)", "source": "\(report.head.source)", "err": "\(refusal)",
                    ])
                note(report, response.status, refusal.description, group: group)
                finish(report, response)
            }
        }
    }

    /// The answer to a command.
    static func response(to outcome: Outcome, accepted: HTTPStatus) -> HTTPResponse {
        switch outcome {
        case .accepted, .each: HTTPResponse(accepted)
        case .repeated(let first): response(to: first, accepted: accepted)
        case .refused(let refusal):
            switch refusal {
            case .inconsistent: .error(.badRequest, refusal.description)
            case .keyReused: .error(.unprocessableContent, refusal.description)
            case .limit: .error(.tooManyRequests, refusal.description)
            case .unavailable, .closing:
                .error(.serviceUnavailable, refusal.description, fields: [HTTPField("Retry-After", "1")])
            }
        }
    }

    private func refuse(_ report: Report, _ status: HTTPStatus, _ reason: String, group: GroupingKey?) {
        note(report, status, reason, group: group)
        finish(report, .error(status, reason))
    }

    private func note(_ report: Report, _ status: HTTPStatus, _ reason: String, group: GroupingKey?) {
        refused.add(
            RefusedPushes.Entry(
                time: WallClock.nanoseconds(), method: report.method, group: group,
                path: RefusedPushes.shortened(String(decoding: report.head.rawPath.prefix(2000), as: UTF8.self)),
                source: report.head.source, status: status, reason: RefusedPushes.shortened(reason)))
    }

    private func finish(_ report: Report, _ response: HTTPResponse) {
        metrics.countPush(report.method, response.status, size: report.size, start: report.start)
        report.responder.complete(response)
    }
}
