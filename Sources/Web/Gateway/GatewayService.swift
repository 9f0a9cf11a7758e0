package import Gateway
package import Logging
internal import NIOCore
package import NIOPosix
internal import Synchronization

/// The gateway over HTTP: routes, and what each of them answers.
///
/// Source: prometheus/pushgateway main.go.
package final class GatewayService: HTTPService {
    let store: GatewayStore
    let settings: GatewaySettings
    let logger: Logger
    package let metrics: GatewayMetrics
    package let refused = RefusedPushes()
    let process = ProcessMetrics()
    let bodies = KnownBodies()
    /// Work that would hold up an event loop.
    let workers: NIOThreadPool
    let startTime: (second: Int64, nanosecond: Int)
    /// What is done about pushes whatever clients ask for.
    let policies: PolicyBook?
    let onQuit: @Sendable () -> Void
    private let router: GatewayRouter
    /// Clients that follow changes.
    let watchers: GroupWatch
    /// The server that this service runs in, once it does, for its metrics.
    let server = Mutex<HTTPServer?>(nil)

    /// A service.
    /// - Parameters:
    ///   - workers: Threads for bodies that take long; started by the caller.
    ///   - onQuit: Called when `/-/quit` asks for the end.
    package init(
        store: GatewayStore, settings: GatewaySettings, metrics: GatewayMetrics, logger: Logger, workers: NIOThreadPool,
        policies: PolicyBook? = nil, onQuit: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        self.workers = workers
        self.policies = policies
        self.onQuit = onQuit
        startTime = WallClock.now()
        router = GatewayRouter(settings)
        watchers = GroupWatch(store: store, start: startTime, limit: settings.maximumWatchers)
    }

    /// Tells the service which server it runs in.
    package func attach(_ server: HTTPServer) { self.server.withLock { $0 = server } }

    /// Ends answers that would go on for ever, so that the server can stop.
    package func endStreams() { watchers.stop() }

    package func admit(_ head: HTTPRequestHead) -> HTTPAdmission { .accept(bodyLimit: settings.limits.bodyBytes) }

    /// What a request needs; nil if no route serves it, so that nothing but an error or a redirect comes of it.
    ///
    /// For the check of access, which comes before ``handle(_:_:)``; a path that names no valid group reaches none.
    package func claim(_ head: HTTPRequestHead) -> GatewayClaim? {
        guard case .found(let hit) = router.find(head) else { return nil }
        switch hit.entry.reach {
        case .none: return GatewayClaim(right: hit.entry.right, reach: .none)
        case .many: return GatewayClaim(right: hit.entry.right, reach: .groups)
        case .all: return GatewayClaim(right: hit.entry.right, reach: .everything)
        case .path:
            let isBase64 =
                switch hit.entry.handler {
                case .push(_, let isBase64), .delete(let isBase64), .group(let isBase64), .content(let isBase64):
                    isBase64
                default: false
                }
            let key = try? group(TargetPath(hit, isBase64: isBase64))
            return GatewayClaim(right: hit.entry.right, reach: key.map { .group($0) } ?? .none)
        }
    }

    package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let head = request.head
        if head.target.count == 1, head.bytes[head.target.lowerBound] == UInt8(ascii: "*") {
            responder.complete(head.method == .options ? HTTPResponse(.ok) : .error(.badRequest, "400 Bad Request"))
            return
        }
        if let refusal = BrowserGuard.refusal(head, allowed: settings.allowedOrigins) {
            responder.complete(refusal)
            return
        }
        let start = GatewayMetrics.now()
        switch router.find(head) {
        case .answer(let response): responder.complete(response)
        case .unrouted(let response):
            let fault = BodyCoding(head)?.startFault(request.body)
            responder.complete(fault.map { .error(.badRequest, $0) } ?? response)
        case .found(let hit):
            // Upstream unpacks bodies before it looks at the route, except below /api/v1.
            let coding = hit.entry.isAPI ? nil : BodyCoding(head)
            if let fault = coding?.startFault(request.body) {
                responder.complete(.error(.badRequest, fault))
                return
            }
            handle(request, hit, coding, start: start, responder)
        }
    }

    private func handle(
        _ request: HTTPRequest, _ hit: GatewayRouter.Hit, _ coding: BodyCoding?, start: Int64,
        _ responder: HTTPResponder
    ) {
        switch hit.entry.handler {
        case .push(.accumulate, _) where !PushWishes.isMeant(request.head): responder.complete(Self.noPatch)
        case .push(let mode, let isBase64):
            push(request, TargetPath(hit, isBase64: isBase64), mode: mode, coding: coding, start: start, responder)
        case .delete(let isBase64): delete(request, TargetPath(hit, isBase64: isBase64), responder)
        case .group(let isBase64): groupPage(request, TargetPath(hit, isBase64: isBase64), responder)
        case .content(let isBase64): groupContent(request, TargetPath(hit, isBase64: isBase64), responder)
        case .scrape: scrape(request, responder)
        case .scrapeOwn: scrapeOwn(request, responder)
        case .healthy: answer(.healthy, request, responder, health(nil))
        case .ready: answer(.ready, request, responder, health(store.refusal?.description))
        case .status: statusPage(request, responder)
        case .asset:
            let tag = request.head["if-none-match"]
            answer(.static, request, responder, asset(hit.path[hit.rest], known: tag))
        case .quit: quit(responder)
        case .quitByGet:
            responder.complete(.text(.methodNotAllowed, "Only POST or PUT requests allowed."))
        case .apiOptions: answer(.apiOptions, request, responder, HTTPResponse(.ok, fields: Self.apiFields))
        case .apiStatus: answer(.apiStatus, request, responder, statusDocument())
        case .apiMetrics: metricsDocument(request, responder)
        case .apiGroups: groupsDocument(request, responder)
        case .apiDeleteGroups: deleteGroups(request, responder)
        case .apiPush(let mode): pushBatch(request, mode: mode, start: start, responder)
        case .apiWatch: watch(request, responder)
        case .wipe: wipe(request, responder)
        }
    }

    /// The answer to a `PATCH` that does not say what it brings: upstream's, with a hint.
    private static let noPatch = HTTPResponse.error(
        .methodNotAllowed,
        "Method Not Allowed: PATCH adds to what is stored if it says what it brings: Content-Type: text/plain",
        fields: [
            HTTPField("Allow", "DELETE, OPTIONS, POST, PUT"),
            HTTPField("Accept-Patch", "text/plain, application/vnd.google.protobuf"),
        ])

    /// Answers and counts.
    func answer(
        _ handler: GatewayMetrics.Handler, _ request: HTTPRequest, _ responder: HTTPResponder, _ response: HTTPResponse
    ) {
        metrics.count(handler, request.head.method, response.status)
        responder.complete(response)
    }

    private func health(_ fault: String?) -> HTTPResponse {
        guard let fault else { return .text(.ok, "OK") }
        return .error(.serviceUnavailable, fault)
    }

    private func quit(_ responder: HTTPResponder) {
        guard settings.enablesLifecycle else {
            responder.complete(.text(.forbidden, "Lifecycle API is not enabled."))
            return
        }
        responder.complete(.text(.ok, "Requesting termination... Goodbye!"))
        onQuit()
    }

    private func wipe(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let method = request.head.method
        store.submit(.wipe) { [metrics, logger] outcome in
            logger.debug("start wiping metric store")
            let response = Self.response(to: outcome, accepted: .accepted)
            metrics.count(.wipe, method, response.status)
            responder.complete(response)
        }
    }
}

/// The group part of a path that was routed.
struct TargetPath: Sendable {
    let path: [UInt8]
    let part: Range<Int>
    let rest: Range<Int>
    let isBase64: Bool

    init(_ hit: GatewayRouter.Hit, isBase64: Bool) {
        path = hit.path
        part = hit.part
        rest = hit.rest
        self.isBase64 = isBase64
    }
}
