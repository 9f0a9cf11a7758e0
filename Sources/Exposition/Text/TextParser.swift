internal import ByteCoding
package import MetricModel

/// The text format 0.0.4 as a pushing client sends it: whole families out of bytes.
///
/// Tolerance, refusals and error texts are those of prometheus/common v0.69 expfmt/text_parse.go, which Pushgateway
/// 1.11.3 uses; where upstream would crash or mix up series (`{}` without a name) the line is refused.
package enum TextParser {
    /// Reads a whole body.
    ///
    /// Families come in the order of their first line; those without samples are left out. A histogram's or summary's
    /// lines become one metric wherever they stand. Nothing is sorted; duplicate series are kept.
    /// - Parameters:
    ///   - bytes: The body.
    ///   - names: Which names are accepted.
    ///   - limits: What the body may hold.
    /// - Returns: The families, each with at least one metric.
    /// - Throws: ``ParseError/text(line:message:)`` or ``ParseError/limit(_:)``; nothing of the body counts then.
    /// - Complexity: O(bytes); allocations for families, metrics, and label texts that differ from the line before.
    package static func parse(
        _ bytes: [UInt8], names: NameValidation = .legacy, limits: ParseLimits = .none
    ) throws(ParseError) -> [MetricFamily] {
        // SAFETY: the reader and its tokens, which point into `bytes`, do not leave this call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(ParseError) -> [MetricFamily] in
            try parse(buffer, names: names, limits: limits)
        }
    }

    /// Reads a whole body; `bytes` are needed during the call only.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, names: NameValidation = .legacy, limits: ParseLimits = .none
    ) throws(ParseError) -> [MetricFamily] {
        var places: [TextTemplate.Place] = []
        return try parse(bytes, names: names, limits: limits, places: &places)
    }

    /// Reads a whole body; `bytes` are needed during the call only.
    /// - Parameter places: Becomes where the numbers of all lines stand, in order.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, names: NameValidation = .legacy, limits: ParseLimits = .none,
        places: inout [TextTemplate.Place]
    ) throws(ParseError) -> [MetricFamily] {
        var reader = TextReader(bytes, names: names, limits: limits)
        defer { reader.cursor.release() }
        try reader.run()
        places = reader.places
        return reader.families.finish()
    }
}

/// Walks over a body line by line. `cursor.position` stands on the byte that upstream calls the current one.
struct TextReader {
    /// A label of the line being read; its texts point into the body.
    struct PendingLabel {
        var name: UnsafeBufferPointer<UInt8>
        var value: UnsafeBufferPointer<UInt8>
    }

    var cursor: TextCursor
    var families: FamilyAssembler
    let names: NameValidation
    let limits: ParseLimits
    private var pending: [PendingLabel] = []
    /// The names of `pending`, once there are many.
    private var manyNames = HashIndex()
    /// Where the numbers stand.
    private(set) var places: [TextTemplate.Place] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, names: NameValidation, limits: ParseLimits) {
        cursor = TextCursor(bytes)
        families = FamilyAssembler()
        self.names = names
        self.limits = limits
        pending.reserveCapacity(16)
        places.reserveCapacity(32)
    }

    mutating func run() throws(ParseError) {
        while true {
            cursor.line &+= 1
            cursor.skipBlanks()
            guard cursor.position < cursor.end else { return }
            switch cursor.current {
            case UInt8(ascii: "\n"): cursor.position &+= 1
            case UInt8(ascii: "#"): try readComment()
            default: try readSample()
            }
        }
    }

    // MARK: HELP and TYPE

    private mutating func readComment() throws(ParseError) {
        try cursor.advanceOverBlanks()
        if cursor.endLine() { return }
        let keyword = try cursor.readUntilWhitespace()
        if cursor.endLine() { return }
        let isHelp = equals(keyword, "HELP")
        guard isHelp || equals(keyword, "TYPE") else {
            try cursor.skipLine()
            return
        }
        try cursor.advanceOverBlanks()
        let name = try cursor.readMetricName()
        if cursor.endLine() { return }
        guard cursor.isAtBlank else { throw cursor.error("invalid metric name in comment") }
        try selectFamily(name)
        try cursor.advanceOverBlanks()
        if cursor.endLine() { return }
        if isHelp {
            guard families.currentHelp == nil else {
                throw cursor.error("second HELP line for metric name \(families.quotedCurrentName)")
            }
            families.currentHelp = ByteString(copy(try cursor.readHelp()))
        } else {
            guard !families.currentHasType else {
                throw cursor.error(
                    "second TYPE line for metric name \(families.quotedCurrentName), or TYPE reported after samples")
            }
            let word = try cursor.readRestOfLine()
            guard let type = Self.type(word) else {
                throw cursor.error("unknown metric type \(Excerpt.quoted(word))")
            }
            families.setCurrentType(type)
        }
    }

    /// The type that a word of a TYPE line names, in any case.
    private static func type(_ word: UnsafeBufferPointer<UInt8>) -> MetricType? {
        switch word.count {
        case 5: equalsIgnoringCase(word, "gauge") ? .gauge : nil
        case 7:
            equalsIgnoringCase(word, "counter")
                ? .counter
                : equalsIgnoringCase(word, "summary")
                    ? .summary : equalsIgnoringCase(word, "untyped") ? .unknown : nil
        case 9: equalsIgnoringCase(word, "histogram") ? .histogram : nil
        case 14: equalsIgnoringCase(word, "gaugehistogram") ? .gaugeHistogram : nil
        case 15: equalsIgnoringCase(word, "gauge_histogram") ? .gaugeHistogram : nil
        default: nil
        }
    }

    // MARK: Samples

    private mutating func readSample() throws(ParseError) {
        pending.removeAll(keepingCapacity: true)
        if manyNames.count > 0 { manyNames.removeAll() }
        families.startSample()
        if cursor.current == UInt8(ascii: "{") {
            try readLabels(isNameInside: true)
        } else {
            let name = try cursor.readMetricName()
            guard name.count > 0 else { throw cursor.error("invalid metric name") }
            try selectFamily(name)
            families.fixCurrentType()
            if cursor.isAtBlank { try cursor.advanceOverBlanks() }
            if cursor.current == UInt8(ascii: "{") { try readLabels(isNameInside: false) }
        }
        families.selectMetric(pending)
        if places.count >= limits.maximumSamples {
            throw .limit("the body has more than \(limits.maximumSamples) samples; push fewer or raise the limit")
        }
        let start = cursor.position
        let text = try cursor.readUntilWhitespace()
        places.append(TextTemplate.Place(range: start..<cursor.position, isCount: families.isCountNext))
        guard let value = FloatText.parse(text) else {
            throw cursor.error("expected float as value, got \(Excerpt.quoted(text))")
        }
        if let refusal = families.setValue(value) { throw cursor.error(refusal) }
        if !cursor.endLine() { try readTimestamp() }
    }

    private mutating func readTimestamp() throws(ParseError) {
        try cursor.advanceOverBlanks()
        let text = try cursor.readUntilWhitespace()
        guard let timestamp = IntegerText.parseInt64(text) else {
            throw cursor.error("expected integer as timestamp, got \(Excerpt.quoted(text))")
        }
        families.setTimestamp(timestamp)
        let rest = try cursor.readRestOfLine()
        guard rest.count == 0 else {
            throw cursor.error("spurious string after timestamp: \(Excerpt.quoted(rest))")
        }
    }

    /// Reads from the opening brace up to the first byte of the value.
    private mutating func readLabels(isNameInside: Bool) throws(ParseError) {
        var hasName = !isNameInside
        while true {
            try cursor.advanceOverBlanks()
            if cursor.current == UInt8(ascii: "}") {
                guard hasName else { throw cursor.error("invalid metric name") }
                try cursor.advanceOverBlanks()
                return
            }
            let name = try cursor.readLabelName()
            guard name.count > 0 else {
                throw cursor.error("invalid label name for metric \(families.quotedCurrentName)")
            }
            if cursor.isAtBlank { try cursor.advanceOverBlanks() }
            if cursor.current != UInt8(ascii: "=") {
                guard isNameInside else {
                    throw cursor.error(
                        "expected '=' after label name, found \(Excerpt.quotedCharacter(cursor.current))")
                }
                if hasName { throw cursor.error("multiple metric names for metric \(families.quotedCurrentName)") }
                hasName = true
                if try readInnerName(name) { return }
                continue
            }
            if try readLabel(name, hasName: hasName) { return }
        }
    }

    /// Takes a name inside the braces as the metric's.
    /// - Returns: Whether the closing brace followed; the cursor then stands on the value.
    private mutating func readInnerName(_ name: UnsafeBufferPointer<UInt8>) throws(ParseError) -> Bool {
        let next = cursor.current
        guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else {
            throw cursor.error("unexpected end of metric name \(Excerpt.quotedCharacter(next))")
        }
        try selectFamily(name)
        families.fixCurrentType()
        // Labels that came before the name: now it is known whether `le` and `quantile` are special.
        let early = pending
        pending.removeAll(keepingCapacity: true)
        manyNames.removeAll()
        for label in early { try take(label) }
        guard next == UInt8(ascii: "}") else { return false }
        try cursor.advanceOverBlanks()
        return true
    }

    /// Reads `="value"` and what follows.
    /// - Returns: Whether the closing brace followed; the cursor then stands on the value.
    private mutating func readLabel(
        _ name: UnsafeBufferPointer<UInt8>, hasName: Bool
    ) throws(ParseError) -> Bool {
        try check(labelName: name)
        if !(hasName && families.isSpecial(name)) {
            guard isNew(name) else {
                throw cursor.error("duplicate label names for metric \(families.quotedCurrentName)")
            }
        }
        try cursor.advanceOverBlanks()
        guard cursor.current == UInt8(ascii: "\"") else {
            throw cursor.error(
                "expected '\"' at start of label value, found \(Excerpt.quotedCharacter(cursor.current))")
        }
        let value = try cursor.readLabelValue()
        if value.count > limits.maximumLabelValueLength {
            throw .limit(
                "line \(cursor.line) has a label value of \(value.count) bytes; at most "
                    + "\(limits.maximumLabelValueLength) are allowed")
        }
        let label = PendingLabel(name: name, value: value)
        if hasName { try take(label) } else { pending.append(label) }
        try cursor.advanceOverBlanks()
        switch cursor.current {
        case UInt8(ascii: ","): return false
        case UInt8(ascii: "}"):
            guard hasName else { throw cursor.error("invalid metric name") }
            try cursor.advanceOverBlanks()
            return true
        default: throw cursor.error("unexpected end of label value \(Excerpt.quoted(value))")
        }
    }

    /// Keeps a label, unless it is the bound of a bucket or a quantile.
    private mutating func take(_ label: PendingLabel) throws(ParseError) {
        guard families.isSpecial(label.name) else {
            pending.append(label)
            if pending.count > limits.maximumLabels {
                throw .limit(
                    "line \(cursor.line) has more than \(limits.maximumLabels) labels; push fewer or raise the limit")
            }
            return
        }
        guard let bound = FloatText.parse(label.value) else {
            let name = families.currentType == .summary ? "quantile" : "le"
            throw cursor.error("expected float as value for '\(name)' label, got \(Excerpt.quoted(label.value))")
        }
        families.bound = bound
    }

    // MARK: Names

    private func check(labelName name: UnsafeBufferPointer<UInt8>) throws(ParseError) {
        if name.count == 8, equals(name, "__name__") { throw cursor.error("label name \"__name__\" is reserved") }
        if cursor.isNameQuoted {
            let isValid =
                switch names {
                case .legacy: LegacyNames.isLabelName(ByteString(name))
                case .utf8: UTF8Validation.isValid(name)
                }
            guard isValid else { throw cursor.error("invalid label name \(Excerpt.quoted(name))") }
        }
        try check(length: name)
    }

    private func check(length name: UnsafeBufferPointer<UInt8>) throws(ParseError) {
        if name.count > limits.maximumNameLength {
            throw .limit(
                "line \(cursor.line) has a name of \(name.count) bytes; at most \(limits.maximumNameLength) "
                    + "are allowed")
        }
    }

    /// Whether no label of the line has `name` yet. Beyond 32 labels a table tells, so that a line of very many
    /// labels does not cost their square.
    private mutating func isNew(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        if pending.count < 32 {
            for index in 0..<pending.count where equals(pending[index].name, name) { return false }
            return true
        }
        if pending.count < manyNames.count { manyNames.removeAll() }
        while manyNames.count < pending.count { manyNames.insert(ByteHash.hash(pending[manyNames.count].name)) }
        return manyNames.find(ByteHash.hash(name)) { equals(pending[$0].name, name) } == nil
    }

    private mutating func selectFamily(_ name: UnsafeBufferPointer<UInt8>) throws(ParseError) {
        if cursor.isNameQuoted {
            let isValid =
                switch names {
                case .legacy: LegacyNames.isMetricName(ByteString(name))
                case .utf8: name.count > 0 && UTF8Validation.isValid(name)
                }
            guard isValid else { throw cursor.error("invalid metric name \(Excerpt.quoted(name))") }
        }
        try check(length: name)
        families.select(name)
        if families.count > limits.maximumFamilies {
            throw .limit("the body has more than \(limits.maximumFamilies) metric names; push fewer or raise the limit")
        }
    }
}
