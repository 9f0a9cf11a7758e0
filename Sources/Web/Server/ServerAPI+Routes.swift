internal import MetricModel

/// Which handler takes which path below `/api/v1/`.
extension ServerAPI {
    /// What a path below `/api/v1/` takes.
    enum Methods {
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

    /// Answers what a path below `/api/v1/` asks for.
    func route(_ request: ServerRequest, _ path: String, _ form: FormValues) throws(APIError) -> ServerResponse {
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
    func isServed(_ method: String, _ path: String) -> Bool {
        if method == "OPTIONS" { return true }
        if ["status/walreplay", "notifications", "notifications/live"].contains(path) { return method == "GET" }
        return handler(path)?.0.include(method) ?? false
    }

    /// Answers a request, with the values of its form.
    typealias Handler = (ServerRequest, FormValues) throws(APIError) -> ServerResponse

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

    func labelValuesHandler(_ path: String) -> (Methods, Handler)? {
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
}
