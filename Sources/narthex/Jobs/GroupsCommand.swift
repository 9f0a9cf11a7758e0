import FoundationEssentials
import MetricModel
import NarthexClient
import Web

/// `narthex groups`: what the gateway holds.
enum GroupsCommand {
    static let command = Command(
        "groups", "List the gateway's groups.",
        flags: [
            .init(
                "match", "Selector over grouping labels, in PromQL; may be given several times: groups of any.",
                isRepeatable: true),
            .init("search", "Text that a grouping label or the name of a family holds."),
            .init(
                "sort", "One of: labels, push, failure, families, series.",
                kind: .choice(["labels", "push", "failure", "families", "series"], named: "order"), default: "labels"),
            .toggle("desc", "The greatest first."),
            .init("limit", "Most groups to list; 0 for all.", kind: .integer, default: "100"),
            .init(
                "format", "How to print them: table or json.", kind: .choice(["table", "json"], named: "format"),
                default: "table"),
        ] + GatewayAccess.flags,
        examples: [
            "narthex groups --match='{job=~\"ci-.*\"}' --sort=push --desc",
            "narthex groups --search=backup --format=json",
        ], action: { flags in await JobFiles.reporting("groups") { try await list(flags) } })

    /// The gateway gives at most so many at a time.
    private static let page = 1000

    private static func list(_ flags: ParsedFlags) async throws {
        let wanted = flags.integer("limit") > 0 ? flags.integer("limit") : Int.max
        try await GatewayAccess(flags).withGateway { gateway in
            var rows: [Group] = []
            while true {
                let path = path(flags, offset: rows.count, limit: min(page, wanted - rows.count))
                let body = try await gateway.get(path)
                let answer = try JSONDecoder().decode(Answer.self, from: Data(body)).data
                rows += answer.groups
                if answer.groups.isEmpty || rows.count >= min(wanted, answer.matched) {
                    print(rows, answer, asJSON: flags["format"] == "json")
                    return
                }
            }
        }
    }

    private static func path(_ flags: ParsedFlags, offset: Int, limit: Int) -> String {
        var query = flags.all("match").map { ("match[]", $0) }
        if !flags["search"].isEmpty { query.append(("search", flags["search"])) }
        query += [("sort", flags["sort"]), ("order", flags.isOn("desc") ? "desc" : "asc")]
        query += [("offset", "\(offset)"), ("limit", "\(limit)")]
        return "/api/v1/groups?" + QueryText.encode(query)
    }

    private static func print(_ groups: [Group], _ answer: Answer.Content, asJSON: Bool) {
        if asJSON {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let text = (try? encoder.encode(groups)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
            Command.print(text + "\n", to: 1)
            return
        }
        var rows = [["GROUP", "LAST PUSH", "FAMILIES", "SERIES", "STAYS", "STATE"]]
        for group in groups {
            let age = group.lastPush > 0 ? Self.age(answer.now - group.lastPush) + " ago" : "never"
            rows.append(
                [
                    group.key, age, "\(group.families)", "\(group.series)", group.stay(now: answer.now),
                    group.failed ? "last push failed" : "ok",
                ])
        }
        Command.print(TextTable.text(rows), to: 1)
        if groups.count < answer.matched {
            Command.print("\(answer.matched - groups.count) more; see --limit\n", to: 2)
        }
    }

    /// `42s`, `5m`, `3h`, `12d`: one unit tells enough.
    static func age(_ seconds: Double) -> String {
        let seconds = Int(max(0, min(seconds, 1e12)))
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }
}

/// The gateway's answer, as far as it is printed.
private struct Answer: Decodable {
    struct Content: Decodable {
        var matched: Int
        var now: Double
        var groups: [Group]
    }

    var data: Content
}

private struct Group: Codable, Sendable {
    enum CodingKeys: String, CodingKey {
        case labels, push, failed, families, series, expires
        case untilScraped = "until_scraped"
        case lastPush = "last_push"
        case lastFailure = "last_failure"
    }

    var labels: [String: String]
    /// The path that pushes to it, below the gateway's address.
    var push: String
    var lastPush: Double
    var lastFailure: Double
    var failed: Bool
    var families: Int
    var series: Int
    /// When it goes, in seconds since 1970; nil if no time is set.
    var expires: Double?
    var untilScraped: Scrapes?

    /// How many scrapers have to be sent the group before it goes.
    struct Scrapes: Codable, Sendable {
        var by: Int
        var seen: Int
    }

    /// How long it stays.
    func stay(now: Double) -> String {
        if let expires { return GroupsCommand.age(expires - now) }
        return untilScraped.map { "\($0.by - $0.seen) scrapes" } ?? "forever"
    }

    /// As PromQL selects it.
    var key: String {
        let pairs = labels.sorted { ($0.key != "job", $0.key) < ($1.key != "job", $1.key) }
        return "{" + pairs.map { "\($0.key)=\(Quoting.quote(ByteString($0.value)))" }.joined(separator: ", ") + "}"
    }
}

private func < (left: (Bool, String), right: (Bool, String)) -> Bool {
    left.0 == right.0 ? left.1 < right.1 : !left.0
}
