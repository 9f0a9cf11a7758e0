internal import Matching
internal import MetricModel
internal import PromQL
internal import TSDB

/// Dashboard queries on a store: the 8,700 series and the questions of the project's `bench query`, without HTTP.
///
///     PromQLBenchmarks dashboard DIRECTORY [WORD…]
///
/// Fills the directory if it is empty. Prints, for each query that contains one of the words, the median of several
/// runs, and their CPU time each.
enum DashboardBenchmarks {
    private static let hours: Int64 = 6
    private static let stepCount = Int(hours) * 240
    private static let end: Timestamp = 1_700_006_400_000
    private static let begin = end - hours * 3_600_000

    static func run(_ directory: String, _ words: [String]) throws {
        let database = try Database.open(directory)
        if try database.querier(from: .min, to: .max).select([], limit: 1).isEmpty {
            try Usage.measure("fill") { try fill(database) }
        }
        let source = DatabaseSource(database: database)
        let engine = Engine(options: EngineOptions())
        let repeats = words.contains("-") ? 400 : 11
        let words = words.filter { $0 != "-" }
        for (name, kind, query) in queries where words.isEmpty || words.contains(where: { name.contains($0) }) {
            var runs: [Duration] = []
            let cpu = Usage.cpuSeconds
            for index in 0..<repeats {
                let time = self.time(kind, end - 15_000 * Int64(1 + index % 16))
                let start = ContinuousClock.now
                _ = try engine.evaluate(ByteString(query), over: source, at: time)
                runs.append(ContinuousClock.now - start)
            }
            let median = runs.sorted()[runs.count / 2] / .milliseconds(1)
            let each = (Usage.cpuSeconds - cpu) / Double(repeats) * 1000
            print("\(rounded(median)) ms\t\(rounded(each)) ms CPU\t\(name) [\(kind)]")
        }
        try database.close()
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    private enum Kind { case now, hour, full }

    private static func time(_ kind: Kind, _ end: Timestamp) -> Engine.Time {
        switch kind {
        case .now: .instant(end)
        case .hour: .range(start: end - 3_600_000, end: end, step: 15_000)
        case .full: .range(start: begin + 3_600_000, end: end, step: 60_000)
        }
    }

    private static let queries: [(String, Kind, String)] = [
        ("up count", .now, "count by (job) (up == 1)"),
        ("raw vector", .now, "node_cpu_seconds_total"),
        ("sum by rate", .now, "sum by (mode) (rate(node_cpu_seconds_total[5m]))"),
        (
            "histogram_quantile", .now,
            "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"
        ),
        ("topk", .now, "topk(5, sum by (instance, handler) (rate(http_requests_total[5m])))"),
        ("absent", .now, #"absent(up{job="missing"})"#),
        ("predict_linear", .now, #"predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[1h], 4 * 3600) < 0"#),
        ("distinct", .now, "count(count by (instance) (node_cpu_seconds_total))"),
        ("subquery", .now, "max_over_time(sum by (cluster) (rate(http_requests_total[1m]))[1h:1m])"),
        (
            "alert join", .now,
            #"(sum by (instance) (rate(http_requests_total{code="500"}[5m])) / on (instance) "#
                + "sum by (instance) (rate(http_requests_total[5m])) > 0.005) * on (instance) group_left (version) "
                + "app_build_info"
        ),
        ("rate one host", .hour, #"rate(node_cpu_seconds_total{instance="host-003:9100",mode!="idle"}[5m])"#),
        ("cpu busy by host", .hour, #"100 - 100 * avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))"#),
        (
            "quantile by", .hour,
            "histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))"
        ),
        (
            "error ratio", .hour,
            #"sum by (handler) (rate(http_requests_total{code=~"5.."}[5m])) / "#
                + "sum by (handler) (rate(http_requests_total[5m]))"
        ),
        ("gauge division", .hour, "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"),
        ("group_left", .hour, "node_load1 * on (instance) group_left (release, nodename) node_uname_info"),
        (
            "regex", .hour,
            #"sum by (cluster) (rate(node_cpu_seconds_total{instance=~"host-0[0-4].*",mode=~"user|system","#
                + #"cluster!~"dev|staging"}[5m]))"#
        ),
        ("topk range", .hour, "topk(5, rate(node_network_receive_bytes_total[5m]))"),
        ("avg_over_time", .hour, "avg_over_time(node_memory_MemAvailable_bytes[30m])"),
        ("quantile_over_time", .hour, "quantile_over_time(0.95, node_load1[1h])"),
        (
            "label_replace", .hour,
            "sum by (host) (label_replace(rate(node_network_receive_bytes_total[5m]), "
                + #""host", "$1", "instance", "(.*):.*"))"#
        ),
        ("offset", .hour, "sum(rate(http_requests_total[5m])) / sum(rate(http_requests_total[5m] offset 30m))"),
        (
            "subquery range", .hour,
            #"avg_over_time(sum by (cluster) (rate(http_requests_total{handler="/login"}[2m]))[30m:1m])"#
        ),
        ("churned pods", .full, "sum by (namespace) (pod_cpu_usage)"),
        ("high cardinality", .full, "sum(rate(node_cpu_seconds_total[5m]))"),
        ("sum by mode, all", .full, "sum by (cluster, mode) (rate(node_cpu_seconds_total[5m]))"),
        ("increase 1h", .full, "sum by (cluster, code) (increase(http_requests_total[1h]))"),
        (
            "avg duration", .full,
            "sum by (handler) (rate(http_request_duration_seconds_sum[5m])) / "
                + "sum by (handler) (rate(http_request_duration_seconds_count[5m]))"
        ),
    ]

    // MARK: Data

    /// A series whose values follow from its number and the step alone.
    private struct Member {
        let labels: Labels
        let isCounter: Bool
        let scale: Double
        var steps: Range<Int> = 0..<stepCount
        var isConstant = false
    }

    private static func fill(_ database: Database) throws {
        let members = self.members()
        var last = [Double](repeating: 0, count: members.count)
        var references = [SeriesReference](repeating: .none, count: members.count)
        for step in 0..<stepCount {
            let appender = database.appender()
            let time = begin + Int64(step) * 15_000
            for (index, member) in members.enumerated() where member.steps.contains(step) {
                let change = (noise(index, step) * member.scale * 100).rounded() / 100
                last[index] = member.isConstant ? 1 : member.isCounter ? last[index] + change : change
                let value =
                    step == member.steps.upperBound - 1 && step < stepCount - 1 ? SampleValue.stale : last[index]
                references[index] = try appender.append(
                    references[index], labels: member.labels, timestamp: time, value: value)
            }
            _ = try appender.commit(.relaxed)
            if step % 240 == 239 { try database.maintain(now: time) }
        }
    }

    private static func noise(_ series: Int, _ step: Int) -> Double {
        var state = UInt64(series) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(step) &* 0xBF58_476D_1CE4_E5B9
        state ^= state >> 29
        state = state &* 0x94D0_49BB_1331_11EB
        return Double((state ^ (state >> 32)) % 8191) / 8191
    }

    private static let modes = ["idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"]
    private static let clusters = ["prod-eu", "prod-us", "staging", "dev"]
    private static let handlers = [
        "/", "/login", "/logout", "/api/v1/items", "/api/v1/orders", "/api/v1/users", "/api/v1/search",
        "/api/v2/items", "/healthz", "/metrics",
    ]
    private static let bounds = [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
    ]

    private static func members() -> [Member] {
        var members: [Member] = []
        func add(_ name: String, _ common: [(String, String)], _ own: [(String, String)], _ scale: Double) {
            let pairs = [("__name__", name)] + common + own
            members.append(
                Member(
                    labels: Labels(pairs.map { (ByteString($0.0), ByteString($0.1)) }),
                    isCounter: name.contains("_total") || name.contains("_bucket") || name.hasSuffix("_sum")
                        || name.hasSuffix("_count"), scale: scale))
            if name == "up" || name.hasSuffix("_info") { members[members.count - 1].isConstant = true }
        }
        for host in 0..<100 {
            let digits = String(1000 + host).dropFirst()
            let common = [("job", "node"), ("instance", "host-\(digits):9100"), ("cluster", clusters[host % 4])]
            for cpu in 0..<4 {
                for mode in modes { add("node_cpu_seconds_total", common, [("cpu", "\(cpu)"), ("mode", mode)], 15) }
            }
            for name in ["node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"] { add(name, common, [], 1e9) }
            add("node_load1", common, [], 8)
            for mount in ["/", "/var", "/data"] {
                add("node_filesystem_avail_bytes", common, [("mountpoint", mount), ("fstype", "ext4")], 5e11)
            }
            for device in ["eth0", "eth1"] {
                add("node_network_receive_bytes_total", common, [("device", device)], 4e6)
            }
            add("node_uname_info", common, [("nodename", "host-\(digits)"), ("release", "6.1.\(host % 3)")], 1)
            add("up", common, [], 1)
        }
        for app in 0..<20 {
            let digits = String(100 + app).dropFirst()
            let common = [("job", "api"), ("instance", "api-\(digits):8080"), ("cluster", clusters[app % 4])]
            for handler in handlers {
                for method in ["GET", "POST"] {
                    for code in ["200", "404", "500"] {
                        let own = [("handler", handler), ("method", method), ("code", code)]
                        add("http_requests_total", common, own, 300)
                    }
                }
                let name = "http_request_duration_seconds"
                for bound in bounds { add(name + "_bucket", common, [("handler", handler), ("le", bound)], 500) }
                for part in ["_sum", "_count"] { add(name + part, common, [("handler", handler)], 60) }
            }
            add("app_build_info", common, [("version", "2.\(app % 3).1")], 1)
            add("up", common, [], 1)
        }
        for pod in 0..<100 {
            for life in 0..<4 {
                add("pod_cpu_usage", [("namespace", "team-\(pod % 8)")], [("pod", "api-\(life)-\(pod)")], 2)
                members[members.count - 1].steps = (life * stepCount / 4)..<((life + 1) * stepCount / 4)
            }
        }
        return members
    }
}

/// Lets the engine read the store.
private struct DatabaseSource: SeriesSource {
    private struct Member: PromQL.SelectedSeries {
        let series: TSDB.SelectedSeries

        var labels: Labels { series.labels }

        func read(into columns: inout SampleColumns) throws { try series.read(into: &columns) }
    }

    let database: Database

    func select(
        _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
    ) throws -> SeriesSelection {
        SeriesSelection(
            series: try database.querier(from: start, to: end).select(matchers).map { Member(series: $0) })
    }
}
