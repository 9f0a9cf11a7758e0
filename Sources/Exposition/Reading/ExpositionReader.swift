internal import ByteCoding
package import MetricModel

/// Reads a scraped exposition, text 0.0.4 or OpenMetrics 1.0, entry by entry, as Prometheus does: bytes, values and
/// metadata at once, labels only when they are asked for.
///
/// Source: prometheus/prometheus model/textparse/promparse.go and openmetricsparse.go, whose tolerance and error texts
/// these are, but for blanks at the start of a line, which upstream makes part of the name. `_created` series are entries like any other here; who wants start times pairs them by labels.
package struct ExpositionReader {
    /// What an entry is.
    package enum Entry: Sendable, Hashable {
        case type, help, unit, series, comment
    }

    /// The formats.
    package enum Dialect: Sendable, Hashable {
        case text, openMetrics
    }

    var lexer: ExpositionLexer
    /// Start of the line.
    private var start = 0
    /// Where the name and each label's name and value lie, in pairs; -1 for a name that is not known yet.
    var offsets: [Int] = []
    var exemplarOffsets: [Int] = []
    var hasExemplar = false
    var exemplarValue = 0.0
    var exemplarTimestamp: Timestamp?

    /// Of a series entry: its bytes, from the start of the line up to the end of the labels.
    package private(set) var series: Range<Int> = 0..<0
    /// Of a series entry; NaN always has Prometheus' bits.
    package private(set) var value = 0.0
    /// Of a series entry: milliseconds, or nil.
    package private(set) var timestamp: Timestamp?
    /// The type of the last TYPE line.
    package private(set) var type = MetricType.unknown
    var text: Range<Int> = 0..<0
    var isComment = false

    /// A reader of `bytes`, which have to live as long as it does.
    package init(_ bytes: UnsafeBufferPointer<UInt8>, _ dialect: Dialect) {
        lexer = ExpositionLexer(bytes, dialect == .text ? .text : .openMetrics)
        offsets.reserveCapacity(32)
    }

    /// Reads the next entry.
    /// - Returns: nil at the end.
    /// - Throws: ``ParseError/exposition(_:)`` in upstream's words; nothing more can be read then.
    /// - Complexity: O(line); no allocation.
    package mutating func next() throws(ParseError) -> Entry? {
        while true {
            start = lexer.position
            offsets.removeAll(keepingCapacity: true)
            hasExemplar = false
            let token = nextToken()
            switch token {
            case .eof:
                if lexer.dialect == .openMetrics { throw .exposition("data does not end with # EOF") }
                return nil
            case .eofWord:
                guard nextToken() == .eof else { throw .exposition("unexpected data after # EOF") }
                return nil
            case .linebreak where lexer.dialect == .text: continue
            case .help, .type, .unit: return try readMetadata(token)
            case .comment:
                text = lexer.start..<lexer.position
                isComment = true
                let after = nextToken()
                guard after == .linebreak else { throw problem("linebreak expected after comment", after) }
                return .comment
            case .braceOpen:
                offsets.append(-1)
                offsets.append(-1)
                try readLabels(isExemplar: false)
                series = start..<lexer.position
                try readRest(nextToken())
                return .series
            case .metricName:
                offsets.append(start)
                offsets.append(lexer.position)
                if lexer.dialect == .text { offsets[0] = lexer.start }
                series = start..<lexer.position
                var after = nextToken()
                if after == .braceOpen {
                    try readLabels(isExemplar: false)
                    series = start..<lexer.position
                    after = nextToken()
                }
                try readRest(after)
                return .series
            default: throw problem("expected a valid start token", token)
            }
        }
    }

    @inline(__always)
    private mutating func nextToken() -> ExpositionLexer.Token {
        while true {
            let token = lexer.next()
            if token != .whitespace { return token }
        }
    }

    private func problem(_ expected: String, _ got: ExpositionLexer.Token) -> ParseError {
        let end = min(lexer.end, lexer.position &+ 1)
        let tokenStart = min(lexer.start, end)
        return .exposition(
            "\(expected), got \(lexer.excerpt(tokenStart..<end)) (\"\(got.rawValue)\") while parsing: "
                + lexer.excerpt(min(start, end)..<end))
    }

    private func whileParsing(_ what: String) -> ParseError {
        .exposition("\(what) while parsing: \(lexer.excerpt(start..<max(start, lexer.position)))")
    }

    // MARK: Metadata

    private mutating func readMetadata(_ keyword: ExpositionLexer.Token) throws(ParseError) -> Entry {
        let nameToken = nextToken()
        guard nameToken == .metricName else {
            throw problem("expected metric name after \(keyword.rawValue)", nameToken)
        }
        var name = lexer.start..<lexer.position
        if lexer.byte(name.lowerBound) == UInt8(ascii: "\"") {
            name = (name.lowerBound &+ 1)..<(name.upperBound &- 1)
        }
        offsets.append(name.lowerBound)
        offsets.append(name.upperBound)
        let isOpenMetrics = lexer.dialect == .openMetrics
        let textToken = nextToken()
        guard textToken == .text else {
            let got = isOpenMetrics ? "" : ", got \(textToken.rawValue)"
            throw .exposition("expected text in \(keyword.rawValue)\(got)")
        }
        // Without the blank before it and, in OpenMetrics, the line feed behind.
        let upper = lexer.position &- (isOpenMetrics ? 1 : 0)
        isComment = false
        text = lexer.start &+ 1 < upper ? (lexer.start &+ 1)..<upper : upper..<upper
        switch keyword {
        case .type: type = try readType()
        case .help: try checkHelp()
        default: try checkUnit(name)
        }
        if !isOpenMetrics {
            let after = nextToken()
            guard after == .linebreak else { throw problem("linebreak expected after metadata", after) }
        }
        switch keyword {
        case .type: return .type
        case .help: return .help
        default: return .unit
        }
    }

    private func readType() throws(ParseError) -> MetricType {
        let word = lexer.piece(text)
        for type in MetricType.allCases {
            switch (lexer.dialect, type) {
            case (.text, .unknown): if equals(word, "untyped") { return .unknown }
            case (.text, .gaugeHistogram), (.text, .info), (.text, .stateSet): continue
            default: if word.elementsEqual(type.openMetricsName.utf8) { return type }
            }
        }
        throw .exposition("invalid metric type \(Excerpt.quoted(word))")
    }

    private func checkHelp() throws(ParseError) {
        let help = lexer.piece(text)
        if !UTF8Validation.isValid(help) {
            throw .exposition("help text \(Excerpt.quoted(help)) is not a valid utf8 string")
        }
    }

    private func checkUnit(_ name: Range<Int>) throws(ParseError) {
        let unit = lexer.piece(text)
        let name = lexer.piece(name)
        guard unit.count > 0 else { return }
        let isSuffix =
            name.count > unit.count && name.suffix(unit.count).elementsEqual(unit)
            && name[name.count &- unit.count &- 1] == UInt8(ascii: "_")
        if !isSuffix {
            throw .exposition("unit \(Excerpt.quoted(unit)) not a suffix of metric \(Excerpt.quoted(name))")
        }
    }

    // MARK: Series

    private mutating func readLabels(isExemplar: Bool) throws(ParseError) {
        var token = nextToken()
        while true {
            var nameStart = lexer.start
            var nameEnd = lexer.position
            let isQuoted = token == .quotedString
            switch token {
            case .braceClose: return
            case .labelName, .quotedString: break
            default: throw problem("expected label name", token)
            }
            token = nextToken()
            if isQuoted, token == .comma || token == .braceClose {
                // A quoted string that no value follows is the metric's name.
                if isExemplar { throw problem("expected label name", token) }
                guard offsets[0] == -1 else { throw whileParsing("metric name already set") }
                offsets[0] = nameStart &+ 1
                offsets[1] = nameEnd &- 1
                if token == .braceClose { return }
                token = nextToken()
                continue
            }
            if isQuoted {
                nameStart &+= 1
                nameEnd &-= 1
            }
            guard token == .equal else { throw problem("expected equal", token) }
            token = nextToken()
            guard token == .labelValue else { throw problem("expected label value", token) }
            if !UTF8Validation.isValid(lexer.token) {
                throw .exposition("invalid UTF-8 label value: \(Excerpt.quoted(lexer.token))")
            }
            if isExemplar {
                exemplarOffsets += [nameStart, nameEnd, lexer.start &+ 1, lexer.position &- 1]
            } else {
                offsets.append(nameStart)
                offsets.append(nameEnd)
                offsets.append(lexer.start &+ 1)
                offsets.append(lexer.position &- 1)
            }
            token = nextToken()
            if token == .comma {
                token = nextToken()
            } else if lexer.dialect == .openMetrics, token != .braceClose {
                throw problem("expected comma or brace close", token)
            }
        }
    }

    /// The value and what follows it.
    private mutating func readRest(_ token: ExpositionLexer.Token) throws(ParseError) {
        guard offsets[0] != -1 else { throw whileParsing("metric name not set") }
        value = try readValue(token, after: "metric")
        timestamp = nil
        let next = nextToken()
        if lexer.dialect == .text {
            switch next {
            case .linebreak: return
            case .timestamp:
                guard let milliseconds = IntegerText.parseInt64(lexer.token) else {
                    throw whileParsing("strconv.ParseInt: parsing \(Excerpt.quoted(lexer.token)): value out of range")
                }
                timestamp = milliseconds
                let after = nextToken()
                guard after == .linebreak else { throw problem("expected next entry after timestamp", after) }
            default: throw problem("expected timestamp or new record", next)
            }
            return
        }
        switch next {
        case .eof: throw .exposition("data does not end with # EOF")
        case .comment: try readExemplar()
        case .timestamp:
            timestamp = try readSeconds("timestamp")
            switch nextToken() {
            case .linebreak: break
            case .comment: try readExemplar()
            case let other: throw problem("expected next entry after timestamp", other)
            }
        default: break  // upstream takes any other token for the end of the line
        }
    }

    private mutating func readValue(_ token: ExpositionLexer.Token, after what: String) throws(ParseError) -> Double {
        guard token == .value else { throw problem("expected value after \(what)", token) }
        let number = try readNumber()
        return number.isNaN ? Double(bitPattern: SampleValue.normalNaNBits) : number
    }

    /// The number of the current token.
    @inline(__always)
    private func readNumber() throws(ParseError) -> Double {
        var token = lexer.token
        if lexer.dialect == .openMetrics { token = UnsafeBufferPointer(rebasing: token.dropFirst()) }
        if let number = FloatText.parse(token) { return number }
        throw numberProblem(token)
    }

    private func numberProblem(_ token: UnsafeBufferPointer<UInt8>) -> ParseError {
        if token.contains(where: { $0 | 0x20 == UInt8(ascii: "p") || $0 == UInt8(ascii: "_") }) {
            return whileParsing("unsupported character in float")
        }
        // What is a number without its exponent was only too large.
        let stem = token.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let isNumber = stem.contains { $0 &- UInt8(ascii: "0") < 10 } && FloatText.isDecimal(token)
        let reason = isNumber ? "value out of range" : "invalid syntax"
        return whileParsing("strconv.ParseFloat: parsing \(Excerpt.quoted(token)): \(reason)")
    }

    /// A time in seconds, as milliseconds.
    private func readSeconds(_ what: String) throws(ParseError) -> Timestamp {
        let seconds = try readNumber()
        guard seconds.isFinite else {
            throw .exposition("invalid \(what) \(FloatText.string(seconds, .general))")
        }
        let milliseconds = (seconds * 1000).rounded(.towardZero)
        return Timestamp(exactly: milliseconds) ?? .min  // what Go makes of it on amd64
    }

    private mutating func readExemplar() throws(ParseError) {
        exemplarOffsets.removeAll(keepingCapacity: true)
        try readLabels(isExemplar: true)
        exemplarValue = try readValue(nextToken(), after: "exemplar labels")
        exemplarTimestamp = nil
        hasExemplar = true
        let next = nextToken()
        switch next {
        case .eof: throw .exposition("data does not end with # EOF")
        case .linebreak: return
        case .timestamp:
            exemplarTimestamp = try readSeconds("exemplar timestamp")
            let after = nextToken()
            guard after == .linebreak else { throw problem("expected next entry after exemplar timestamp", after) }
        default: throw problem("expected timestamp or comment", next)
        }
    }
}
