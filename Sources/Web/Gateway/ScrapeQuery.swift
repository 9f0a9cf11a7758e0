internal import Gateway
internal import Matching
internal import MetricModel
internal import PromQL

/// Which part of the metrics a scrape asks for: `match[]=SELECTOR`, `shard=2/4`, `self=false`.
struct ScrapeQuery: Sendable {
    private(set) var filter = ScrapeFilter()
    /// Whether what the process exposes itself is asked for. Of several shards only the first has it.
    private(set) var includesOwn = true

    /// Everything.
    init() {}

    /// What the query of a request asks for; parameters that it does not know are left alone, as upstream does.
    /// - Throws: ``PushTarget/Invalid``: 400 with a sentence.
    init(_ head: HTTPRequestHead) throws(PushTarget.Invalid) {
        guard let query = head.rawQuery else { return }
        let parameters = QueryParameters(query)
        filter.selectors = try parameters.all("match[]").map { text throws(PushTarget.Invalid) in
            try Self.selector(text)
        }
        if let text = parameters["shard"] {
            let shard = try Self.shard(text)
            filter.shard = shard
            includesOwn = shard.index == 0
        }
        switch parameters["self"] {
        case nil, "true": break
        case "false": includesOwn = false
        case let other?:
            throw PushTarget.Invalid(
                description: "self=\(Quoting.quote(ByteString(other))) is neither true nor false")
        }
    }

    private static func selector(_ text: String) throws(PushTarget.Invalid) -> [Matcher] {
        // `{}` selects everything, which PromQL's parser takes as well.
        do throws(ParseError) {
            return try Parser().parseMetricSelector(ByteString(text))
        } catch {
            throw PushTarget.Invalid(
                description: "match[]=\(Quoting.quote(ByteString(text))) is no selector: \(error.description)")
        }
    }

    /// Shards count from 1: `1/4` to `4/4`.
    private static func shard(_ text: String) throws(PushTarget.Invalid) -> ScrapeFilter.Shard {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]), number >= 1,
            let shard = ScrapeFilter.Shard(index: number - 1, count: count)
        else {
            throw PushTarget.Invalid(
                description: "shard=\(Quoting.quote(ByteString(text))) is no shard: write 2/4 for the second of four")
        }
        return shard
    }

    /// Keeps to the groups that the sender may read. Our own metrics belong to none.
    mutating func restrict(to scope: AccessScope) {
        guard case .groups(let selectors) = scope else { return }
        filter.scope = selectors
        includesOwn = false
    }

    /// Those of our own metrics that pass.
    func own(_ families: [MetricFamily]) -> [MetricFamily] {
        guard includesOwn else { return [] }
        guard !filter.selectors.isEmpty else { return families }
        return families.compactMap { family in
            var family = family
            family.metrics.removeAll { metric in
                !filter.selectors.contains { matchers in
                    matchers.allSatisfy { Self.fulfils($0, family.name, metric) }
                }
            }
            return family.metrics.isEmpty ? nil : family
        }
    }

    private static func fulfils(_ matcher: Matcher, _ name: ByteString, _ metric: Metric) -> Bool {
        if matcher.name == Labels.metricName { return matcher.matches(name) }
        return matcher.matches(metric.labels.first { $0.name == matcher.name }?.value ?? "")
    }
}

/// Tells scrapers apart, for groups that go once so many of them have been sent it.
enum Scraper {
    private static let maximumLength = 200

    /// Who scrapes: what `?scraper=` says, else the address without its port and the program. nil for browsers, which
    /// people look through.
    ///
    /// Two Prometheus servers behind one address need `params: {scraper: [a]}` in their scrape configurations.
    static func name(_ head: HTTPRequestHead) -> ByteString? {
        if let query = head.rawQuery, let name = QueryParameters(query)["scraper"] {
            return name.isEmpty ? nil : ByteString("name " + String(name.prefix(maximumLength)))
        }
        if head.range(of: "sec-fetch-mode") != nil { return nil }
        if let accept = head["accept"], accept.contains("text/html") { return nil }
        let program = head["user-agent"] ?? ""
        return ByteString("\(head.remoteAddress?.ipAddress ?? "local") \(program.prefix(maximumLength))")
    }
}
