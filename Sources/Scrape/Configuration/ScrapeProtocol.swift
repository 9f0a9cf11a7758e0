internal import MetricModel
internal import YAML

/// A format that a target may be asked for, by the name that Prometheus' files use.
package enum ScrapeProtocol: String, Sendable, Hashable, CaseIterable {
    case protobuf = "PrometheusProto"
    case text004 = "PrometheusText0.0.4"
    case text100 = "PrometheusText1.0.0"
    case openMetrics001 = "OpenMetricsText0.0.1"
    case openMetrics100 = "OpenMetricsText1.0.0"

    /// The media type with its parameters, as the Accept header carries it.
    package var accept: String {
        switch self {
        case .protobuf:
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        case .text004: "text/plain;version=0.0.4"
        case .text100: "text/plain;version=1.0.0"
        case .openMetrics001: "application/openmetrics-text;version=0.0.1"
        case .openMetrics100: "application/openmetrics-text;version=1.0.0"
        }
    }

    /// The media type without parameters.
    package var mediaType: String {
        switch self {
        case .protobuf: "application/vnd.google.protobuf"
        case .text004, .text100: "text/plain"
        case .openMetrics001, .openMetrics100: "application/openmetrics-text"
        }
    }

    /// What is asked for where nothing is configured, best first.
    package static let defaults: [ScrapeProtocol] = [.openMetrics100, .openMetrics001, .text100, .text004]
    /// What is asked for where native histograms are wanted, best first.
    package static let protobufFirst: [ScrapeProtocol] = [.protobuf] + defaults

    private static var supported: String { "[" + allCases.map(\.rawValue).sorted().joined(separator: " ") + "]" }

    /// The protocol `name`.
    /// - Throws: `YAMLError.invalid` at `line`, in Prometheus' words.
    static func named(_ name: String, line: Int) throws(YAMLError) -> ScrapeProtocol {
        guard let known = ScrapeProtocol(rawValue: name) else {
            throw .invalid("unknown scrape protocol \(name), supported: \(supported)", line: line)
        }
        return known
    }

    /// The protocols of a list that is neither empty nor repeats itself.
    /// - Throws: `YAMLError.invalid`, ending in `suffix`, which says whose list it is.
    static func validated(_ names: [String], line: Int, suffix: String) throws(YAMLError) -> [ScrapeProtocol] {
        guard !names.isEmpty else { throw .invalid("scrape_protocols cannot be empty\(suffix)", line: line) }
        var seen: Set<String> = []
        var result: [ScrapeProtocol] = []
        for name in names {
            guard seen.insert(name.lowercased()).inserted else {
                throw .invalid(
                    "duplicated protocol in scrape_protocols, got [\(names.joined(separator: " "))]\(suffix)",
                    line: line)
            }
            guard let known = ScrapeProtocol(rawValue: name) else {
                throw .invalid(
                    "scrape_protocols: unknown scrape protocol \(name), supported: \(supported)\(suffix)", line: line)
            }
            result.append(known)
        }
        return result
    }
}

/// How names beyond letters, digits and underscores are asked for and taken.
package enum NameEscaping: String, Sendable, Hashable {
    case allowUTF8 = "allow-utf-8"
    case underscores
    case dots
    case values

    static let names = "must be one of 'allow-utf-8', 'underscores', 'dots', or 'values'"
}
