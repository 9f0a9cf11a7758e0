import Gateway
import Logging
import NIOPosix
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex gateway`: what `pushgateway` is.
enum GatewayCommand {
    static let command = Command(
        "gateway", "The push gateway: takes metrics from jobs that end before they can be scraped.", flags: flags,
        examples: [
            "narthex gateway --persistence.file=/var/lib/narthex/pushes",
            "narthex gateway --web.listen-address=127.0.0.1:9091 --web.config.file=web.yml --web.enable-admin-api",
            "narthex gateway --gateway.policy-file=policies.yml --gateway.access-file=access.yml",
        ], action: run)

    /// The flags of Pushgateway 1.11.3, with its names and defaults, then our own.
    static let flags: [FlagTable.Flag] =
        ServerFlags.web(defaultAddress: ":9091") + [
            .init("web.telemetry-path", "Path of the scrape.", default: "/metrics"),
            .init(
                "web.external-url",
                "The URL under which the gateway is reached from outside; its path becomes the route prefix.",
                kind: .url, default: ""),
            .init(
                "web.route-prefix", "Prefix of all paths inside. By default the path of --web.external-url.",
                default: ""),
            .toggle("web.enable-lifecycle", "Let PUT and POST /-/quit end the process."),
            .toggle("web.enable-admin-api", "Let PUT /api/v1/admin/wipe delete all groups."),
            .init("persistence.file", "File to keep metrics in. If empty, they are kept in memory only.", default: ""),
            .init(
                "persistence.interval",
                "How often the journal is condensed into a snapshot, at most. Each acknowledged push is on disk at once.",
                kind: .duration, default: "5m"),
            .toggle(
                "push.disable-consistency-check", "Take pushes without checking them against what is stored. DANGEROUS."
            ),
            .init(
                "web.scrape-conflicts",
                "What a scrape does about series that conflict, which only unchecked pushes can make: fail, as upstream's "
                    + "does, or leave-out. One of: [fail, leave-out]",
                kind: .choice(["fail", "leave-out"], named: "way to treat conflicts"), default: "fail"),
            .init(
                "gateway.policy-file",
                "File of policies: lifetimes, accumulation and limits for the groups of clients that cannot be changed. Read "
                    + "again when it changes.", default: ""),
            .init(
                "gateway.access-file",
                "File that says which users and tokens may push, read or delete which groups; what it does not grant is "
                    + "refused. Read again when it changes.", default: ""),
            .init(
                "web.allowed-origin",
                "Origin whose pages may push and delete from a browser, such as https://example.org; may be given several "
                    + "times. Clients that are no browsers are not concerned.", kind: .custom { $0 },
                isRepeatable: true, placeholder: "ORIGIN"),
            .toggle("push.enable-utf8-names", "Allow any UTF-8 text in metric and label names."),
            .toggle(
                "push.lenient", "Take text whose lines end with CR LF, or whose last line has no line feed at its end."),
            .toggle(
                "push.enable-get", "Let GET on the path of a push give the group back, as text or JSON by Accept."),
            .init(
                "web.own-metrics",
                "Where the gateway's own metrics are: together with the pushed ones, separate (below the scrape's path, "
                    + "/metrics/self), or off. One of: [together, separate, off]",
                kind: .choice(["together", "separate", "off"], named: "place of own metrics"), default: "together"),
            .toggle("push.enable-openmetrics", "Read bodies of the type application/openmetrics-text as OpenMetrics."),
            .toggle("web.enable-openmetrics", "Answer scrapes in OpenMetrics where the client prefers it."),
        ] + limitFlags + ServerFlags.connectionLimits + ServerFlags.log

    private static let limitFlags: [FlagTable.Flag] = [
        .init("push.max-body-size", "Largest body of a push, as it is sent.", kind: .bytes, default: "16MiB"),
        .init("push.max-decoded-size", "Largest body of a push after decompression.", kind: .bytes, default: "64MiB"),
        .init(
            "push.max-compression-ratio", "Largest number of bytes that one compressed byte may stand for.",
            kind: .integer, default: "100"),
        .init("push.max-series", "Most samples in one push.", kind: .integer, default: "100000"),
        .init("push.max-families", "Most metric families in one push.", kind: .integer, default: "100000"),
        .init("push.max-labels", "Most labels of a series or a group.", kind: .integer, default: "64"),
        .init("push.max-name-length", "Longest metric or label name.", kind: .bytes, default: "1KiB"),
        .init("push.max-value-length", "Longest label value.", kind: .bytes, default: "8KiB"),
        .init(
            "push.idempotency-keys", "Most requests with an Idempotency-Key whose answers are remembered.",
            kind: .integer, default: "100000"),
        .init(
            "push.idempotency-age", "Longest time for which such an answer is remembered.", kind: .duration,
            default: "24h"),
        .init(
            "web.max-watchers", "Most clients that follow /api/v1/watch at a time.", kind: .integer, default: "100"),
        .init("push.max-groups", "Most groups that are stored; 0 for no limit.", kind: .integer, default: "100000"),
    ]

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        let logger = ServerFlags.logger(flags, style: .goKit)
        return await GatewayProcess(flags: flags, logger: logger).run()
    }
}
