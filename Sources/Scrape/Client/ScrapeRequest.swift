internal import ByteCoding
package import MetricModel

/// What is asked of a target: the URL and the headers.
package struct ScrapeRequest: Sendable, Hashable {
    /// With the target's parameters.
    package var url: String
    /// The socket to connect to in place of the URL's host; empty for none.
    package var unixSocket: String
    /// The field `Accept`.
    package var accept: String
    /// The field `Accept-Encoding`.
    package var acceptEncoding: String
    /// Told to the target in `X-Prometheus-Scrape-Timeout-Seconds`.
    package var timeout: PrometheusDuration

    /// The field `User-Agent`: some targets look for Prometheus' name.
    package static let userAgent = "Prometheus/3.14.0 (compatible; narthex)"

    /// The request for the target with `labels`.
    package init(_ configuration: ScrapeConfiguration, labels: Labels, timeout: PrometheusDuration) {
        url = Self.url(configuration, labels: labels)
        unixSocket = (labels[TargetLabels.unixSocket] ?? "").string
        accept = Self.accept(configuration.scrapeProtocols, escaping: configuration.nameEscaping)
        acceptEncoding = configuration.usesCompression ? "gzip" : "identity"
        self.timeout = timeout
    }

    /// The headers, in the order in which Prometheus sends them.
    package var headers: [(String, String)] {
        [
            ("User-Agent", Self.userAgent), ("Accept", accept), ("Accept-Encoding", acceptEncoding),
            ("X-Prometheus-Scrape-Timeout-Seconds", Self.seconds(timeout)),
        ]
    }

    /// The URL of the target with `labels`, its `__param_` labels in the query.
    ///
    /// Source: prometheus/prometheus scrape/target.go (`Target.URL`).
    package static func url(_ configuration: ScrapeConfiguration, labels: Labels) -> String {
        var parameters = configuration.parameters
        for pair in labels.pairs where pair.name.hasPrefix(TargetLabels.parameterPrefix) {
            let name = ByteString(pair.name.bytes.dropFirst(TargetLabels.parameterPrefix.count)).string
            if parameters[name]?.isEmpty ?? true {
                parameters[name] = [pair.value.string]
            } else {
                parameters[name]?[0] = pair.value.string
            }
        }
        var host = (labels[TargetGroup.address] ?? "").string
        if host.isEmpty, labels.contains(TargetLabels.unixSocket) { host = "localhost" }
        let path = (labels[TargetLabels.metricsPath] ?? "").string
        var url = "\((labels[TargetLabels.scheme] ?? "").string)://\(host)"
        if !path.isEmpty, !path.hasPrefix("/") { url += "/" }
        url += PercentCoding.encodePath(path.utf8)
        let query = parameters.sorted { ByteString($0.key) < ByteString($1.key) }
            .flatMap { name, values in
                values.map { "\(PercentCoding.encodeQuery(name.utf8))=\(PercentCoding.encodeQuery($0.utf8))" }
            }
        return query.isEmpty ? url : url + "?" + query.joined(separator: "&")
    }

    /// The Accept header: the protocols from the most to the least wanted, and anything as the last resort.
    ///
    /// Source: prometheus/prometheus scrape/scrape.go (`acceptHeader`).
    package static func accept(_ protocols: [ScrapeProtocol], escaping: NameEscaping) -> String {
        var weight = ScrapeProtocol.allCases.count + 1
        var values: [String] = []
        for wanted in protocols {
            // Only the newer versions of the text formats know of escaping.
            let knowsEscaping = wanted == .text100 || wanted == .openMetrics100
            let scheme = knowsEscaping ? ";escaping=\(escaping.rawValue)" : ""
            values.append("\(wanted.accept)\(scheme);q=0.\(weight)")
            weight -= 1
        }
        values.append("*/*;q=0.\(weight)")
        return values.joined(separator: ",")
    }

    /// Seconds without needless zeros.
    static func seconds(_ duration: PrometheusDuration) -> String {
        let (whole, rest) = duration.milliseconds.quotientAndRemainder(dividingBy: 1000)
        if rest == 0 { return "\(whole)" }
        var fraction = String(1000 + rest).dropFirst()
        while fraction.hasSuffix("0") { fraction = fraction.dropLast() }
        return "\(whole).\(fraction)"
    }
}
