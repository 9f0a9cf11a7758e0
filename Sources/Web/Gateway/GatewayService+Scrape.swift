internal import Exposition
package import Gateway
internal import MetricModel
internal import NIOPosix

/// The scrape.
///
/// Source: prometheus/client_golang prometheus/promhttp/http.go (`HandlerFor`).
extension GatewayService {
    func scrape(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let head = request.head
        var asked = ScrapeQuery()
        do throws(PushTarget.Invalid) {
            asked = try ScrapeQuery(head)
        } catch {
            responder.complete(.error(error.status, error.description))
            return
        }
        asked.restrict(to: request.scope)
        let query = asked
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            var scrape = store.scrape()
            if settings.failsOnConflicts, scrape.leftOutCount > 0 {
                let response = HTTPResponse.error(.internalServerError, Self.conflictText(scrape))
                logger.error("error gathering metrics", metadata: ["conflicts": "\(scrape.leftOutCount)"])
                return responder.complete(response)
            }
            scrape.filter = query.filter
            let own = settings.ownMetrics == .together ? query.own(ownFamilies(leftOut: scrape.leftOutCount)) : []
            var response = exposition(head) { scrape.body(own: own, format: $0, coding: $1) }
            if scrape.awaitsScrapers, let scraper = Scraper.name(head) {
                response.whenSent = { [self, scrape] in
                    workers.submit { _ in self.store.confirm(scrape, by: scraper) }
                }
            }
            responder.complete(response)
        }
    }

    /// `/metrics/self`: the process's own metrics, if they are kept apart.
    func scrapeOwn(_ request: HTTPRequest, _ responder: HTTPResponder) {
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let own = ownFamilies(leftOut: store.scrape().leftOutCount)
            responder.complete(exposition(request.head) { Scrape.body(of: own, format: $0, coding: $1) })
        }
    }

    /// An exposition in the format and coding that a client accepts.
    private func exposition(
        _ head: HTTPRequestHead, _ body: (ExpositionFormat, Scrape.Coding) -> ScrapeBody
    ) -> HTTPResponse {
        let format = Negotiation.format(accept: head["accept"], includesOpenMetrics: settings.offersOpenMetrics)
        let coding = Negotiation.contentCoding(acceptEncoding: head.values(of: "accept-encoding"))
        var fields = [HTTPField("Content-Type", format.contentType)]
        if coding != .identity { fields.append(HTTPField("Content-Encoding", coding.rawValue)) }
        let body = body(format, coding == .gzip ? .gzip : .identity)
        return HTTPResponse(.ok, fields: fields, body: Self.content(body))
    }

    /// A small body as a whole, of which the length is known; a large one while it is made.
    private static func content(_ body: ScrapeBody) -> HTTPResponseBody {
        let start = body.next(atLeast: pieceSize) ?? []
        if body.isFinished { return .segments(start) }
        return .stream { writer in
            try await writer.write(start)
            while let pieces = body.next(atLeast: pieceSize) { try await writer.write(pieces) }
        }
    }

    /// Bytes that are encoded and sent at once: some tenths of a millisecond of work.
    private static let pieceSize = 128 << 10

    private static func conflictText(_ scrape: Scrape) -> String {
        let conflicts = scrape.conflicts
        let lines = conflicts.map { family in
            "* metric family \(family.name): \(family.leftOutCount) series conflict with the type or the series of "
                + "another group; delete one of the groups, or push it again"
        }
        return "An error has occurred while serving metrics:\n\n\(conflicts.count) error(s) occurred:\n"
            + lines.joined(separator: "\n")
    }

    /// What the process exposes itself.
    func ownFamilies(leftOut: Int) -> [MetricFamily] {
        var families = metrics.families() + process.families() + runtimeFamilies(leftOut: leftOut)
        families.append(BuildInfo.family("pushgateway"))
        return families
    }

    private func runtimeFamilies(leftOut: Int) -> [MetricFamily] {
        var families: [MetricFamily] = []
        func add(_ name: ByteString, _ help: ByteString, _ type: MetricType, _ value: Double) {
            let content: MetricValue = type == .counter ? .counter(CounterValue(value)) : .gauge(value)
            families.append(
                MetricFamily(name: name, help: help, type: type, metrics: [Metric(labels: [], value: content)]))
        }
        add("narthex_gateway_groups", "Groups that are stored.", .gauge, Double(store.groupCount))
        if let policies {
            add(
                "narthex_gateway_policies_in_force",
                "Whether the policy file as it is now is in force: 0 if it cannot be used.", .gauge,
                policies.isInForce ? 1 : 0)
        }
        if let bytes = store.journalBytes {
            add(
                "narthex_gateway_journal_bytes", "Bytes of the journal since the last snapshot was begun.", .gauge,
                Double(bytes))
        }
        let removed = store.removedCounts
        add(
            "narthex_gateway_groups_expired_total", "Groups that were removed because their lifetime had ended.",
            .counter, Double(removed.expired))
        add("narthex_gateway_groups_deleted_total", "Groups that were deleted.", .counter, Double(removed.deleted))
        add(
            "narthex_gateway_watchers", "Clients that follow changes of groups.", .gauge, Double(watchers.count))
        add(
            "narthex_gateway_pushes_refused_total", "Pushes that were refused, for whatever reason.", .counter,
            Double(refused.total))
        add(
            "narthex_gateway_conflicting_series", "Series that scrapes leave out because they conflict with others.",
            .gauge,
            Double(leftOut))
        if let server = server.withLock({ $0 }) {
            add("narthex_http_connections", "Open connections.", .gauge, Double(server.connectionCount))
            add(
                "narthex_http_request_bytes_in_flight", "Bytes of requests that are held in memory.", .gauge,
                Double(server.bytesInFlight))
        }
        return families
    }

    /// The families that pushed ones must agree with.
    package static let reservedFamilies: [OwnFamily] = {
        let probe = GatewayMetrics()
        let families = probe.families() + ProcessMetrics().families() + [BuildInfo.family("pushgateway")]
        return families.map { OwnFamily(name: $0.name, type: $0.type, help: $0.help ?? "") }
    }()
}
