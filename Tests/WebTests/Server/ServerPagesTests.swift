import MetricModel
import PromQL
import TSDB
import TestSupport
import Testing
import Web

/// One target whose every text is hostile.
private struct HostileTargets: TargetDirectory {
    let text = "\"><script>alert(1)</script>"

    var poolNames: [String] { [text] }
    var activeTargets: [TargetStatus] {
        let labels = Labels([(name: ByteString(text), value: ByteString(text))])
        var target = TargetStatus(
            pool: text, discoveredLabels: labels, labels: labels, scrapeURL: "javascript:alert(2)",
            globalURL: "javascript:alert(2)")
        target.lastError = text
        target.health = text
        return [target]
    }
    var droppedTargets: [DroppedTargetStatus] { [] }
    var droppedCounts: [String: Int] { [:] }

    func configuration(ofPool name: String) -> String? { nil }
    func relabelSteps(ofPool name: String, _ labels: Labels) -> [RelabelStepStatus]? { nil }
}

private struct OneLine: QueryEvaluator {
    func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer {
        QueryAnswer(
            value: .matrix([
                .init(labels: Labels(["__name__": "x", "l": "</text><script>"]), floats: [(0, 1), (15_000, 2)])
            ]))
    }
}

@Suite struct ServerPagesTests {
    private let api: ServerAPI
    private let database: Database
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        database = try Database.open(folder.file("data"))
        var settings = ServerAPI.Settings()
        settings.externalPrefix = "/narthex"
        settings.flags = [("web.listen-address", "<i>:9090</i>")]
        api = ServerAPI(
            settings: settings,
            process: ServerAPI.Process(configuration: { "a: <i>" }, now: { 3_600_000 }), parser: Parser(),
            evaluator: OneLine(), targets: HostileTargets())
        api.open(database)
    }

    private func text(_ response: ServerResponse) -> String {
        if case .bytes(let bytes) = response.body { return String(decoding: bytes, as: UTF8.self) }
        return ""
    }

    private func field(_ response: ServerResponse, _ name: String) -> String? {
        response.fields.first { $0.name == name }?.value
    }

    @Test(arguments: [
        "/query", "/targets", "/service-discovery", "/config", "/flags", "/status", "/tsdb-status", "/rules", "/alerts",
    ]) func `pages escape whatever comes from outside`(path: String) throws {
        let response = api.respond(to: ServerRequest("GET", ByteString(path)))
        #expect(response.status == 200)
        let policy = try #require(field(response, "Content-Security-Policy"))
        #expect(policy.contains("default-src 'self'") && !policy.contains("unsafe"))
        let page = text(response)
        #expect(page.contains("href=\"/narthex/query\""))
        #expect(!page.contains("<script>") && !page.contains("<i>") && !page.contains("href=\"javascript:"))
    }

    @Test func `a file that the browser has is not sent again`() throws {
        let first = api.respond(to: ServerRequest("GET", "/static/app.css"))
        let tag = try #require(field(first, "ETag"))
        let again = api.respond(to: ServerRequest("GET", "/static/app.css", fields: ["if-none-match": tag]))
        #expect(first.status == 200 && again.status == 304)
        #expect(text(again).isEmpty && field(again, "ETag") == tag)
    }

    @Test(arguments: ["/", "/graph"]) func `old addresses lead to the query page`(path: String) {
        let response = api.respond(to: ServerRequest("GET", ByteString(path), query: "g0.expr=up"))
        #expect(response.status == 302)
        #expect(field(response, "Location") == "/narthex/query?g0.expr=up")
    }

    @Test func `assets are served, and nothing beside them`() {
        #expect(api.respond(to: ServerRequest("GET", "/static/query/main.js")).status == 200)
        #expect(api.respond(to: ServerRequest("GET", "/static/../Package.swift")).status == 301)
        #expect(api.respond(to: ServerRequest("POST", "/query")).status == 405)
    }

    @Test func `a range query becomes a picture`() {
        let response = api.respond(to: ServerRequest("GET", "/api/v1/graph.svg", query: "query=x&start=0&end=60"))
        #expect(response.status == 200)
        #expect(field(response, "Content-Type") == "image/svg+xml; charset=utf-8")
        let picture = text(response)
        #expect(picture.hasPrefix("<svg") && picture.contains("<path") && !picture.contains("<script"))
    }

    @Test(arguments: ["start=60&end=0", "start=0&end=60&step=0", "start=0&end=99999999&step=1", "end=x"])
    func `a picture that cannot be drawn is refused`(query: String) {
        let response = api.respond(to: ServerRequest("GET", "/api/v1/graph.svg", query: ByteString("query=x&" + query)))
        #expect(response.status == 400)
    }
}
