import DurableFiles
import MetricModel
import Scrape
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex check`: configurations, web configurations and expositions, as promtool checks them.
///
/// Source: prometheus/prometheus cmd/promtool/main.go, whose lines and exit codes these are: 1 for errors, 3 for lint.
enum CheckCommand {
    static let command = Command(
        "check", "Check configurations and expositions, as promtool does.",
        subcommands: [
            Command(
                "config", "Check prometheus.yml files, and the files that they name.",
                flags: [
                    .toggle("syntax-only", "Only check the syntax, not files that the configuration names."),
                    .toggle("lint-fatal", "Make lint errors exit with code 3."),
                ],
                arguments: [.init("config-files", "The files to check.", isRepeatable: true)],
                examples: ["narthex check config --lint-fatal prometheus.yml"], action: config),
            Command(
                "web-config", "Check web configuration files.",
                arguments: [.init("web-config-files", "The files to check.", isRepeatable: true)],
                examples: ["narthex check web-config web.yml"], action: webConfig),
            Command(
                "policies", "Check policy files of the gateway (--gateway.policy-file), and say what each policy does.",
                arguments: [.init("policy-files", "The files to check.", isRepeatable: true)],
                examples: ["narthex check policies policies.yml"], action: policies),
            Command(
                "access", "Check access files of the gateway (--gateway.access-file).",
                arguments: [.init("access-files", "The files to check.", isRepeatable: true)],
                examples: ["narthex check access access.yml"], action: access),
            Command(
                "metrics", "Check an exposition on standard input.",
                flags: [.toggle("extended", "Also show how many series each metric has.")],
                examples: ["curl -s http://localhost:9091/metrics | narthex check metrics --extended"], action: metrics),
            .absent("rules", because: "this version does not evaluate rules: check them with promtool"),
            .absent("service-discovery", because: "ask the server, on its page /service-discovery"),
            .absent("healthy", because: "ask the server: curl -f http://localhost:9090/-/healthy"),
            .absent("ready", because: "ask the server: curl -f http://localhost:9090/-/ready"),
        ])

    private static let failure: Int32 = 1
    private static let lintError: Int32 = 3

    private static func config(_ flags: ParsedFlags) async -> Int32 {
        var options = ConfigurationCheck.Options()
        options.checksSyntaxOnly = flags.isOn("syntax-only")
        var hasFailed = false
        var hasLint = false
        for path in flags.argument("config-files") {
            Command.print("Checking \(path)\n", to: 1)
            let check = ConfigurationCheck(path: path, options: options)
            for warning in check.warnings { Command.print("  WARNING: \(warning)\n", to: 1) }
            if let failure = check.failure {
                Command.print("  FAILED: \(failure)\n", to: 2)
                hasFailed = true
            } else {
                Command.print(" SUCCESS: \(path) is valid prometheus config file syntax\n", to: 1)
            }
            Command.print("\n", to: 1)
            for finding in check.lint { Command.print("  FAILED: \(finding)\n", to: 2) }
            hasLint = hasLint || !check.lint.isEmpty
        }
        if hasFailed { return failure }
        return hasLint && flags.isOn("lint-fatal") ? lintError : 0
    }

    private static func webConfig(_ flags: ParsedFlags) async -> Int32 {
        var code: Int32 = 0
        for path in flags.argument("web-config-files") {
            do {
                let text = try SmallFile.read(path)
                let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
                try WebConfig(text, directory: directory).validateUsers()
                Command.print("\(path) SUCCESS\n", to: 2)
            } catch {
                Command.print("\(path) FAILED: \(error)\n", to: 2)
                code = failure
            }
        }
        return code
    }

    private static func policies(_ flags: ParsedFlags) async -> Int32 {
        check(flags.argument("policy-files")) { text in
            var rows = [["LINE", "MATCH", "LIFETIME", "PUSHES", "GAUGES", "LIMITS"]]
            rows += try PolicyFile(text).policies.map { ["\($0.line)"] + $0.summary }
            return rows.count > 1 ? TextTable.text(rows) : "no policies\n"
        }
    }

    private static func access(_ flags: ParsedFlags) async -> Int32 {
        check(flags.argument("access-files")) { text in
            _ = try AccessFile(text)
            return ""
        }
    }

    /// Checks each file, and prints what `read` says of it.
    private static func check(_ paths: [String], _ read: ([UInt8]) throws -> String) -> Int32 {
        var code: Int32 = 0
        for path in paths {
            do {
                let report = try read(try JobFiles.read(path, limit: 4 << 20))
                Command.print("\(path) SUCCESS\n", to: 2)
                Command.print(report, to: 1)
            } catch {
                Command.print("\(path) FAILED: \(error)\n", to: 2)
                code = failure
            }
        }
        return code
    }

    private static func metrics(_ flags: ParsedFlags) async -> Int32 {
        do {
            let (problems, cardinalities) = try MetricsLint.check(standardInput())
            for problem in problems { Command.print("\(problem)\n", to: 2) }
            if flags.isOn("extended") { Command.print(table(cardinalities), to: 1) }
            return problems.isEmpty ? 0 : lintError
        } catch {
            Command.print("error while linting: \(error)\n", to: 2)
            return failure
        }
    }

    private static func table(_ cardinalities: [MetricsLint.Cardinality]) -> String {
        let total = cardinalities.reduce(0) { $0 + $1.series }
        var rows = [("Metric", "Cardinality", "Percentage")]
        for entry in cardinalities {
            let hundredths = total > 0 ? entry.series * 10_000 / total : 0
            let fraction = String(100 + hundredths % 100).dropFirst()
            rows.append((entry.metric.string, "\(entry.series)", "\(hundredths / 100).\(fraction)%"))
        }
        rows.append(("Total", "\(total)", "100%"))
        let widths = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count) + 4)
        }
        return rows.map { padded($0.0, widths.0) + padded($0.1, widths.1) + $0.2 + "\n" }.joined()
    }

    private static func standardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
