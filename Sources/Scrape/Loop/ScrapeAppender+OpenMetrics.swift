internal import ByteCoding
internal import MetricModel

/// Reading OpenMetrics text.
///
/// Source: the behaviour and the messages of prometheus/prometheus model/textparse/openmetricsparse.go.
extension ScrapeAppender {
    func readOpenMetrics(_ bytes: UnsafeBufferPointer<UInt8>, _ batch: any SampleBatch) throws(ScrapeFailure) {
        isOpenMetrics = true
        if options.readsStarts { collectStarts(bytes) }
        var index = 0
        var cursor = 0
        while index < bytes.count {
            if let entry = expected(cursor, bytes, index) {
                let behind = index &+ cache.entries[entry].length
                if cache.entries[entry].kind == .metadata {
                    if bytes[behind] == UInt8(ascii: "\n") {
                        cursor &+= 1
                        type = MetricType(rawValue: cache.entries[entry].type) ?? .unknown
                        seeMetadata(entry)
                        index = behind &+ 1
                        continue
                    }
                } else if bytes[behind] == 0x20 {
                    cursor &+= 1
                    try openMetricsSample(entry, isNew: false, bytes, line: &index, behind, batch)
                    continue
                }
            }
            if try openMetricsLine(bytes, &index, &cursor, batch) { return }
        }
        throw ScrapeFailure("data does not end with # EOF")
    }

    /// A line that is not the one expected.
    /// - Returns: whether it is the end.
    private func openMetricsLine(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ cursor: inout Int, _ batch: any SampleBatch
    ) throws(ScrapeFailure) -> Bool {
        if bytes[index] == UInt8(ascii: "#") { return try openMetricsComment(bytes, &index, &cursor) }
        guard
            SeriesText.isNameByte(bytes[index]) && !(bytes[index] >= 0x30 && bytes[index] <= 0x39)
                || bytes[index] == UInt8(ascii: "{")
        else { throw Self.problem("expected a valid start token", bytes, line: index, at: index) }
        guard let end = SeriesText.end(bytes, from: index, allowsBlanks: false) else {
            throw Self.problem("expected label name", bytes, line: index, at: Self.lineEnd(bytes, index))
        }
        guard end < bytes.count, bytes[end] == 0x20 else {
            throw Self.problem("expected value after metric", bytes, line: index, at: end)
        }
        let key = UnsafeBufferPointer(rebasing: bytes[index..<end])
        if options.readsStarts, isCreated(key) {
            index = min(Self.lineEnd(bytes, end) + 1, bytes.count)
            return false
        }
        let (entry, isNew) = try entry(key)
        if !isNew { cursor = Int(cache.entries[entry].position) &+ 1 }
        try openMetricsSample(entry, isNew: isNew, bytes, line: &index, end, batch)
        return false
    }

    /// What follows the series, up to the end of the line, behind which `line` moves.
    @inline(__always)
    private func openMetricsSample(
        _ entry: Int, isNew: Bool, _ bytes: UnsafeBufferPointer<UInt8>, line: inout Int, _ behind: Int,
        _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        let start = behind &+ 1
        var index = start
        guard let value = NumberScan.value(bytes, &index) else {
            throw Self.valueProblem("metric", bytes, line: line, start..<index)
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "\n") {
            line = index &+ 1
            try addValue(entry, isNew: isNew, value: value, ownTimestamp: nil, exemplar: nil, batch)
            return
        }
        try openMetricsTail(entry, isNew: isNew, value, bytes, line: &line, index, batch)
    }

    /// A timestamp or an exemplar, or both.
    private func openMetricsTail(
        _ entry: Int, isNew: Bool, _ value: Double, _ bytes: UnsafeBufferPointer<UInt8>, line: inout Int, _ behind: Int,
        _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        var index = behind
        var own: Timestamp?
        if index + 1 < bytes.count, bytes[index] == 0x20, bytes[index + 1] != UInt8(ascii: "#") {
            index += 1
            own = try openMetricsTime(bytes, line: line, &index, "timestamp")
        }
        guard index < bytes.count else { throw ScrapeFailure("data does not end with # EOF") }
        var exemplar: Exemplar?
        if bytes[index] == 0x20, index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "#"),
            bytes[index + 2] == 0x20
        {
            index += 3
            exemplar = try openMetricsExemplar(bytes, line: line, &index)
        }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\n") else {
            if index >= bytes.count { throw ScrapeFailure("data does not end with # EOF") }
            throw Self.problem(
                own == nil ? "expected timestamp or comment" : "expected next entry after timestamp", bytes, line: line,
                at: index)
        }
        try addValue(entry, isNew: isNew, value: value, ownTimestamp: own, exemplar: exemplar, batch)
        line = index + 1
    }

    private func openMetricsTime(
        _ bytes: UnsafeBufferPointer<UInt8>, line: Int, _ index: inout Int, _ what: String
    ) throws(ScrapeFailure) -> Timestamp {
        let start = index
        guard let seconds = NumberScan.value(bytes, &index) else {
            throw Self.valueProblem(what, bytes, line: line, start..<index)
        }
        guard seconds.isFinite else { throw ScrapeFailure("invalid \(what) \(FloatText.string(seconds, .fixed))") }
        // What is no time becomes one that is too old to be stored, as upstream's arithmetic makes it.
        return Int64(exactly: (seconds * 1000).rounded(.towardZero)) ?? Timestamp.min / 2
    }

    private func openMetricsExemplar(
        _ bytes: UnsafeBufferPointer<UInt8>, line: Int, _ index: inout Int
    ) throws(ScrapeFailure) -> Exemplar {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "{"),
            let end = SeriesText.end(bytes, from: index, allowsBlanks: false)
        else { throw Self.problem("expected label name", bytes, line: line, at: index) }
        let labels = try SeriesText.exemplarLabels(UnsafeBufferPointer(rebasing: bytes[index..<end]))
        index = end
        guard index < bytes.count, bytes[index] == 0x20 else {
            throw Self.problem("expected value after exemplar labels", bytes, line: line, at: index)
        }
        index += 1
        let start = index
        guard let value = NumberScan.value(bytes, &index) else {
            throw Self.valueProblem("exemplar labels", bytes, line: line, start..<index)
        }
        var time: Timestamp?
        if index < bytes.count, bytes[index] == 0x20 {
            index += 1
            time = try openMetricsTime(bytes, line: line, &index, "exemplar timestamp")
        }
        return Exemplar(labels: labels, value: value, timestamp: time)
    }

    /// A metadata line or the end.
    /// - Returns: whether it is the end.
    private func openMetricsComment(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ cursor: inout Int
    ) throws(ScrapeFailure) -> Bool {
        let start = index
        let end = Self.lineEnd(bytes, index)
        let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
        index = min(end + 1, bytes.count)
        if line.elementsEqual("# EOF".utf8) {
            guard index == bytes.count else { throw ScrapeFailure("unexpected data after # EOF") }
            return true
        }
        guard end < bytes.count else { throw ScrapeFailure("data does not end with # EOF") }
        if let known = cache.find(line, hash: ByteHash.hash(line)), cache.entries[known].kind == .metadata {
            cursor = Int(cache.entries[known].position) + 1
            type = MetricType(rawValue: cache.entries[known].type) ?? .unknown
            seeMetadata(known)
            return false
        }
        var words = MetadataWords(line: line, isStrict: true)
        guard let keyword = words.keyword() else {
            throw Self.problem("expected a valid start token", bytes, line: start, at: start)
        }
        guard let name = words.name() else {
            throw Self.problem(
                "expected metric name after \(keyword.rawValue)", bytes, line: start, at: start + words.index)
        }
        try noteOpenMetricsMetadata(keyword, name, words.rest(), line)
        return false
    }

    private func noteOpenMetricsMetadata(
        _ keyword: MetadataWords.Keyword, _ name: ByteString, _ text: ByteString, _ line: UnsafeBufferPointer<UInt8>
    ) throws(ScrapeFailure) {
        switch keyword {
        case .help:
            guard text.isValidUTF8 else {
                throw ScrapeFailure("help text \(Quoting.quote(text)) is not a valid utf8 string")
            }
            noteMetadata(name, line: line) { $0.help = MetadataWords.unescaped(text, quotes: true) }
        case .type:
            guard let named = MetricType.allCases.first(where: { text == ByteString($0.openMetricsName) }) else {
                throw ScrapeFailure("invalid metric type \(Quoting.quote(text))")
            }
            type = named
            noteMetadata(name, line: line) { $0.type = named }
        case .unit:
            if !text.isEmpty, !name.hasSuffix(ByteString([UInt8(ascii: "_")] + text.bytes)) {
                throw ScrapeFailure("unit \(Quoting.quote(text)) not a suffix of metric \(Quoting.quote(name))")
            }
            noteMetadata(name, line: line) { $0.unit = text }
        }
    }

    // MARK: Start times

    private static let createdSuffix: ByteString = "_created"

    /// Whether the series of `key` tells the start of others.
    private func isCreated(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard Self.hasStart(type) else { return false }
        let name = key.prefix { $0 != UInt8(ascii: "{") }
        if !name.isEmpty { return name.reversed().starts(with: Self.createdSuffix.bytes.reversed()) }
        guard let labels = try? SeriesText.labels(key, type: type, isOpenMetrics: true) else { return false }
        return labels.metricName?.hasSuffix(Self.createdSuffix) ?? false
    }

    private static func hasStart(_ type: MetricType) -> Bool {
        type == .counter || type == .summary || type == .histogram
    }

    /// Reads the `_created` series of a body, before the series that they belong to.
    private func collectStarts(_ bytes: UnsafeBufferPointer<UInt8>) {
        starts.removeAll(keepingCapacity: true)
        let before = type
        defer { type = before }
        var index = 0
        while index < bytes.count {
            let end = Self.lineEnd(bytes, index)
            let line = UnsafeBufferPointer(rebasing: bytes[index..<end])
            index = end + 1
            if line.first == UInt8(ascii: "#") {
                var words = MetadataWords(line: line, isStrict: true)
                guard words.keyword() == .type, words.name() != nil else { continue }
                let text = words.rest()
                type = MetricType.allCases.first { text == ByteString($0.openMetricsName) } ?? .unknown
                continue
            }
            guard let seriesEnd = SeriesText.end(line, from: 0, allowsBlanks: false), seriesEnd < line.count else {
                continue
            }
            let key = UnsafeBufferPointer(rebasing: line[..<seriesEnd])
            guard isCreated(key), let labels = try? SeriesText.labels(key, type: type, isOpenMetrics: true) else {
                continue
            }
            var position = seriesEnd + 1
            guard let seconds = NumberScan.value(line, &position),
                let milliseconds = Int64(exactly: (seconds * 1000).rounded(.towardZero)), milliseconds > 0
            else { continue }
            starts[Self.startGroup(labels, type, suffixes: [Self.createdSuffix])] = milliseconds
        }
        hasStarts = !starts.isEmpty
    }

    /// When the counter of entry `index` started; nil if that is not known.
    func startTime(of index: Int) -> Timestamp? {
        let hash = cache.entries[index].hash
        if let start = currentStart { return start }
        let type = MetricType(rawValue: cache.entries[index].type) ?? .unknown
        guard Self.hasStart(type) else { return nil }
        let group: UInt64
        if let known = startGroups[hash] {
            group = known
        } else {
            guard
                let labels = try? knownLabels[hash]
                    ?? SeriesText.labels(cache.key(index), type: type, isOpenMetrics: isOpenMetrics)
            else {
                return nil
            }
            group = Self.startGroup(labels, type, suffixes: ["_total", "_bucket", "_count", "_sum"])
            if startGroups.count > 2 * cache.count + 1000 { startGroups.removeAll(keepingCapacity: true) }
            startGroups[hash] = group
        }
        return starts[group]
    }

    /// Whether the zero of this start is not stored yet; it is noted as stored.
    func isNewStart(_ start: Timestamp, of index: Int) -> Bool {
        let hash = cache.entries[index].hash
        if storedStarts[hash] == start { return false }
        if storedStarts.count > 2 * cache.count + 1000 { storedStarts.removeAll(keepingCapacity: true) }
        storedStarts[hash] = start
        return true
    }

    /// What the series of one metric have in common: the name without its suffix, and the labels but bounds.
    private static func startGroup(_ labels: Labels, _ type: MetricType, suffixes: [ByteString]) -> UInt64 {
        var builder = LabelsBuilder(labels)
        if type == .histogram { builder.remove("le") }
        if type == .summary { builder.remove("quantile") }
        for name in MetricMetadata.labelNames { builder.remove(name) }
        if let name = labels.metricName, let suffix = suffixes.first(where: name.hasSuffix) {
            builder.set(Labels.metricName, ByteString(name.bytes.dropLast(suffix.count)))
        }
        return builder.labels().hash64
    }
}
