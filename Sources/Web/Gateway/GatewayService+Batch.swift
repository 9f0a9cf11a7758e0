internal import ByteCoding
internal import Gateway
internal import MetricModel
package import NIOPosix

/// Many groups in one request: `PUT`, `POST` or `PATCH` of `/api/v1/push?group_by=job,instance`.
///
/// One body in any accepted format is split into groups by the labels that `group_by` names. All groups are taken or
/// none; with `atomic=false` each for itself. Narthex's own; upstream has no such route.
extension GatewayService {
    /// What a batch asks for in its query.
    private struct BatchQuery: Sendable {
        let names: [ByteString]
        let isAtomic: Bool

        init(_ head: HTTPRequestHead, allowsUTF8: Bool) throws(PushTarget.Invalid) {
            let parameters = QueryParameters(head.rawQuery ?? [])
            let names = parameters.all("group_by").flatMap { $0.split(separator: ",") }.map { ByteString(String($0)) }
            guard !names.isEmpty else {
                throw PushTarget.Invalid(
                    description: "group_by is missing: name the labels that tell groups apart, such as "
                        + "group_by=job,instance")
            }
            let validation: NameValidation = allowsUTF8 ? .utf8 : .legacy
            for name in names where !validation.isLabelName(name) || name.hasPrefix("__") {
                throw PushTarget.Invalid(description: "improper label name \(Quoting.quote(name)) in group_by")
            }
            self.names = names
            switch parameters["atomic"] {
            case nil, "true": isAtomic = true
            case "false": isAtomic = false
            case let other?:
                throw PushTarget.Invalid(
                    description: "atomic=\(Quoting.quote(ByteString(other))) is neither true nor false")
            }
        }
    }

    func pushBatch(
        _ request: HTTPRequest, mode: Push.Mode, start: Int64, _ responder: HTTPResponder
    ) {
        let push = PushRequest(request, start: start, responder)
        let coding = BodyCoding(request.head)
        let query: BatchQuery
        let wishes: PushWishes
        let key: IdempotencyKey?
        do throws(PushTarget.Invalid) {
            if let fault = coding?.startFault(request.body) { throw PushTarget.Invalid(description: fault) }
            query = try BatchQuery(request.head, allowsUTF8: settings.allowsUTF8Names)
            wishes = try PushWishes(request.head, mode: mode)
            key = try RepeatedRequests.key(of: request, time: WallClock.nanoseconds())
        } catch {
            refuseBatch(push, error.status, error.description)
            return
        }
        workers.submit { [self] state in
            guard state == .active else {
                refuseBatch(push, .serviceUnavailable, "the gateway is shutting down")
                return
            }
            take(PushBody(request: request, coding: coding), push, query, wishes, key, request.scope)
        }
    }

    private func take(
        _ body: PushBody, _ request: PushRequest, _ query: BatchQuery, _ wishes: PushWishes, _ key: IdempotencyKey?,
        _ scope: AccessScope
    ) {
        let pushes: [Push]
        do throws(PushBody.Refused) {
            pushes = try self.pushes(try body.families(settings), query, wishes)
        } catch {
            refuseBatch(request, error.status, error.reason)
            return
        }
        if let foreign = pushes.first(where: { !scope.includes($0.group) }) {
            refuseBatch(request, .forbidden, "you may not push to group \(foreign.group)")
            return
        }
        guard !pushes.isEmpty else {
            complete(request, BatchAnswer(keys: [], outcome: .accepted).response)
            return
        }
        // The answer may name thousands of groups: neither the journal nor an event loop waits for it.
        store.submit(Self.once(key, .batch(pushes, isAtomic: query.isAtomic)), on: workers) { [self] outcome in
            let answer = BatchAnswer(keys: pushes.map(\.group), outcome: outcome)
            switch outcome {
            case .refused(let refusal): note(request, Self.status(of: refusal), refusal.description, group: nil)
            case .accepted, .each:
                for (push, refusal) in zip(pushes, answer.refusals) {
                    if let refusal {
                        note(request, Self.status(of: refusal), refusal.description, group: push.group)
                    }
                }
            case .repeated: break
            }
            complete(request, answer.response)
        }
    }

    private func pushes(
        _ families: [MetricFamily], _ query: BatchQuery, _ wishes: PushWishes
    ) throws(PushBody.Refused) -> [Push] {
        let groups: [(key: GroupingKey, families: [MetricFamily])]
        do throws(GroupSplitter.Failure) {
            groups = try GroupSplitter.split(families, by: query.names)
        } catch {
            throw PushBody.Refused(status: .badRequest, reason: error.description)
        }
        let time = WallClock.nanoseconds()
        var pushes: [Push] = []
        pushes.reserveCapacity(groups.count)
        for group in groups {
            let terms = terms(wishes, for: group.key)
            // Each group counts as a push; where one comes too soon, the request does.
            if let refusal = terms.rateRefusal() {
                throw PushBody.Refused(status: Self.status(of: refusal), reason: refusal.description)
            }
            pushes.append(
                terms.push(
                    group.key, group.families, check: settings.checksConsistency ? .consistency : .none, time: time))
        }
        return pushes
    }

    private func refuseBatch(_ push: PushRequest, _ status: HTTPStatus, _ reason: String) {
        note(push, status, reason, group: nil)
        complete(push, APIAnswer.error(status, reason))
    }

    private func complete(_ push: PushRequest, _ response: HTTPResponse) {
        metrics.count(.apiPush, push.head.method, response.status)
        push.responder.complete(response)
    }
}

/// What is answered to a batch.
///
/// 200 if all groups were taken, 207 if some were refused, else the status of the refusal. JSON in the form of upstream's
/// API.
struct BatchAnswer {
    private let keys: [GroupingKey]
    private let outcome: Outcome
    /// Whether the request was not answered before.
    private let isNew: Bool

    init(keys: [GroupingKey], outcome: Outcome) {
        self.keys = keys
        if case .repeated(let first) = outcome {
            self.outcome = first
            isNew = false
        } else {
            self.outcome = outcome
            isNew = true
        }
    }

    /// Why each group was refused; nil for those that were taken.
    var refusals: [Refusal?] {
        switch outcome {
        case .accepted, .repeated: [Refusal?](repeating: nil, count: keys.count)
        case .refused(let refusal): [Refusal?](repeating: refusal, count: keys.count)
        case .each(let outcomes):
            outcomes.map { outcome in
                if case .refused(let refusal) = outcome { refusal } else { nil }
            }
        }
    }

    var response: HTTPResponse {
        var response = firstResponse
        if !isNew { response.fields.append(RepeatedRequests.mark) }
        return response
    }

    private var firstResponse: HTTPResponse {
        if case .refused(let refusal) = outcome {
            return APIAnswer.error(GatewayService.status(of: refusal), refusal.description)
        }
        let refusals = refusals
        let refusedCount = refusals.count { $0 != nil }
        var json = Array(
            "{\"status\":\"success\",\"data\":{\"groups\":\(keys.count),\"accepted\":\(keys.count - refusedCount),"
                .utf8)
        json += "\"refused\":\(refusedCount)".utf8
        if case .each = outcome {
            json += ",\"results\":[".utf8
            for (index, (key, refusal)) in zip(keys, refusals).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                json += "{\"labels\":".utf8
                APIAnswer.append(key, to: &json)
                json += ",\"status\":\(refusal.map { GatewayService.status(of: $0).code } ?? 200)".utf8
                if let refusal {
                    json += ",\"error\":".utf8
                    JSONText.append(refusal.description, to: &json)
                }
                json.append(UInt8(ascii: "}"))
            }
            json.append(UInt8(ascii: "]"))
        }
        json += "}}".utf8
        return APIAnswer.json(refusedCount == 0 ? .ok : .multiStatus, json)
    }
}

extension NIOThreadPool: OutcomeQueue {
    /// Runs `body` on one of the pool's threads; what is handed over one after the other may run at the same time.
    package func run(_ body: @escaping @Sendable () -> Void) { submit { _ in body() } }
}
