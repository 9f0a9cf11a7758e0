internal import MetricModel
internal import PromQL

/// `load` commands, with lines of start timestamps.
extension ScriptParser {
    mutating func load(_ line: ByteString) throws(ScriptError) -> LoadCommand {
        guard let parts = try groups(#"load(?:_(with_nhcb))?\s+(.+?)"#, in: line) else {
            throw failure("invalid load command. (load[_with_nhcb] <step:duration>)")
        }
        let gap = try duration(parts[2], "step")
        var command = LoadCommand(series: [], addsCustomBuckets: !parts[1].isEmpty)
        var places: [Labels: Int] = [:]
        var pending: (metric: Labels, offsets: [Int64?], line: Int)?
        while let definition = nextLineOfCommand() {
            if let (metric, offsets) = try startTimestamps(definition) {
                if let pending {
                    throw ScriptError(message: "@st line has no following sample line", line: pending.line)
                }
                pending = (metric, offsets, lineNumber)
                continue
            }
            let description = try series(definition)
            if let pending {
                try Self.check(pending.metric, pending.offsets, against: description, line: pending.line)
            }
            let loaded = Self.loaded(description, gap: gap, startOffsets: pending?.offsets)
            // A series that is written twice counts as written last.
            if let place = places[loaded.labels] {
                command.series[place] = loaded
            } else {
                places[loaded.labels] = command.series.count
                command.series.append(loaded)
            }
            pending = nil
        }
        if let pending { throw ScriptError(message: "@st line has no following sample line", line: pending.line) }
        return command
    }

    private static func check(
        _ metric: Labels, _ offsets: [Int64?], against description: SeriesDescription, line: Int
    ) throws(ScriptError) {
        if metric != description.labels {
            throw ScriptError(message: "@st metric does not match the following sample line metric", line: line)
        }
        if offsets.count != description.values.count {
            throw ScriptError(
                message: "@st line has \(offsets.count) values but sample line has \(description.values.count)",
                line: line)
        }
    }

    private static func loaded(
        _ description: SeriesDescription, gap: Int64, startOffsets: [Int64?]?
    ) -> LoadCommand.Series {
        var series = LoadCommand.Series(labels: description.labels, samples: [])
        for (index, value) in description.values.enumerated() {
            guard let sample = value.sample else { continue }
            let timestamp = Int64(index) &* gap
            let start = (startOffsets?[index]).map { timestamp &+ $0 } ?? 0
            series.samples.append(LoadCommand.Sample(timestamp: timestamp, startTimestamp: start, value: sample))
        }
        return series
    }

    // MARK: Start timestamps

    /// The metric and offsets of a line `metric{…}@st -1m _x2 0s+1sx3`, in milliseconds; nil if it is none.
    private func startTimestamps(_ line: ByteString) throws(ScriptError) -> (Labels, [Int64?])? {
        let fields = line.bytes.split { $0 == 0x20 || $0 == 0x09 }
        guard let first = fields.first, fields.count > 1, ByteString(first).hasSuffix("@st") else { return nil }
        let metric = try series(ByteString(first.dropLast(3) + Array(" _".utf8))).labels
        var offsets: [Int64?] = []
        for field in fields.dropFirst() {
            let text = String(decoding: field, as: UTF8.self)
            guard let values = Self.offsets(text), offsets.count + values.count <= SeriesDescription.maximumValues
            else { throw failure("invalid @st sequence: invalid ST item \(Quoting.quote(ByteString(text)))") }
            offsets += values
        }
        return (metric, offsets)
    }

    private static func offsets(_ item: String) -> [Int64?]? {
        if item == "_" { return [nil] }
        if item.hasPrefix("_x") {
            guard let count = repetitions(item.dropFirst(2)), count > 0 else { return nil }
            return Array(repeating: nil, count: count)
        }
        var rest = item[...]
        guard var offset = takeDuration(&rest) else { return nil }
        if rest.isEmpty { return [offset] }
        var step: Int64 = 0
        if let sign = rest.first, sign == "+" || sign == "-" {
            rest = rest.dropFirst()
            guard let magnitude = takeDuration(&rest) else { return nil }
            step = sign == "-" ? 0 &- magnitude : magnitude
        }
        guard rest.first == "x", let count = repetitions(rest.dropFirst()) else { return nil }
        return (0...count).map { _ in
            defer { offset = offset &+ step }
            return offset
        }
    }

    /// A number of digits only, not too large.
    private static func repetitions(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39) ~= $0 }), let count = Int(text),
            count < SeriesDescription.maximumValues
        else { return nil }
        return count
    }

    /// Takes a duration with optional sign from the start of `text`.
    private static func takeDuration(_ text: inout Substring) -> Int64? {
        let isNegative = text.first == "-"
        if isNegative || text.first == "+" { text = text.dropFirst() }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter && $0 != "x" }
        guard !digits.isEmpty, let duration = try? DurationGrammar.parse(ByteString(String(digits + unit))) else {
            return nil
        }
        text = text.dropFirst(digits.count + unit.count)
        return isNegative ? 0 &- duration.milliseconds : duration.milliseconds
    }
}
