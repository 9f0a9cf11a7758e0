internal import Gateway
internal import Logging
internal import MetricModel
internal import NIOCore
internal import NIOPosix

/// Pushes to one group, and deletions.
///
/// Source: prometheus/pushgateway handler/push.go, handler/delete.go.
extension GatewayService {
    /// What is known of a push before its body is read, and what is counted and logged of it.
    struct PushRequest: Sendable {
        let head: HTTPRequestHead
        let size: Int
        let start: Int64
        let responder: HTTPResponder

        init(_ request: HTTPRequest, start: Int64, _ responder: HTTPResponder) {
            head = request.head
            size = GatewayMetrics.approximateSize(request)
            self.start = start
            self.responder = responder
        }
    }

    func push(
        _ request: HTTPRequest, _ target: TargetPath, mode: Push.Mode, coding: BodyCoding?, start: Int64,
        _ responder: HTTPResponder
    ) {
        let push = PushRequest(request, start: start, responder)
        let group: GroupingKey
        let wishes: PushWishes
        let key: IdempotencyKey?
        do throws(PushTarget.Invalid) {
            group = try self.group(target)
            wishes = try PushWishes(request.head, mode: mode)
            key = try RepeatedRequests.key(of: request, time: WallClock.nanoseconds())
        } catch {
            refuse(push, error.status, error.description, group: nil)
            return
        }
        let body = PushBody(request: request, coding: coding)
        if body.isSmall {
            take(body, push, group, wishes, key)
        } else {
            workers.submit { [self] state in
                guard state == .active else {
                    refuse(push, .serviceUnavailable, "the gateway is shutting down", group: group)
                    return
                }
                take(body, push, group, wishes, key)
            }
        }
    }

    func delete(_ request: HTTPRequest, _ target: TargetPath, _ responder: HTTPResponder) {
        let method = request.head.method
        let group: GroupingKey
        let key: IdempotencyKey?
        do throws(PushTarget.Invalid) {
            group = try self.group(target)
            key = try RepeatedRequests.key(of: request, time: WallClock.nanoseconds())
        } catch {
            logger.debug("failed to parse URL", metadata: ["err": "\(error)"])
            answer(
                .delete, request, responder,
                error.namesNoGroup ? HTTPResponse(.accepted) : .error(error.status, error.description))
            return
        }
        store.submit(Self.once(key, .delete(group)), on: responder.outcomes) { [metrics] outcome in
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

    /// `command`, to be done once for all requests with `key`.
    static func once(_ key: IdempotencyKey?, _ command: Command) -> Command {
        key.map { .once($0, command) } ?? command
    }

    private func take(
        _ body: PushBody, _ request: PushRequest, _ group: GroupingKey, _ wishes: PushWishes, _ key: IdempotencyKey?
    ) {
        let known = body.reading(settings, known: bodies)
        do throws(PushBody.Refused) {
            var read = known == nil ? try body.families(settings, learning: bodies) : nil
            let terms = terms(wishes, for: group)
            if let refusal = terms.rateRefusal() {
                refuse(request, Self.status(of: refusal), refusal.description, group: group)
                return
            }
            if key == nil, let known, submit(known, group, terms, request) { return }
            if let known { read = (try body.families(settings), known.shape) }
            guard let read else { return }
            var push = terms.push(group, read.families, check: check, time: WallClock.nanoseconds())
            push.shape = read.shape
            store.submit(
                Self.once(key, .push(push)), on: request.responder.outcomes, completion: finish(request, group))
        } catch {
            logger.debug(
                "failed to parse text", metadata: ["source": "\(request.head.source)", "err": "\(error.reason)"])
            refuse(request, error.status, error.reason, group: group)
        }
    }

    private var check: Push.Check { settings.checksConsistency ? .consistency : .none }

    /// - Returns: Whether the store took the push or refused it; else all of it has to be submitted.
    private func submit(
        _ known: KnownBodies.Reading, _ group: GroupingKey, _ terms: PushTerms, _ request: PushRequest
    ) -> Bool {
        guard terms.mode != .accumulate, terms.policy?.quota == nil else { return false }
        let push = ShapedPush(
            group: group, shape: known.shape, numbers: known.numbers, mode: terms.mode, check: check,
            time: WallClock.nanoseconds(), lifetime: terms.lifetime)
        return store.submit(push, on: request.responder.outcomes, completion: finish(request, group))
    }

    /// What answers a push.
    private func finish(_ request: PushRequest, _ group: GroupingKey) -> @Sendable (Outcome) -> Void {
        { [self] outcome in
            switch outcome {
            case .accepted, .each, .repeated:
                finish(request, Self.response(to: outcome, accepted: settings.checksConsistency ? .ok : .accepted))
            case .refused(let refusal):
                if !settings.checksConsistency, case .inconsistent = refusal {
                    // Upstream does not wait for the verdict when it does not check.
                    note(request, .accepted, refusal.description, group: group)
                    finish(request, HTTPResponse(.accepted))
                    return
                }
                let response = Self.response(to: outcome, accepted: .ok)
                // A full disk is not the fault of who pushes.
                let what: Logger.Message =
                    if case .inconsistent = refusal {
                        "pushed metrics are invalid or inconsistent with existing metrics"
                    } else {
                        "a push was refused"
                    }
                logger.error(
                    what,
                    metadata: [
                        "method": "\(request.head.method.name)", "source": "\(request.head.source)",
                        "err": "\(refusal)",
                    ])
                note(request, response.status, refusal.description, group: group)
                finish(request, response)
            }
        }
    }

    /// The answer to a command.
    static func response(to outcome: Outcome, accepted: HTTPStatus) -> HTTPResponse {
        switch outcome {
        case .accepted, .each: return HTTPResponse(accepted)
        case .repeated(let first):
            var response = response(to: first, accepted: accepted)
            response.fields.append(RepeatedRequests.mark)
            return response
        case .refused(let refusal):
            let retry = status(of: refusal) == .serviceUnavailable ? [HTTPField("Retry-After", "1")] : []
            return .error(status(of: refusal), refusal.description, fields: retry)
        }
    }

    /// What a refusal is called in HTTP.
    static func status(of refusal: Refusal) -> HTTPStatus {
        switch refusal {
        case .inconsistent: .badRequest
        case .keyReused: .unprocessableContent
        case .limit: .tooManyRequests
        case .unavailable, .closing: .serviceUnavailable
        }
    }

    func refuse(_ push: PushRequest, _ status: HTTPStatus, _ reason: String, group: GroupingKey?) {
        note(push, status, reason, group: group)
        finish(push, .error(status, reason))
    }

    /// Keeps a refused push for the pages.
    func note(_ push: PushRequest, _ status: HTTPStatus, _ reason: String, group: GroupingKey?) {
        refused.add(
            RefusedPushes.Entry(
                time: WallClock.nanoseconds(), method: push.head.method, group: group,
                path: RefusedPushes.shortened(String(decoding: push.head.rawPath.prefix(2000), as: UTF8.self)),
                source: push.head.source, status: status, reason: RefusedPushes.shortened(reason)))
    }

    func finish(_ push: PushRequest, _ response: HTTPResponse) {
        metrics.countPush(push.head.method, response.status, size: push.size, start: push.start)
        push.responder.complete(response)
    }
}
