internal import ByteCoding
internal import Dispatch
package import Matching
package import MetricModel
package import PromQL
package import Scrape
internal import Synchronization
package import TSDB

/// The HTTP API of the time series server, apart from sockets: requests in, answers out.
///
/// Synchronous: call it from threads that may block, not from event loops.
///
/// Source: prometheus/prometheus web/web.go and web/api/v1/api.go.
package final class ServerAPI: Sendable {
    /// What the API is allowed and told.
    package struct Settings: Sendable {
        /// `--web.enable-admin-api`.
        package var enablesAdministration = false
        /// `--web.enable-lifecycle`.
        package var enablesLifecycle = false
        /// `--web.enable-remote-write-receiver`.
        package var enablesRemoteWrite = false
        /// `--web.remote-write-receiver.accepted-protobuf-messages`.
        package var acceptedMessages = Set(RemoteWriteMessage.allCases)
        /// `--web.enable-otlp-receiver`.
        package var enablesOTLP = false
        /// Whether OTLP's deltas are stored as they are (feature `otlp-native-delta-ingestion`).
        package var storesOTLPDeltas = false
        /// Whether OTLP's deltas are added up, and stored as totals (feature `otlp-deltatocumulative`).
        package var convertsOTLPDeltas = false
        /// Whether OTLP's series get the labels `__type__` and `__unit__` (feature `type-and-unit-labels`).
        package var addsTypeAndUnitLabels = false
        /// Whether a start that comes with samples becomes a zero (feature `created-timestamp-zero-ingestion`).
        package var addsStartZeros = false
        /// Whether metadata that comes with samples is stored (feature `metadata-wal-records`).
        package var storesMetadata = false
        /// The feature `search-api`.
        package var enablesSearch = false
        /// Largest limit of a search; 0 for any (`--web.search.max-limit`).
        package var maximumSearchLimit = 10_000
        /// `--web.page-title`.
        package var pageTitle = "Narthex"
        /// Most pages that listen for notifications at a time.
        package var maximumSubscribers = 16
        /// Most remote reads at a time; 0 for any number (`--storage.remote.read-concurrent-limit`).
        package var remoteReadConcurrency = 10
        /// Largest frame of a streamed remote read, in bytes (`--storage.remote.read-max-bytes-in-frame`).
        package var remoteReadFrameSize = 1 << 20
        /// Which pages may read the API (`--web.cors.origin`); nil for all.
        package var origin: RegularExpression?
        /// The prefix that users see, for links: empty, or with a leading and without a trailing slash.
        package var externalPrefix = ""
        /// Flags and their values, for `/api/v1/status/flags`.
        package var flags: [(name: String, value: String)] = []
        /// Version and the like, by upstream's keys.
        package var buildInformation: [(name: String, value: String)] = []
        /// How far back federation looks, in milliseconds.
        package var lookbackDelta: Int64 = 5 * 60 * 1000
        /// Most samples in an answer to a remote read; 0 for no limit (`--storage.remote.read-sample-limit`).
        package var remoteReadSampleLimit = 50_000_000
        /// Most bytes of a remote write after decompression.
        package var remoteWriteLimit = 32 << 20
        /// Whether a remote write is acknowledged only once it is on disk.
        package var durability = Durability.synced
        /// Features by category, for `/api/v1/features`.
        package var features: [String: [String: Bool]] = [:]

        /// The defaults.
        package init() {}
    }

    /// What the API shows of the rest of the process, and what it sets off there.
    package struct Process: Sendable {
        /// The configuration as YAML.
        package var configuration: @Sendable () -> String
        /// Labels that remote reads and federation add.
        package var externalLabels: @Sendable () -> Labels
        /// The fields of `/api/v1/status/runtimeinfo`, as names and JSON.
        package var runtimeInformation: @Sendable () -> [(name: String, json: String)]
        /// Reads the configuration again; gives what is wrong with it, or nil.
        package var reload: @Sendable () -> String?
        /// Asks the process to end.
        package var quit: @Sendable () -> Void
        /// The process' own metrics, by name.
        package var metrics: @Sendable () -> [MetricFamily]
        /// The first and the last segment of the log that is replayed, and the one at hand.
        package var replayProgress: @Sendable () -> (minimum: Int, maximum: Int, current: Int) = { (0, 0, 0) }
        /// How OTLP is made Prometheus' own.
        package var otlp: @Sendable () -> OTLPConfiguration = { OTLPConfiguration() }
        /// The port of the gateway in the same process, for links; nil without one, or before it listens.
        package var gatewayPort: @Sendable () -> Int? = { nil }
        /// Milliseconds since 1970.
        package var now: @Sendable () -> Timestamp
        /// 63 random bits.
        package var random: @Sendable () -> UInt64 = { UInt64.random(in: 0...(UInt64.max >> 1)) }

        /// A process.
        package init(
            configuration: @escaping @Sendable () -> String = { "" },
            externalLabels: @escaping @Sendable () -> Labels = { .empty },
            runtimeInformation: @escaping @Sendable () -> [(name: String, json: String)] = { [] },
            reload: @escaping @Sendable () -> String? = { nil }, quit: @escaping @Sendable () -> Void = {},
            metrics: @escaping @Sendable () -> [MetricFamily] = { [] }, now: @escaping @Sendable () -> Timestamp
        ) {
            self.configuration = configuration
            self.externalLabels = externalLabels
            self.runtimeInformation = runtimeInformation
            self.reload = reload
            self.quit = quit
            self.metrics = metrics
            self.now = now
        }
    }

    /// Whether the server answers questions about data.
    package enum Readiness: Int, Sendable {
        case starting, ready, stopping
    }

    let settings: Settings
    let process: Process
    let parser: Parser
    let evaluator: any QueryEvaluator
    let targets: any TargetDirectory
    package let notifications: NotificationCenter
    let remoteReadSlots: DispatchSemaphore?
    let deltas = DeltaAccumulator()
    package let counters: APICounters
    private let store = Mutex<Database?>(nil)
    private let readiness = Atomic<Int>(Readiness.starting.rawValue)
    private let quitRequested = Atomic<Bool>(false)

    /// An API that is not ready yet; see ``open(_:)``.
    package init(
        settings: Settings, process: Process, parser: Parser, evaluator: any QueryEvaluator,
        targets: any TargetDirectory, counters: APICounters = APICounters()
    ) {
        self.settings = settings
        notifications = NotificationCenter(maximumSubscribers: settings.maximumSubscribers, counters: counters)
        remoteReadSlots =
            settings.remoteReadConcurrency > 0 ? DispatchSemaphore(value: settings.remoteReadConcurrency) : nil
        self.counters = counters
        self.process = process
        self.parser = parser
        self.evaluator = evaluator
        self.targets = targets
        notifications.add(NotificationCenter.starting, now: process.now())
    }

    /// From now on the API answers questions about the data in `database`.
    package func open(_ database: Database) {
        store.withLock { $0 = database }
        readiness.store(Readiness.ready.rawValue, ordering: .releasing)
        notifications.remove(NotificationCenter.starting)
    }

    /// From now on the API answers that the server is stopping.
    package func stop() {
        readiness.store(Readiness.stopping.rawValue, ordering: .releasing)
        notifications.add(NotificationCenter.stopping, now: process.now())
    }

    /// Where the data lies.
    /// - Throws: ``APIError`` before ``open(_:)``.
    func database() throws(APIError) -> Database {
        guard let database = store.withLock({ $0 }) else { throw APIError(.unavailable, "TSDB not ready") }
        return database
    }

    // MARK: Requests

    /// Answers `request`.
    package func respond(to request: ServerRequest) -> ServerResponse {
        let apiPrefix: ByteString = "/api/v1/"
        if let cleaned = PathRules.cleaned(request.path.bytes[...]) {
            return Self.redirect(request, to: cleaned, orElse: .temporaryRedirect)
        }
        guard request.path.hasPrefix(apiPrefix) else { return respondOutsideAPI(request) }
        let path = ByteString(request.path.bytes.dropFirst(apiPrefix.count))
        var response: ServerResponse
        do throws(APIError) {
            response = try route(request, path.string, FormValues(request))
        } catch {
            response = error.response
        }
        if isServed(request.method, path.string) { addOrigin(request, to: &response) }
        return response
    }

    /// Answers `request` if that takes a small part of a millisecond and waits for nothing, so that a thread that must
    /// not be held up may do it itself; nil if it may take more, or if the answer is an error:
    /// ``respond(to:)`` then gives it.
    package func respondLightly(to request: ServerRequest) -> ServerResponse? {
        let isRead = request.method == "GET" || request.method == "HEAD"
        if isRead, request.path == "/-/healthy" || request.path == "/-/ready" { return respondOutsideAPI(request) }
        let (path, longest) = (request.path.string, 4096)
        guard path.hasPrefix("/api/v1/"), request.query.count <= longest, request.body.count <= longest,
            PathRules.cleaned(request.path.bytes[...]) == nil
        else {
            return nil
        }
        let route = String(path.dropFirst("/api/v1/".count))
        switch route {
        case "query", "series", "labels": break
        default: if labelValuesHandler(route) == nil { return nil }
        }
        var light = request
        light.effort = .light
        guard var response = try? self.route(light, route, FormValues(light)), response.status == 200 else {
            return nil
        }
        addOrigin(request, to: &response)
        return response
    }

    /// Sends a client on from a path with empty, `.` or `..` parts, as Go's server does before any route is looked up.
    /// - Parameter other: The status for methods that do more than read.
    private static func redirect(
        _ request: ServerRequest, to path: [UInt8], orElse other: HTTPStatus
    ) -> ServerResponse {
        let isRead = request.method == "GET" || request.method == "HEAD"
        let status = isRead ? HTTPStatus.movedPermanently : other
        let query = request.query.isEmpty ? "" : "?" + request.query.string
        let target = request.routePrefix + PercentCoding.encodePath(path) + query
        guard isRead else { return ServerResponse(Int(status.code), fields: [("Location", target)]) }
        let link: Markup = "<a href=\"\(target)\">\(status.phrase)</a>.\n\n"
        return ServerResponse(
            Int(status.code), fields: [("Content-Type", "text/html; charset=utf-8"), ("Location", target)],
            body: .bytes(link.bytes))
    }

    /// Sends a client on from a path that is served without the slash at its end; nil for all other paths.
    ///
    /// Source: julienschmidt/httprouter, which upstream routes with. Below `/api/v1/` upstream forgets that prefix.
    private static func redirectionWithoutSlash(_ request: ServerRequest) -> ServerResponse? {
        let path = request.path.bytes
        guard path.count > 1, path.last == UInt8(ascii: "/"),
            routePattern(ByteString(path.dropLast()).string) != nil
        else { return nil }
        return redirect(request, to: Array(path.dropLast()), orElse: .permanentRedirect)
    }

    private func respondOutsideAPI(_ request: ServerRequest) -> ServerResponse {
        let isRead = request.method == "GET" || request.method == "HEAD"
        if let refusal = Self.methodRefusal(request) { return refusal }
        switch (request.path.string, isRead) {
        case ("/-/healthy", true): return .text(200, "Prometheus Server is Healthy.\n")
        case ("/-/ready", true): return unready ?? .text(200, "Prometheus Server is Ready.\n")
        case ("/-/reload", _), ("/-/quit", _): return lifecycle(request)
        case ("/metrics", true): return ownMetrics(request)
        case ("/version", true):
            return ServerResponse(
                200, fields: [("Content-Type", "text/plain; charset=utf-8")],
                body: .bytes(buildInformation + [UInt8(ascii: "\n")]))
        case ("/federate", true): return unready ?? federate(request)
        default:
            if let page = page(request) { return page }
            return Self.redirectionWithoutSlash(request) ?? .plainError(404, "404 page not found")
        }
    }

    /// What is answered for a method that a path outside the API does not take; nil if it takes it, or is no path.
    private static func methodRefusal(_ request: ServerRequest) -> ServerResponse? {
        let allowed: String
        let methods: Set<String>
        switch request.path.string {
        case "/-/healthy", "/-/ready": (allowed, methods) = ("GET, HEAD, OPTIONS", ["GET", "HEAD"])
        case "/-/reload", "/-/quit": (allowed, methods) = ("GET, OPTIONS, POST, PUT", ["GET", "POST", "PUT"])
        case "/metrics", "/federate", "/version": (allowed, methods) = ("GET, OPTIONS", ["GET"])
        default:
            guard routePattern(request.path.string) != nil else { return nil }
            (allowed, methods) = ("GET, OPTIONS", ["GET", "HEAD"])
        }
        if methods.contains(request.method) { return nil }
        guard request.method == "OPTIONS" else { return methodNotAllowed(allowed) }
        return ServerResponse(200, fields: [("Allow", allowed)])
    }

    private func lifecycle(_ request: ServerRequest) -> ServerResponse {
        guard request.method == "POST" || request.method == "PUT" else {
            return .text(405, "Only POST or PUT requests allowed")
        }
        guard settings.enablesLifecycle else { return .text(403, "Lifecycle API is not enabled.") }
        if request.path == "/-/quit" {
            if quitRequested.exchange(true, ordering: .relaxed) {
                return .text(200, "Termination already in progress.")
            }
            process.quit()
            return .text(200, "Requesting termination... Goodbye!")
        }
        if let fault = process.reload() { return .plainError(500, "failed to reload config: \(fault)") }
        return ServerResponse(200)
    }

    /// What is answered while the server is starting or stopping; nil once it is ready.
    var unready: ServerResponse? {
        switch Readiness(rawValue: readiness.load(ordering: .acquiring)) {
        case .ready: return nil
        case .stopping, nil: return Self.unavailable(isStopping: true)
        case .starting: return Self.unavailable(isStopping: false)
        }
    }

    private static func unavailable(isStopping: Bool) -> ServerResponse {
        var response = ServerResponse.text(503, "Service Unavailable")
        response.fields.append(("X-Prometheus-Stopping", isStopping ? "true" : "false"))
        return response
    }

    /// Tells browsers which pages may read the answer.
    ///
    /// Source: prometheus/prometheus util/httputil/cors.go (`SetCORS`).
    private func addOrigin(_ request: ServerRequest, to response: inout ServerResponse) {
        response.fields.append(("Vary", "Origin"))
        guard let origin = request.fields["origin"], !origin.isEmpty else { return }
        response.fields += [
            ("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin"),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Expose-Headers", "Date"),
        ]
        if settings.origin?.matches(ByteString(origin)) ?? true {
            response.fields.append(("Access-Control-Allow-Origin", origin))
        }
    }

    // MARK: Routes

    /// What a path below `/api/v1/` takes.
    private enum Methods {
        case get, getOrPost, post, postOrPut

        /// For the field `Allow`.
        var allowed: String {
            switch self {
            case .get: "GET, OPTIONS"
            case .getOrPost: "GET, OPTIONS, POST"
            case .post: "OPTIONS, POST"
            case .postOrPut: "OPTIONS, POST, PUT"
            }
        }

        func include(_ method: String) -> Bool {
            switch self {
            case .get: method == "GET"
            case .getOrPost: method == "GET" || method == "POST"
            case .post: method == "POST"
            case .postOrPut: method == "POST" || method == "PUT"
            }
        }
    }

    private func route(_ request: ServerRequest, _ path: String, _ form: FormValues) throws(APIError) -> ServerResponse
    {
        if request.method == "OPTIONS" { return ServerResponse(204) }
        if let answer = try routeWithoutReadiness(request, path) { return answer }
        if let unready { return unready }
        guard let (methods, handler) = handler(path) else {
            return Self.redirectionWithoutSlash(request) ?? .plainError(404, "404 page not found")
        }
        guard methods.include(request.method) else {
            return Self.methodNotAllowed(methods.allowed)
        }
        return try handler(request, form)
    }

    private func routeWithoutReadiness(_ request: ServerRequest, _ path: String) throws(APIError) -> ServerResponse? {
        let isRead = request.method == "GET"
        switch path {
        case "status/walreplay": return isRead ? replayStatus() : Self.methodNotAllowed(Methods.get.allowed)
        case "notifications":
            return isRead ? Self.success(notifications.json) : Self.methodNotAllowed(Methods.get.allowed)
        case "notifications/live": return isRead ? notifications.live() : Self.methodNotAllowed(Methods.get.allowed)
        default: return nil
        }
    }

    /// Whether a handler takes requests for `path` below `/api/v1/`.
    private func isServed(_ method: String, _ path: String) -> Bool {
        if method == "OPTIONS" { return true }
        if ["status/walreplay", "notifications", "notifications/live"].contains(path) { return method == "GET" }
        return handler(path)?.0.include(method) ?? false
    }

    private typealias Handler = (ServerRequest, FormValues) throws(APIError) -> ServerResponse

    private func handler(_ path: String) -> (Methods, Handler)? {
        switch path {
        case "query": (.getOrPost, query)
        case "query_range": (.getOrPost, queryRange)
        case "query_exemplars": (.getOrPost, queryExemplars)
        case "format_query": (.getOrPost, formatQuery)
        case "parse_query": (.getOrPost, parseQuery)
        case "labels": (.getOrPost, labelNames)
        case "series": (.getOrPost, series)
        case "scrape_pools": (.get, scrapePools)
        case "scrape_pools/config": (.get, scrapePoolConfiguration)
        case "targets": (.get, activeAndDroppedTargets)
        case "targets/metadata": (.get, targetMetadata)
        case "targets/relabel_steps": (.get, relabelSteps)
        case "metadata": (.get, metricMetadata)
        case "alertmanagers": (.get, alertmanagers)
        case "alerts": (.get, alerts)
        case "rules": (.get, rules)
        case "write": (.post, remoteWrite)
        case "read": (.post, remoteRead)
        case "otlp/v1/metrics": (.post, otlp)
        case "graph.svg": (.get, picture)
        case "openapi.yaml": (.get, openAPI)
        case "search/metric_names": (.getOrPost, searchMetricNames)
        case "search/label_names": (.getOrPost, searchLabelNames)
        case "search/label_values": (.getOrPost, searchLabelValues)
        default: administrationHandler(path) ?? statusHandler(path) ?? labelValuesHandler(path)
        }
    }

    private func statusHandler(_ path: String) -> (Methods, Handler)? {
        switch path {
        case "status/config": (.get, configurationStatus)
        case "status/runtimeinfo": (.get, runtimeInformation)
        case "status/buildinfo": (.get, buildStatus)
        case "status/flags": (.get, flags)
        case "status/tsdb": (.get, storeStatus)
        case "status/tsdb/blocks": (.get, blocks)
        case "status/self_metrics": (.get, selfMetrics)
        case "features": (.get, features)
        default: nil
        }
    }

    private func administrationHandler(_ path: String) -> (Methods, Handler)? {
        switch path {
        case "admin/tsdb/delete_series": (.postOrPut, deleteSeries)
        case "admin/tsdb/clean_tombstones": (.postOrPut, cleanTombstones)
        case "admin/tsdb/snapshot": (.postOrPut, snapshot)
        default: nil
        }
    }

    private func labelValuesHandler(_ path: String) -> (Methods, Handler)? {
        guard path.hasPrefix("label/"), path.hasSuffix("/values") else { return nil }
        let name = path.dropFirst("label/".count).dropLast("/values".count)
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
        return (
            .get,
            { (request, form) throws(APIError) in
                // From the bytes, which need not be UTF-8.
                let bytes = request.path.bytes.dropFirst("/api/v1/label/".utf8.count).dropLast("/values".utf8.count)
                return try self.labelValues(of: ByteString(bytes), request, form)
            }
        )
    }

    // MARK: Answers

    private static func methodNotAllowed(_ allowed: String) -> ServerResponse {
        var response = ServerResponse.plainError(405, "Method Not Allowed")
        response.fields.append(("Allow", allowed))
        return response
    }

    /// An answer with data, which is JSON already.
    static func success(_ data: [UInt8], warnings: [String] = [], infos: [String] = []) -> ServerResponse {
        var json = Array(#"{"status":"success","data":"#.utf8)
        json += data
        QueryResultJSON.appendAnnotations(warnings, infos, to: &json)
        json.append(UInt8(ascii: "}"))
        return ServerResponse(200, fields: [("Content-Type", "application/json")], body: .bytes(json))
    }

    /// An answer without anything to say.
    static var nothing: ServerResponse { ServerResponse(204) }

    static let truncated = "results truncated due to limit"
}
