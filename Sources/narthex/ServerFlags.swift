import Logging
import Web

/// Flags that everything which serves HTTP has.
enum ServerFlags {
    /// Where to listen and with which web configuration.
    ///
    /// Source: prometheus/exporter-toolkit web/kingpinflag/flag.go.
    static func web(defaultAddress: String) -> [FlagTable.Flag] {
        [
            .toggle(
                "web.systemd-socket", "Listen on the sockets that systemd hands over instead of --web.listen-address."),
            .init(
                "web.listen-address",
                "Address to listen on; may be given several times. Examples: `:9100`, `[::1]:9100`.",
                kind: .custom { $0 }, default: defaultAddress, isRepeatable: true),
            .init(
                "web.config.file",
                "File that turns on TLS or passwords. See: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md",
                default: ""),
        ]
    }

    /// What clients may cost.
    static let connectionLimits: [FlagTable.Flag] = [
        .init("web.max-connections", "Most connections at a time.", kind: .integer, default: "4096"),
        .init("web.max-header-size", "Largest request line with fields.", kind: .bytes, default: "1MiB"),
        .init(
            "web.max-bytes-in-flight", "Most bytes of requests in memory, all together.", kind: .bytes,
            default: "256MiB"),
        .init("web.header-timeout", "Longest time for a request's head to arrive.", kind: .duration, default: "10s"),
        .init(
            "web.read-timeout", "Longest time for a request to arrive, and for a connection to be idle.",
            kind: .duration,
            default: "5m"),
        .init("web.stall-timeout", "Longest pause within a request's body.", kind: .duration, default: "30s"),
        .init(
            "web.write-timeout", "Longest time that a client may not take what it is sent.", kind: .duration,
            default: "1m"),
        .init(
            "web.shutdown-timeout", "Longest time for requests to end when the process is asked to stop.",
            kind: .duration,
            default: "10s"),
    ]

    /// Source: prometheus/common promslog/flag/flag.go.
    static let log: [FlagTable.Flag] = [
        .init(
            "log.level", "Only log messages with the given severity or above. One of: [debug, info, warn, error]",
            kind: .choice(["debug", "info", "warn", "error"], named: "log level"), default: "info"),
        .init(
            "log.format", "Output format of log messages. One of: [logfmt, json]",
            kind: .choice(["logfmt", "json"], named: "log format"), default: "logfmt"),
    ]

    /// The limits that the flags ask for.
    static func limits(_ flags: ParsedFlags) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connections = max(1, flags.integer("web.max-connections"))
        limits.headBytes = min(max(1024, flags.bytes("web.max-header-size")), 64 << 20)
        limits.bytesInFlight = max(1 << 20, flags.bytes("web.max-bytes-in-flight"))
        limits.headTimeout = flags.duration("web.header-timeout")
        limits.bodyTimeout = flags.duration("web.read-timeout")
        limits.idleTimeout = flags.duration("web.read-timeout")
        limits.bodyStallTimeout = flags.duration("web.stall-timeout")
        limits.writeTimeout = flags.duration("web.write-timeout")
        return limits
    }

    /// The logger that the flags ask for.
    static func logger(_ flags: ParsedFlags, style: PromslogHandler.Style) -> Logger {
        let handler = PromslogHandler(
            level: PromslogHandler.level(flags["log.level"]),
            format: PromslogHandler.Format(rawValue: flags["log.format"]) ?? .logfmt, style: style)
        return Logger(label: "narthex") { _ in handler }
    }
}
