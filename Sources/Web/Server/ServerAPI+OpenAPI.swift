/// A description of the API that tools can read.
extension ServerAPI {
    private struct Operation {
        var path: String
        var methods: [String]
        var summary: String
        var parameters: [(name: String, isRequired: Bool, what: String)]
    }

    func openAPI(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let version = settings.buildInformation.first { $0.name == "version" }?.value ?? ""
        let isNewer = ["3.2", "3.2.0"].contains(form.firstInQuery("openapi_version"))
        var yaml = """
            openapi: \(isNewer ? "3.2.0" : "3.1.0")
            info:
              title: Prometheus HTTP API, as served by Narthex
              version: '\(version)'
            paths:

            """
        for operation in Self.operations { yaml += Self.text(operation) }
        // Only 3.2 has words for a stream of events.
        if isNewer { yaml += Self.liveNotifications }
        return ServerResponse(
            200,
            fields: [
                ("Content-Type", "application/yaml; charset=utf-8"),
                ("Cache-Control", "no-cache, no-store, must-revalidate"),
            ], body: .bytes(Array(yaml.utf8)))
    }

    private static let liveNotifications = """
          /api/v1/notifications/live:
            get:
              summary: Notifications as they come and go
              responses:
                '200':
                  description: a stream of server-sent events
                  content:
                    text/event-stream:
                      itemSchema:
                        type: object
                        required: [data]
                        properties:
                          data:
                            type: string
                            contentMediaType: application/json
                            contentSchema:
                              type: object
                              properties:
                                text:
                                  type: string
                                date:
                                  type: string
                                  format: date-time
                                active:
                                  type: boolean
                default:
                  description: status, data or error

        """

    private static func text(_ operation: Operation) -> String {
        var yaml = "  /api/v1/\(operation.path):\n"
        for method in operation.methods {
            yaml += "    \(method):\n      summary: \(operation.summary)\n"
            let inPath = operation.path.contains("{name}") ? [("name", true, "label name")] : []
            let parameters = inPath + operation.parameters
            if !parameters.isEmpty { yaml += "      parameters:\n" }
            for (name, isRequired, what) in parameters {
                let place = operation.path.contains("{\(name)}") ? "path" : "query"
                yaml += "        - name: '\(name)'\n          in: \(place)\n          required: \(isRequired)\n"
                yaml += "          description: \(what)\n          schema:\n            type: string\n"
            }
            yaml += "      responses:\n        default:\n          description: status, data or error\n"
        }
        return yaml
    }

    private static let operations: [Operation] = {
        let query = ("query", true, "PromQL expression")
        let limit = ("limit", false, "most entries to return, 0 for all")
        let range = [
            ("start", false, "start of the range, RFC 3339 or Unix seconds"),
            ("end", false, "end of the range, RFC 3339 or Unix seconds"),
        ]
        let match = [("match[]", false, "series selector, may be repeated")]
        let evaluation = [
            limit, ("timeout", false, "longest time of evaluation"),
            ("lookback_delta", false, "how far back samples are looked for"),
            ("stats", false, "true or all for statistics of the query"),
        ]
        let both = ["get", "post"]
        return [
            Operation(
                path: "query", methods: both, summary: "Evaluate an instant query",
                parameters: [query, ("time", false, "moment of evaluation")] + evaluation),
            Operation(
                path: "query_range", methods: both, summary: "Evaluate a query over a range",
                parameters: [query, ("start", true, "first moment"), ("end", true, "last moment")]
                    + [("step", true, "time between moments")] + evaluation),
            Operation(
                path: "query_exemplars", methods: both, summary: "Exemplars of the series in a query",
                parameters: [query] + range),
            Operation(path: "format_query", methods: both, summary: "Format a query", parameters: [query]),
            Operation(path: "parse_query", methods: both, summary: "Syntax tree of a query", parameters: [query]),
            Operation(path: "series", methods: both, summary: "Find series", parameters: match + range + [limit]),
            Operation(path: "labels", methods: both, summary: "Label names", parameters: match + range + [limit]),
            Operation(
                path: "label/{name}/values", methods: ["get"], summary: "Values of a label",
                parameters: match + range + [limit]),
            Operation(
                path: "metadata", methods: ["get"], summary: "Metadata of metrics",
                parameters: [limit, ("limit_per_metric", false, "most entries a metric"), ("metric", false, "metric")]),
            Operation(
                path: "targets", methods: ["get"], summary: "Targets",
                parameters: [("state", false, "active, dropped or any"), ("scrapePool", false, "name of a pool")]),
            Operation(
                path: "targets/metadata", methods: ["get"], summary: "Metadata by target",
                parameters: [("match_target", false, "selector of targets"), ("metric", false, "metric"), limit]),
            Operation(
                path: "targets/relabel_steps", methods: ["get"], summary: "What relabelling makes of labels",
                parameters: [("scrapePool", true, "name of a pool"), ("labels", true, "labels as JSON")]),
            Operation(path: "scrape_pools", methods: ["get"], summary: "Names of scrape pools", parameters: []),
            Operation(
                path: "scrape_pools/config", methods: ["get"], summary: "Configuration of a scrape pool",
                parameters: [("scrapePool", true, "name of a pool")]),
            Operation(
                path: "rules", methods: ["get"], summary: "Rules",
                parameters: [("type", false, "alert or record")] + match),
            Operation(path: "alerts", methods: ["get"], summary: "Active alerts", parameters: []),
            Operation(path: "alertmanagers", methods: ["get"], summary: "Alertmanagers", parameters: []),
            Operation(path: "status/config", methods: ["get"], summary: "Configuration", parameters: []),
            Operation(path: "status/flags", methods: ["get"], summary: "Flags", parameters: []),
            Operation(path: "status/runtimeinfo", methods: ["get"], summary: "The running process", parameters: []),
            Operation(path: "status/buildinfo", methods: ["get"], summary: "Version", parameters: []),
            Operation(path: "status/tsdb", methods: ["get"], summary: "Cardinality of the head", parameters: [limit]),
            Operation(path: "status/tsdb/blocks", methods: ["get"], summary: "Blocks", parameters: []),
            Operation(path: "status/walreplay", methods: ["get"], summary: "Progress of the start", parameters: []),
            Operation(path: "features", methods: ["get"], summary: "Features", parameters: []),
            Operation(path: "notifications", methods: ["get"], summary: "Notifications", parameters: []),
            Operation(
                path: "admin/tsdb/delete_series", methods: ["post", "put"], summary: "Delete series",
                parameters: [("match[]", true, "series selector, may be repeated")] + range),
            Operation(
                path: "admin/tsdb/clean_tombstones", methods: ["post", "put"], summary: "Free the space of deletions",
                parameters: []),
            Operation(
                path: "admin/tsdb/snapshot", methods: ["post", "put"], summary: "Copy the database",
                parameters: [("skip_head", false, "leave out what is only in memory")]),
            Operation(path: "write", methods: ["post"], summary: "Remote write, versions 1 and 2", parameters: []),
            Operation(path: "read", methods: ["post"], summary: "Remote read", parameters: []),
        ]
    }()
}
