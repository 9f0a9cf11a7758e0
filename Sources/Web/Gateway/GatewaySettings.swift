package import Exposition

/// How the gateway behaves over HTTP; from flags.
package struct GatewaySettings: Sendable {
    /// Where the scrape is, below the route prefix: `--web.telemetry-path`.
    package var telemetryPath = "/metrics"
    /// Empty, or with a leading and without a trailing slash.
    package var routePrefix = ""
    /// The prefix that users see, for links: empty, or with a leading and without a trailing slash.
    package var externalPrefix = ""
    /// `--web.enable-lifecycle`.
    package var enablesLifecycle = false
    /// `--web.enable-admin-api`.
    package var enablesAdminAPI = false
    /// Whether pushes that conflict are refused; off with `--push.disable-consistency-check`.
    package var checksConsistency = true
    /// Whether a scrape fails while series conflict, as upstream's does, or leaves them out.
    package var failsOnConflicts = false
    /// `--push.enable-utf8-names`.
    package var allowsUTF8Names = false
    /// Whether bodies may be OpenMetrics by their content type.
    package var acceptsOpenMetrics = false
    /// Whether the scrape may be answered in OpenMetrics.
    package var offersOpenMetrics = false
    /// Whether text with CR LF, or without the last line feed, is taken.
    package var isLenient = false
    /// Whether `GET` on the path of a push gives the group back.
    package var servesGroups = false
    /// Where the process's own metrics are.
    package var ownMetrics = OwnMetrics.together
    /// Clients that may follow changes at a time.
    package var maximumWatchers = 100
    /// Origins, beside the gateway's own, whose pages may write.
    package var allowedOrigins: [String] = []
    /// Of pushes.
    package var limits = Limits()
    /// The port of the server in the same process, whose pages draw what was pushed; nil without one, or before it
    /// listens.
    package var queryPort: @Sendable () -> Int? = { nil }
    /// Flags with their values, for `/status` and `/api/v1/status`.
    package var flags: [(name: String, value: String)] = []

    /// Where the process's own metrics are: `--web.own-metrics`.
    package enum OwnMetrics: String, Sendable, CaseIterable {
        /// Among the pushed ones, as upstream has it.
        case together
        /// At the scrape's path with `/self` behind it.
        case separate
        /// Nowhere.
        case off
    }

    /// What a push may hold.
    package struct Limits: Sendable {
        /// Bytes as sent.
        package var bodyBytes = 16 << 20
        /// Bytes after decompression.
        package var decodedBytes = 64 << 20
        /// Bytes after decompression for each byte sent.
        package var expansion = 100
        /// Labels in the path.
        package var groupLabels = 64
        /// What the metrics in the body may be.
        package var metrics = ParseLimits.none

        /// The defaults.
        package init() {}
    }

    /// The defaults.
    package init() {}

    /// The effective prefix of routes.
    ///
    /// Source: prometheus/pushgateway main.go (`computeRoutePrefix`).
    /// - Parameters:
    ///   - prefix: `--web.route-prefix`; if empty, the path of `externalURL` counts.
    package static func prefix(_ prefix: String, externalURL: String) -> String {
        var result = prefix.isEmpty ? URLText.path(externalURL) : prefix
        if result == "/" || result.isEmpty { return "" }
        if !result.hasPrefix("/") { result = "/" + result }
        return result.hasSuffix("/") ? String(result.dropLast()) : result
    }
}
