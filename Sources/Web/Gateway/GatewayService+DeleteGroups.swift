internal import ByteCoding
internal import Gateway
internal import NIOPosix

/// Many groups deleted at once: `DELETE /api/v1/groups?match[]=…&older_than=24h&dry_run=true`.
///
/// Narthex's own; upstream has no such route.
extension GatewayService {
    /// Groups that the answer names; of more only the number is told.
    private static let namedGroups = 1000

    /// Which groups go.
    private struct DeletionQuery: Sendable {
        let selectors: [GroupSelector]
        /// Only groups whose last push came before; nanoseconds since 1970.
        let before: Int64?
        let isDryRun: Bool

        init(_ head: HTTPRequestHead, now: Int64) throws(PushTarget.Invalid) {
            let parameters = QueryParameters(head.rawQuery ?? [])
            selectors = try GatewayService.selectors(parameters)
            guard !selectors.isEmpty else {
                throw PushTarget.Invalid(
                    description: "match[] is missing: name the groups to delete, such as match[]={job=\"backup\"}; "
                        + "match[]={} selects all groups")
            }
            before = try parameters["older_than"].map { text throws(PushTarget.Invalid) in
                guard case .nanoseconds(let age)? = try? Lifetime(text: text) else {
                    throw PushTarget.Invalid(
                        description: "older_than=\"\(text)\" is no time: write 24h, 90m or 7d")
                }
                return now &- age
            }
            switch parameters["dry_run"] {
            case nil, "false": isDryRun = false
            case "true", "": isDryRun = true
            case let other?:
                throw PushTarget.Invalid(description: "dry_run=\"\(other)\" is neither true nor false")
            }
        }

        /// Whether every group is meant, whenever it was pushed.
        var isEverything: Bool { before == nil && selectors.contains { $0.matchers.isEmpty } }
    }

    /// The selectors of `match[]`.
    static func selectors(_ parameters: QueryParameters) throws(PushTarget.Invalid) -> [GroupSelector] {
        var selectors: [GroupSelector] = []
        for text in parameters.all("match[]") {
            do throws(InvalidWish) {
                selectors.append(try GroupSelector(text: text))
            } catch {
                throw PushTarget.Invalid(description: error.description)
            }
        }
        return selectors
    }

    func deleteGroups(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let query: DeletionQuery
        do throws(PushTarget.Invalid) {
            query = try DeletionQuery(request.head, now: WallClock.nanoseconds())
        } catch {
            answer(.apiGroups, request, responder, APIAnswer.error(error.status, error.description))
            return
        }
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let scope = request.scope
            var keys = store.keys(matching: query.selectors, before: query.before).sorted()
            if scope != .everything { keys.removeAll { !scope.includes($0) } }
            deleteGroups(keys, query, isEverything: query.isEverything && scope == .everything, request, responder)
        }
    }

    private func deleteGroups(
        _ keys: [GroupingKey], _ query: DeletionQuery, isEverything: Bool, _ request: HTTPRequest,
        _ responder: HTTPResponder
    ) {
        if query.isDryRun {
            answer(.apiGroups, request, responder, Self.deletion(keys, kept: [], isDryRun: true))
            return
        }
        let finish: @Sendable (Outcome) -> Void = { [self] outcome in
            guard case .refused(let refusal) = outcome else {
                // A group that was pushed meanwhile is not old any more, and stays.
                let kept = query.before == nil ? [] : store.present(keys)
                answer(.apiGroups, request, responder, Self.deletion(keys, kept: kept, isDryRun: false))
                return
            }
            let response = APIAnswer.error(Self.status(of: refusal), refusal.description)
            answer(.apiGroups, request, responder, response)
        }
        if isEverything {
            store.submit(.wipe, completion: finish)
        } else {
            store.delete(keys, before: query.before ?? .max, completion: finish)
        }
    }

    private static func deletion(_ keys: [GroupingKey], kept: Set<GroupingKey>, isDryRun: Bool) -> HTTPResponse {
        let gone = kept.isEmpty ? keys : keys.filter { !kept.contains($0) }
        var json = Array(
            "{\"status\":\"success\",\"data\":{\"dry_run\":\(isDryRun),\"deleted\":\(gone.count),\"groups\":[".utf8)
        for (index, key) in gone.prefix(namedGroups).enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            APIAnswer.append(key, to: &json)
        }
        json += "]}}".utf8
        return APIAnswer.json(.ok, json)
    }
}
