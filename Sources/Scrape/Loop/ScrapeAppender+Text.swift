internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif
internal import MetricModel

/// Reading the Prometheus text format.
///
/// Source: the behaviour and the messages of prometheus/prometheus model/textparse/promparse.go.
extension ScrapeAppender {
    func readText(_ bytes: UnsafeBufferPointer<UInt8>, _ batch: any SampleBatch) throws(ScrapeFailure) {
        isOpenMetrics = false
        var index = 0
        var cursor = 0
        while index < bytes.count {
            if let entry = expected(cursor, bytes, index) {
                var behind = index &+ cache.entries[entry].length
                if cache.entries[entry].kind == .metadata {
                    if bytes[behind] == UInt8(ascii: "\n") {
                        cursor &+= 1
                        type = MetricType(rawValue: cache.entries[entry].type) ?? .unknown
                        seeMetadata(entry)
                        index = behind &+ 1
                        continue
                    }
                } else if Self.isBlank(bytes[behind]) {
                    let hasLabels = bytes[behind &- 1] == UInt8(ascii: "}")
                    behind &+= 1
                    while behind < bytes.count, Self.isBlank(bytes[behind]) { behind &+= 1 }
                    if hasLabels || behind == bytes.count || bytes[behind] != UInt8(ascii: "{") {
                        cursor &+= 1
                        try textSample(entry, isNew: false, bytes, line: index, &behind, batch)
                        index = behind
                        continue
                    }
                }
            }
            try textLine(bytes, &index, &cursor, batch)
        }
    }

    /// The entry that the last scrape had in place `cursor`, if the line at `index` starts with its bytes and goes on.
    @inline(__always)
    func expected(_ cursor: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int? {
        guard cursor < cache.order.count else { return nil }
        let entry = Int(cache.order[cursor])
        let length = cache.entries[entry].length
        guard length > 0, index &+ length < bytes.count, let base = bytes.baseAddress,
            // SAFETY: both have `length` bytes at these places.
            memcmp(base + index, cache.arena + cache.entries[entry].offset, length) == 0,
            cache.entries[entry].kind != .dead
        else { return nil }
        return entry
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// A line that is not the one expected.
    private func textLine(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ cursor: inout Int, _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count else { return }
        switch bytes[index] {
        case UInt8(ascii: "\n"): index += 1
        case UInt8(ascii: "#"): try textComment(bytes, &index, &cursor)
        default:
            guard
                SeriesText.isNameByte(bytes[index]) && !(bytes[index] >= 0x30 && bytes[index] <= 0x39)
                    || bytes[index] == UInt8(ascii: "{")
            else { throw Self.problem("expected a valid start token", bytes, line: index, at: index) }
            guard let end = SeriesText.end(bytes, from: index, allowsBlanks: true) else {
                throw Self.problem("expected label name", bytes, line: index, at: Self.lineEnd(bytes, index))
            }
            let (entry, isNew) = try entry(UnsafeBufferPointer(rebasing: bytes[index..<end]))
            if !isNew { cursor = Int(cache.entries[entry].position) &+ 1 }
            var behind = end
            while behind < bytes.count, Self.isBlank(bytes[behind]) { behind += 1 }
            try textSample(entry, isNew: isNew, bytes, line: index, &behind, batch)
            index = behind
        }
    }

    /// A value, perhaps a timestamp, and the end of the line, behind which `index` moves.
    @inline(__always)
    private func textSample(
        _ entry: Int, isNew: Bool, _ bytes: UnsafeBufferPointer<UInt8>, line: Int, _ index: inout Int,
        _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        let start = index
        guard let value = NumberScan.value(bytes, &index) else {
            throw Self.valueProblem("metric", bytes, line: line, start..<index)
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "\n") {
            index &+= 1
            try addValue(entry, isNew: isNew, value: value, ownTimestamp: nil, exemplar: nil, batch)
            return
        }
        let own = try textTimestamp(bytes, line: line, &index)
        try addValue(entry, isNew: isNew, value: value, ownTimestamp: own, exemplar: nil, batch)
    }

    private func textTimestamp(
        _ bytes: UnsafeBufferPointer<UInt8>, line: Int, _ index: inout Int
    ) throws(ScrapeFailure) -> Timestamp? {
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        if bytes[index] == UInt8(ascii: "\n") {
            index += 1
            return nil
        }
        let start = index
        guard bytes[start] >= 0x30, bytes[start] <= 0x39, let timestamp = NumberScan.integer(bytes, &index) else {
            throw Self.problem("expected timestamp or new record", bytes, line: line, at: start)
        }
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count else { return timestamp }
        guard bytes[index] == UInt8(ascii: "\n") else {
            throw Self.problem("expected next entry after timestamp", bytes, line: line, at: index)
        }
        index += 1
        return timestamp
    }

    /// `# HELP`, `# TYPE`, or any other comment, which says nothing.
    private func textComment(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ cursor: inout Int
    ) throws(ScrapeFailure) {
        let start = index
        let end = Self.lineEnd(bytes, index)
        index = min(end + 1, bytes.count)
        let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if let known = cache.find(line, hash: ByteHash.hash(line)), cache.entries[known].kind == .metadata {
            cursor = Int(cache.entries[known].position) + 1
            type = MetricType(rawValue: cache.entries[known].type) ?? .unknown
            seeMetadata(known)
            return
        }
        var words = MetadataWords(line: line, isStrict: false)
        guard let keyword = words.keyword(), keyword == .help || keyword == .type else { return }
        guard let name = words.name() else {
            throw Self.problem(
                "expected metric name after \(keyword.rawValue)", bytes, line: start, at: start + words.index)
        }
        let text = words.rest()
        switch keyword {
        case .help:
            guard text.isValidUTF8 else {
                throw ScrapeFailure("help text \(Quoting.quote(text)) is not a valid utf8 string")
            }
            noteMetadata(name, line: line) { $0.help = MetadataWords.unescaped(text, quotes: false) }
        case .type:
            guard let named = Self.textType(text) else {
                throw ScrapeFailure("invalid metric type \(Quoting.quote(text))")
            }
            type = named
            noteMetadata(name, line: line) { $0.type = named }
        case .unit: break
        }
    }

    private static func textType(_ name: ByteString) -> MetricType? {
        switch name.string {
        case "counter": .counter
        case "gauge": .gauge
        case "histogram": .histogram
        case "summary": .summary
        case "untyped": .unknown
        default: nil
        }
    }

    static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        return index
    }

    /// What is wrong at `index` in the line that starts at `line`.
    static func problem(
        _ expected: String, _ bytes: UnsafeBufferPointer<UInt8>, line: Int, at index: Int
    ) -> ScrapeFailure {
        let at = min(index, bytes.count)
        let end = min(at + 1, bytes.count)
        return ScrapeFailure(
            "\(expected), got \(SeriesText.quoted(bytes[at..<end])) (\"INVALID\") while parsing:"
                + " \(SeriesText.quoted(bytes[min(line, end)..<end]))", isSyntax: true)
    }

    /// What is wrong with the number at `range`, in Go's words.
    static func valueProblem(
        _ after: String, _ bytes: UnsafeBufferPointer<UInt8>, line: Int, _ range: Range<Int>
    ) -> ScrapeFailure {
        if range.isEmpty { return problem("expected value after \(after)", bytes, line: line, at: range.lowerBound) }
        let place = "while parsing: \(SeriesText.quoted(bytes[line..<range.upperBound]))"
        if bytes[range].contains(where: { $0 == 0x5F || $0 | 0x20 == UInt8(ascii: "p") }) {
            return ScrapeFailure("unsupported character in float \(place)", isSyntax: true)
        }
        let isTooLarge =
            bytes[range].allSatisfy { "+-.0123456789eE".utf8.contains($0) }
            && Double(String(decoding: bytes[range], as: UTF8.self))?.isInfinite ?? false
        return ScrapeFailure(
            "strconv.ParseFloat: parsing \(SeriesText.quoted(bytes[range])): "
                + "\(isTooLarge ? "value out of range" : "invalid syntax") \(place)", isSyntax: true)
    }
}

/// The words of a metadata line: `# TYPE name gauge`.
struct MetadataWords {
    enum Keyword: String {
        case help = "HELP"
        case type = "TYPE"
        case unit = "UNIT"
    }

    let line: UnsafeBufferPointer<UInt8>
    /// Whether there is one blank between words, as in OpenMetrics, or any number.
    let isStrict: Bool
    private(set) var index = 0

    init(line: UnsafeBufferPointer<UInt8>, isStrict: Bool) {
        self.line = line
        self.isStrict = isStrict
    }

    /// The keyword, if it is one, followed by a blank.
    mutating func keyword() -> Keyword? {
        index = 1
        guard skipBlanks() else { return nil }
        let start = index
        while index < line.count, line[index] != 0x20, line[index] != 0x09 { index += 1 }
        let word = Keyword(rawValue: String(decoding: line[start..<index], as: UTF8.self))
        return skipBlanks() ? word : nil
    }

    /// The metric name, which may be quoted.
    mutating func name() -> ByteString? {
        let start = index
        if index < line.count, line[index] == UInt8(ascii: "\"") {
            index += 1
            while index < line.count, line[index] != UInt8(ascii: "\"") {
                index += line[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard index < line.count else { return nil }
            index += 1
            return Self.unescaped(ByteString(Array(line[(start + 1)..<(index - 1)])), quotes: true)
        }
        while index < line.count, SeriesText.isNameByte(line[index]) { index += 1 }
        guard index > start, !(line[start] >= 0x30 && line[start] <= 0x39),
            index == line.count || line[index] == 0x20 || line[index] == 0x09
        else { return nil }
        return ByteString(Array(line[start..<index]))
    }

    /// What follows the name, without the blank before it.
    mutating func rest() -> ByteString {
        if index < line.count { index += 1 }
        if !isStrict { while index < line.count, line[index] == 0x20 || line[index] == 0x09 { index += 1 } }
        return ByteString(Array(line[min(index, line.count)...]))
    }

    private mutating func skipBlanks() -> Bool {
        let start = index
        while index < line.count, line[index] == 0x20 || line[index] == 0x09 {
            index += 1
            if isStrict { break }
        }
        return index > start
    }

    /// `text` with `\\` and `\n` read, and `\"` where `quotes` says so.
    static func unescaped(_ text: ByteString, quotes: Bool) -> ByteString {
        guard text.bytes.contains(UInt8(ascii: "\\")) else { return text }
        var result: [UInt8] = []
        var rest = text.bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                result.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\\"): result.append(next)
            case UInt8(ascii: "\"") where quotes: result.append(next)
            default:
                result.append(byte)
                continue
            }
            rest = rest.dropFirst()
        }
        return ByteString(result)
    }
}
