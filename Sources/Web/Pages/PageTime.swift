internal import MetricModel

/// Times as pages show them: how long ago, and when.
package enum PageTime {
    private static let units: [(name: String, seconds: Int64)] = [
        ("y", 31_536_000), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// How long ago, in at most two units: "3m 20s ago". The pages' scripts write the same.
    /// - Parameter seconds: Negative for what is still to come.
    package static func age(seconds: Int64) -> String {
        if seconds < 0 { return "in " + length(seconds == .min ? .max : -seconds) }
        return seconds < 1 ? "just now" : length(seconds) + " ago"
    }

    /// A length of time in at most two units: "3m 20s".
    package static func length(_ seconds: Int64) -> String {
        var parts: [String] = []
        var rest = seconds
        for unit in units where parts.count < 2 {
            let amount = rest / unit.seconds
            rest -= amount * unit.seconds
            if amount > 0 { parts.append("\(amount)\(unit.name)") }
        }
        return parts.isEmpty ? "0s" : parts.joined(separator: " ")
    }

    /// "2026-11-22 14:05:09", UTC.
    package static func moment(second: Int64) -> String {
        let time = CivilTime(second: second)
        return "\(time.dateText) \(time.timeText)"
    }

    /// A moment as age and time; `otherwise` where there is none.
    /// - Parameters:
    ///   - nanoseconds: Since 1970; 0 for never.
    ///   - now: Seconds since 1970.
    package static func markup(_ nanoseconds: Int64, now: Int64, otherwise: String = "never") -> Markup {
        guard nanoseconds > 0 else { return "<span class=\"faint\">\(otherwise)</span>" }
        let second = nanoseconds / 1_000_000_000
        return """
            <time datetime="\(CivilTime(second: second).rfc3339)">\(age(seconds: now - second)) <small>\(moment(second: second))</small></time>
            """
    }
}
