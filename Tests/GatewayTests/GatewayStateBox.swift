import Exposition
import Gateway
import MetricModel

/// A state that is driven by text, with a clock that moves a second with each push.
struct GatewayStateBox {
    var state: GatewayState
    var time: Int64 = 1_600_000_000_000_000_000

    init(own: [OwnFamily] = []) { state = GatewayState(ownFamilies: own) }

    @discardableResult
    mutating func push(
        _ mode: Push.Mode, _ group: KeyValuePairs<String, String>, _ text: String,
        check: Push.Check = .consistency
    ) throws -> Outcome {
        push(mode, group, try TextParser.parse(Array(text.utf8)), check: check)
    }

    @discardableResult
    mutating func push(
        _ mode: Push.Mode, _ group: KeyValuePairs<String, String>, _ families: [MetricFamily],
        check: Push.Check = .consistency
    ) -> Outcome {
        time += 1_000_000_000
        return state.apply(
            .push(Push(group: GroupingKey(group), families: families, mode: mode, check: check, time: time)))
    }

    @discardableResult
    mutating func put(
        _ group: KeyValuePairs<String, String>, _ text: String, check: Push.Check = .consistency
    ) throws -> Outcome { try push(.replaceGroup, group, text, check: check) }

    @discardableResult
    mutating func post(
        _ group: KeyValuePairs<String, String>, _ text: String, check: Push.Check = .consistency
    ) throws -> Outcome { try push(.replaceFamilies, group, text, check: check) }

    mutating func delete(_ group: KeyValuePairs<String, String>) { _ = state.apply(.delete(GroupingKey(group))) }

    mutating func scrape() -> String {
        String(decoding: state.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
    }

    /// The lines of a scrape that concern one family of plain numbers.
    mutating func lines(_ name: String) -> [String] {
        scrape().split(separator: "\n").map(String.init).filter {
            $0.hasPrefix(name + "{") || $0.hasPrefix("# HELP \(name) ") || $0.hasPrefix("# TYPE \(name) ")
        }
    }

    /// The samples of a scrape without the times of pushes.
    mutating func samples() -> [String] {
        scrape().split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") && !$0.hasPrefix("push_") }
    }
}
