package import Gateway
internal import MetricModel
internal import PromQL

/// Why a text says no lifetime, gauge rule or selector; complete, and meant for the one who wrote it.
package struct InvalidWish: Error, Hashable, CustomStringConvertible {
    package let description: String

    /// The reason `description`.
    package init(_ description: String) { self.description = description }
}

extension Lifetime {
    private static let scrapedPrefix = "until-scraped="

    /// Reads a lifetime: `forever`, `until-scraped`, `until-scraped=2`, or a span of time such as `15m`, `1h30m`, `7d`
    /// (as Prometheus writes it) or `1.5h` (as Go does).
    /// - Throws: ``InvalidWish``.
    package init(text: String) throws(InvalidWish) {
        switch text {
        case "forever": self = .forever
        case "until-scraped": self = .untilScraped(by: 1)
        case _ where text.hasPrefix(Self.scrapedPrefix):
            guard let count = Int(text.dropFirst(Self.scrapedPrefix.count)), (1...100).contains(count) else {
                throw InvalidWish(
                    "invalid lifetime \(Quoting.quote(ByteString(text))): the number of scrapers is from 1 to 100")
            }
            self = .untilScraped(by: count)
        default:
            let span = (try? DurationGrammar.parse(ByteString(text)).nanoseconds) ?? GoDuration(text)?.nanoseconds
            guard let span, span > 0 else {
                throw InvalidWish(
                    "invalid lifetime \(Quoting.quote(ByteString(text))): expected a duration above zero such as 15m, "
                        + "forever, until-scraped or until-scraped=2")
            }
            self = .nanoseconds(span)
        }
    }

    /// As it is written: whole milliseconds as Prometheus writes them, anything finer as Go does.
    package var text: String {
        switch self {
        case .forever: "forever"
        case .nanoseconds(let span) where span % 1_000_000 != 0: GoDuration(nanoseconds: span).description
        case .nanoseconds(let span): DurationGrammar.text(QueryDuration(nanoseconds: span))
        case .untilScraped(let count): count == 1 ? "until-scraped" : "\(Self.scrapedPrefix)\(count)"
        }
    }
}

extension GaugeRule {
    /// The names of the rules.
    package static let names: KeyValuePairs<String, GaugeRule> = [
        "last": .last, "sum": .sum, "min": .minimum, "max": .maximum, "mean": .mean,
    ]

    /// Its name.
    package var text: String { Self.names.first { $0.value == self }?.key ?? "last" }

    /// Reads the name of a rule.
    /// - Throws: ``InvalidWish``.
    package init(text: String) throws(InvalidWish) {
        guard let rule = Self.names.first(where: { $0.key == text })?.value else {
            throw InvalidWish(
                "invalid rule for gauges \(Quoting.quote(ByteString(text))): expected one of last, sum, min, max, mean")
        }
        self = rule
    }
}
