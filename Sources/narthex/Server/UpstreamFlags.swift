import Web

/// Flags of Prometheus that this version reads but does not act on: those that have nothing to act on are
/// taken with a warning, those whose absence would change what the user gets are refused.
enum UpstreamFlags {
    private struct Entry {
        var name: String
        var isToggle = false
        /// Upstream's, for the API.
        var value = ""
        /// Why it is refused; nil where it merely has no effect.
        var refusal: String?
        /// Why it has no effect.
        var reason = ""
    }

    private static let goRuntime = "there is no Go runtime to tune"
    private static let noRules = "there are no rules and no alerts in this version"
    private static let noConsoles = "there are no console templates in this version"
    private static let noAgent =
        "this version has no agent mode; send with remote write from an exporter's side instead"

    private static let entries: [Entry] = [
        Entry(name: "auto-gomaxprocs", isToggle: true, value: "true", reason: goRuntime),
        Entry(name: "auto-gomemlimit", isToggle: true, value: "true", reason: goRuntime),
        Entry(name: "auto-gomemlimit.ratio", value: "0.9", reason: goRuntime),
        Entry(name: "auto-gomemlimit.refresh-interval", value: "0s", reason: goRuntime),
        Entry(name: "web.user-assets", refusal: "files of your own are not served in this version"),
        Entry(name: "web.console.templates", value: "consoles", reason: noConsoles),
        Entry(name: "web.console.libraries", value: "console_libraries", reason: noConsoles),
        Entry(name: "storage.tsdb.max-block-chunk-segment-size", value: "0B", reason: "segments are always 512 MiB"),
        Entry(
            name: "storage.tsdb.head-chunks-write-queue-size", value: "0",
            reason: "head chunks are written without a queue"),
        Entry(name: "storage.tsdb.delayed-compaction.max-percent", value: "10", reason: "compaction is not delayed"),
        Entry(
            name: "storage.tsdb.delay-compact-file.path",
            refusal: "compaction does not wait for uploads in this version"),
        Entry(name: "storage.remote.flush-deadline", value: "1m", reason: "this version does not send remote write"),
        Entry(name: "rules.alert.for-outage-tolerance", value: "1h", reason: noRules),
        Entry(name: "rules.alert.for-grace-period", value: "10m", reason: noRules),
        Entry(name: "rules.alert.resend-delay", value: "1m", reason: noRules),
        Entry(name: "rules.max-concurrent-evals", value: "4", reason: noRules),
        Entry(name: "alertmanager.notification-queue-capacity", value: "10000", reason: noRules),
        Entry(name: "alertmanager.notification-batch-size", value: "256", reason: noRules),
        Entry(
            name: "alertmanager.drain-notification-queue-on-shutdown", isToggle: true, value: "true", reason: noRules),
        Entry(name: "agent", isToggle: true, refusal: noAgent),
        Entry(name: "storage.agent.path", value: "data-agent/", refusal: noAgent),
        Entry(name: "storage.agent.wal-segment-size", value: "0B", refusal: noAgent),
        Entry(name: "storage.agent.wal-compression", isToggle: true, value: "true", refusal: noAgent),
        Entry(name: "storage.agent.wal-compression-type", value: "snappy", refusal: noAgent),
        Entry(name: "storage.agent.wal-truncate-frequency", value: "0s", refusal: noAgent),
        Entry(name: "storage.agent.retention.min-time", value: "5m", refusal: noAgent),
        Entry(name: "storage.agent.retention.max-time", value: "4h", refusal: noAgent),
        Entry(name: "storage.agent.checkpoint-from-in-memory-series", isToggle: true, refusal: noAgent),
        Entry(name: "storage.agent.checkpoint-batch-size", value: "1000", refusal: noAgent),
        Entry(name: "storage.agent.no-lockfile", isToggle: true, refusal: noAgent),
    ]

    /// The flags, hidden from help; the API lists them with upstream's defaults, for those who look a flag up there.
    static var table: [FlagTable.Flag] {
        entries.map { entry in
            FlagTable.Flag(
                entry.name, entry.refusal ?? "No effect: \(entry.reason).", kind: entry.isToggle ? .toggle : .text,
                default: entry.value, isHidden: true)
        }
    }

    /// What to tell about those that were given.
    /// - Throws: Why one of them is refused.
    static func warnings(_ flags: ParsedFlags) throws(CommandLineError) -> [String] {
        var warnings: [String] = []
        for entry in entries where flags.given.contains(entry.name) {
            if let refusal = entry.refusal { throw CommandLineError("--\(entry.name): \(refusal)") }
            warnings.append("--\(entry.name) has no effect: \(entry.reason)")
        }
        return warnings
    }
}
