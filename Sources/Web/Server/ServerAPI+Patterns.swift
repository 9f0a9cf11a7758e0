/// The patterns of routes, by which requests are counted.
extension ServerAPI {
    private static let fixedPatterns: Set<String> = [
        "/", "/graph", "/query", "/targets", "/service-discovery", "/config", "/flags", "/status", "/tsdb-status",
        "/rules", "/alerts", "/version", "/metrics", "/federate", "/-/healthy", "/-/ready", "/-/reload", "/-/quit",
        "/favicon.svg", "/favicon.ico", "/manifest.json",
    ]
    private static let apiPatterns: Set<String> = [
        "query", "query_range", "query_exemplars", "format_query", "parse_query", "labels", "series", "scrape_pools",
        "scrape_pools/config", "targets", "targets/metadata", "targets/relabel_steps", "metadata", "alertmanagers",
        "alerts", "rules", "write", "read", "otlp/v1/metrics", "graph.svg", "openapi.yaml", "status/config",
        "status/runtimeinfo", "status/buildinfo", "status/flags", "status/tsdb", "status/tsdb/blocks",
        "status/self_metrics", "status/walreplay", "features", "notifications", "notifications/live",
        "search/metric_names", "search/label_names", "search/label_values", "admin/tsdb/delete_series",
        "admin/tsdb/clean_tombstones", "admin/tsdb/snapshot",
    ]

    /// All patterns, for a meter that shows them from the start.
    package static var routePatterns: [String] {
        fixedPatterns.sorted() + apiPatterns.sorted().map { "/api/v1/" + $0 } + [
            "/api/v1/label/:name/values", "/static/*filepath",
        ]
    }

    /// The pattern that `path` falls under, as upstream writes it; nil for a path that is not served.
    package static func routePattern(_ path: String) -> String? {
        if fixedPatterns.contains(path) { return path }
        if path.hasPrefix("/static/") { return "/static/*filepath" }
        guard path.hasPrefix("/api/v1/") else { return nil }
        let rest = path.dropFirst("/api/v1/".count)
        if apiPatterns.contains(String(rest)) { return path }
        return rest.hasPrefix("label/") && rest.hasSuffix("/values") ? "/api/v1/label/:name/values" : nil
    }
}
