import Exposition
import Gateway
import MetricModel

/// Promise P1: whatever is pushed, with the check on or off, a scrape is one that the strict parser takes, and shows no
/// series twice.
enum PushedScrapes {
    private static let groups = [
        GroupingKey(["job": "a"]), GroupingKey(["job": "a", "instance": ""]), GroupingKey(["job": "a", "l": "v"]),
        GroupingKey(["job": "b", "instance": "i"]),
    ]

    /// Pushes what `body` holds, parted by the byte 0x1E: in the first byte of each push lie group, method, format, names
    /// and check.
    static func run(_ body: [UInt8]) throws {
        let store = GatewayStore()
        for (number, part) in body.split(separator: 0x1E).prefix(24).enumerated() {
            guard let choice = part.first, let command = command(choice, Array(part.dropFirst()), Int64(number) + 1)
            else { continue }
            store.submit(command) { _ in }
            // Names as they are: several may be one once they are escaped, which upstream then shows twice, too.
            let format = ExpositionFormat(.text, escaping: .allowUTF8)
            try check(store.scrape().body(own: [], format: format, coding: .identity).bytes)
        }
    }

    private static func command(_ choice: UInt8, _ body: [UInt8], _ time: Int64) -> Command? {
        let group = groups[Int(choice & 3)]
        guard let mode = Push.Mode(rawValue: choice >> 2 & 3) else { return .delete(group) }
        let families =
            choice & 0x10 == 0
            ? try? TextParser.parse(body, names: choice & 0x20 == 0 ? .legacy : .utf8) : try? ProtobufParser.parse(body)
        guard let families else { return nil }
        let check: Push.Check = choice & 0x40 == 0 ? .consistency : .none
        return .push(Push(group: group, families: families, mode: mode, check: check, time: time * 1_000_000_000))
    }

    private static func check(_ text: [UInt8]) throws {
        let families: [MetricFamily]
        do throws(ParseError) {
            families = try TextParser.parse(text, names: .utf8)
        } catch {
            throw FuzzFinding(description: "\(error) in a scrape: \(String(decoding: text, as: UTF8.self))")
        }
        try hold(Set(families.map(\.name)).count == families.count, "a family twice")
        for family in families {
            let labels = Set(family.metrics.map { $0.labels.sorted { $0.name < $1.name } })
            try hold(labels.count == family.metrics.count, "a series twice: \(String(decoding: text, as: UTF8.self))")
        }
    }
}
