internal import ByteCoding
internal import Gateway
internal import MetricModel
internal import NIOPosix

/// The list of groups, a page at a time: `GET /api/v1/groups`.
///
/// Parameters: `match[]` (selectors over the groups' labels), `search` (in labels and family names), `sort` (`labels`, `push`, `failure`, `families`, `series`),
/// `order` (`asc`, `desc`), `offset`, `limit` (up to 1000). Narthex's own; upstream has no such route.
extension GatewayService {
    /// What a list is asked for.
    struct GroupQuery: Sendable {
        var search: ByteString = ""
        var sort = "labels"
        var isDescending = false
        var offset = 0
        var limit = 100
        /// Groups that one of these selects; all if there is none.
        var selectors: [GroupSelector] = []
        /// Groups that may be seen.
        var scope = AccessScope.everything

        init() {}

        init(_ parameters: QueryParameters) {
            search = ByteString(parameters["search"] ?? "")
            sort = parameters["sort"] ?? "labels"
            isDescending = parameters["order"] == "desc"
            offset = max(0, parameters["offset"].flatMap { Int($0) } ?? 0)
            limit = min(max(0, parameters["limit"].flatMap { Int($0) } ?? 100), 1000)
        }
    }

    /// A part of the list.
    struct GroupPage {
        /// All groups that are stored.
        let total: Int
        /// Those that have the text that was searched for.
        let matched: Int
        let groups: [GroupSummary]
    }

    /// - Complexity: O(groups), and O(n log n) for sorting those that match; no series is looked at.
    func groupPage(_ query: GroupQuery) -> GroupPage {
        var found = store.summaries(containing: query.search)
        if !query.selectors.isEmpty {
            found.removeAll { group in !query.selectors.contains { $0.selects(group.key) } }
        }
        if query.scope != .everything { found.removeAll { !query.scope.includes($0.key) } }
        func order<Key: Comparable>(_ key: (GroupSummary) -> Key) {
            found.sort { left, right in
                let (a, b) = (key(left), key(right))
                if a == b { return left.key < right.key }
                return query.isDescending ? a > b : a < b
            }
        }
        switch query.sort {
        case "push": order(\.pushTime)
        case "failure": order(\.failureTime)
        case "families": order(\.familyCount)
        case "series": order(\.metricCount)
        default: order(\.key)
        }
        let isWhole = query.search.isEmpty && query.selectors.isEmpty || query.scope != .everything
        let total = isWhole ? found.count : store.groupCount
        let page = found.dropFirst(query.offset).prefix(query.limit)
        return GroupPage(total: total, matched: found.count, groups: Array(page))
    }

    func groupsDocument(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let parameters = QueryParameters(request.head.rawQuery ?? [])
        var asked = GroupQuery(parameters)
        do throws(PushTarget.Invalid) {
            asked.selectors = try Self.selectors(parameters)
        } catch {
            answer(.apiGroups, request, responder, APIAnswer.error(error.status, error.description))
            return
        }
        asked.scope = request.scope
        let query = asked
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let page = groupPage(query)
            var json = Array(
                "{\"status\":\"success\",\"data\":{\"total\":\(page.total),\"matched\":\(page.matched),".utf8)
            json += "\"now\":".utf8
            Self.append(seconds: WallClock.nanoseconds(), to: &json)
            json += ",\"groups\":[".utf8
            let sizes = store.packedBytes(of: page.groups.map(\.key))
            for (index, group) in zip(page.groups, sizes).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                Self.append(group.0, size: group.1, to: &json)
            }
            json += "]}}".utf8
            let response = HTTPResponse(
                .ok, fields: Self.apiFields + [HTTPField("Content-Type", "application/json")], body: .bytes(json))
            answer(.apiGroups, request, responder, response)
        }
    }

    private static func append(_ group: GroupSummary, size: Int, to json: inout [UInt8]) {
        json += "{\"labels\":".utf8
        APIAnswer.append(group.key, to: &json)
        let path = PushPath.text(group.key)
        json += ",\"push\":".utf8
        JSONText.append("metrics/" + path, to: &json)
        json += ",\"page\":".utf8
        JSONText.append("group/" + path, to: &json)
        json += ",\"last_push\":".utf8
        append(seconds: group.pushTime, to: &json)
        json += ",\"last_failure\":".utf8
        append(seconds: group.failureTime, to: &json)
        json += ",\"failed\":\(!group.lastPushSuccessful)".utf8
        switch group.lifetime {
        case .forever: break
        case .until(let end):
            json += ",\"expires\":".utf8
            append(seconds: end, to: &json)
        case .scrapes(let count, let seen):
            json += ",\"until_scraped\":{\"by\":\(count),\"seen\":\(seen.count)}".utf8
        }
        json += ",\"families\":\(group.familyCount),\"series\":\(group.metricCount),\"bytes\":\(size)}".utf8
    }

    private static func append(seconds nanoseconds: Int64, to json: inout [UInt8]) {
        FloatText.append(Double(nanoseconds / 1_000_000) / 1000, .fixed, to: &json)
    }
}
