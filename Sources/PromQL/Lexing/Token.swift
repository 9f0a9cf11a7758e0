internal import ByteCoding
internal import MetricModel

/// What a token is.
///
/// Source: prometheus/prometheus promql/parser/lex.go, whose descriptions of tokens appear in error messages.
enum TokenKind: Hashable {
    case equalSign, blank, colon, comma, duration, endOfInput, identifier, leftBrace, leftBracket, leftParen
    case openHistogram, closeHistogram, metricIdentifier, number, rightBrace, rightBracket, rightParen, space
    case string, times
    case histogramKey(HistogramKey)
    case counterResetHint(CounterResetHint)
    case binary(BinaryOperator)
    case equalRegex, notEqualRegex, at
    case aggregate(AggregateOperator)
    case keyword(Keyword)
    case preprocessor(Preprocessor)
}

/// Words of the language that are neither operators nor functions.
enum Keyword: String, CaseIterable {
    case bool, by, ignoring, offset, smoothed, anchored, on, without, fill
    case groupLeft = "group_left"
    case groupRight = "group_right"
    case fillLeft = "fill_left"
    case fillRight = "fill_right"
}

/// Words that are functions, duration expressions or arguments of `@`, by where they stand.
enum Preprocessor: String, CaseIterable {
    case start, end, step, range
    case maxOf = "max_of"
    case minOf = "min_of"
}

/// Keys inside `{{…}}` of a series description, in the order of upstream's token numbers.
enum HistogramKey: String, CaseIterable {
    case sum, count, schema, offset
    case negativeOffset = "n_offset"
    case buckets
    case negativeBuckets = "n_buckets"
    case zeroBucket = "z_bucket"
    case zeroBucketWidth = "z_bucket_w"
    case customValues = "custom_values"
    case counterResetHint = "counter_reset_hint"
}

/// A token and where it stands.
struct Token {
    var kind: TokenKind
    var position: PositionRange
    /// The bytes as written.
    var text: ByteString

    /// How error messages name the token.
    var description: String {
        switch kind {
        case .endOfInput: "end of input"
        case .identifier: "identifier \(Quoting.quote(text))"
        case .metricIdentifier: "metric identifier \(Quoting.quote(text))"
        case .string: "string \(abridged)"
        case .number: "number \(abridged)"
        case .duration: "duration \(abridged)"
        case .keyword: "<\(text)>"
        case .binary, .equalRegex, .notEqualRegex, .at: "<op:\(text)>"
        case .aggregate: "<aggr:\(text)>"
        case .histogramKey(let key): "\"<Item \(key.upstreamNumber)>\" \(abridged)"
        case .counterResetHint(let hint): "\"<Item \(hint.upstreamNumber)>\" \(abridged)"
        case .equalSign, .blank, .colon, .comma, .leftBrace, .leftBracket, .leftParen, .openHistogram,
            .closeHistogram, .rightBrace, .rightBracket, .rightParen, .space, .times, .preprocessor:
            abridged
        }
    }

    /// The text in quotes, cut after ten characters.
    private var abridged: String {
        guard text.count > 10 else { return Quoting.quote(text) }
        return Quoting.quote(ByteString(UTF8Text.prefix(of: text.bytes, scalars: 10))) + "..."
    }
}

extension HistogramKey {
    /// The number that upstream's messages show for want of a name.
    fileprivate var upstreamNumber: Int { 57370 + (HistogramKey.allCases.firstIndex(of: self) ?? 0) }
}

extension CounterResetHint {
    /// The number that upstream's messages show for want of a name.
    fileprivate var upstreamNumber: Int { 57445 + Int(rawValue) }
}
