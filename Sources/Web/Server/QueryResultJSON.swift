internal import ByteCoding
internal import MetricModel
internal import PromQL

/// Writes results of queries as JSON.
///
/// Source of the form: prometheus/prometheus web/api/v1/json_codec.go and util/jsonutil.
enum QueryResultJSON {
    // MARK: Pieces

    /// Appends a label set as an object. Only quotes, backslashes and control characters are escaped: upstream writes
    /// these strings without regard to HTML.
    static func append(_ labels: Labels, to json: inout [UInt8]) {
        labels.packedBytes.withUnsafeBytes { packed in
            JSONPoints.appendObject(packed, to: &json) { labels.forEachRange($0) }
        }
    }

    /// Appends `text` in quotes, likewise.
    static func appendText(_ text: String, to json: inout [UInt8]) {
        Array(text.utf8).withUnsafeBytes { JSONPoints.appendQuoted($0, to: &json) }
    }

    /// Appends milliseconds as seconds: `1435781451.781`.
    static func append(timestamp: Timestamp, to json: inout [UInt8]) {
        var magnitude = timestamp.magnitude
        if timestamp < 0 { json.append(UInt8(ascii: "-")) }
        let fraction = magnitude % 1000
        magnitude /= 1000
        appendDigits(magnitude, to: &json)
        if fraction != 0 {
            json.append(UInt8(ascii: "."))
            json.append(UInt8(ascii: "0") + UInt8(fraction / 100))
            json.append(UInt8(ascii: "0") + UInt8(fraction / 10 % 10))
            json.append(UInt8(ascii: "0") + UInt8(fraction % 10))
        }
    }

    /// Seconds without zeros at the end of the fraction, as upstream writes the times of scalars and strings only.
    private static func appendShortest(timestamp: Timestamp, to json: inout [UInt8]) {
        append(timestamp: timestamp, to: &json)
        guard timestamp % 1000 != 0 else { return }
        while json.last == UInt8(ascii: "0") { json.removeLast() }
    }

    private static func appendDigits(_ value: UInt64, to json: inout [UInt8]) {
        var digits: [20 of UInt8] = .init(repeating: 0)
        var rest = value
        var count = 0
        repeat {
            digits[count] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        for index in stride(from: count - 1, through: 0, by: -1) { json.append(digits[index]) }
    }

    /// Appends a number in quotes.
    static func append(_ value: Double, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        FloatText.append(value, .api, to: &json)
        json.append(UInt8(ascii: "\""))
    }

    static func append(_ histogram: FloatHistogram, to json: inout [UInt8]) {
        json += #"{"count":"#.utf8
        append(histogram.count, to: &json)
        json += #","sum":"#.utf8
        append(histogram.sum, to: &json)
        var isFirst = true
        for bucket in histogram.allBuckets where bucket.count != 0 {
            json += (isFirst ? #","buckets":["# : ",").utf8
            isFirst = false
            let boundaries =
                switch (bucket.lowerInclusive, bucket.upperInclusive) {
                case (false, true): "[0,"
                case (true, false): "[1,"
                case (false, false): "[2,"
                case (true, true): "[3,"
                }
            json += boundaries.utf8
            append(bucket.lower, to: &json)
            json.append(UInt8(ascii: ","))
            append(bucket.upper, to: &json)
            json.append(UInt8(ascii: ","))
            append(bucket.count, to: &json)
            json.append(UInt8(ascii: "]"))
        }
        json += (isFirst ? "}" : "]}").utf8
    }

    static func append(_ sample: QueryAnswer.Sample, at timestamp: Timestamp, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "["))
        append(timestamp: timestamp, to: &json)
        json.append(UInt8(ascii: ","))
        switch sample {
        case .float(let value): append(value, to: &json)
        case .histogram(let histogram): append(histogram, to: &json)
        }
        json.append(UInt8(ascii: "]"))
    }

    static func append(_ element: QueryAnswer.VectorElement, to json: inout [UInt8]) {
        json += #"{"metric":"#.utf8
        append(element.labels, to: &json)
        switch element.sample {
        case .float(let value):
            json += #","value":"#.utf8
            JSONPoints.append(element.timestamp, value, to: &json)
        case .histogram:
            json += #","histogram":"#.utf8
            append(element.sample, at: element.timestamp, to: &json)
        }
        json.append(UInt8(ascii: "}"))
    }

    static func append(_ series: QueryAnswer.MatrixSeries, to json: inout [UInt8]) {
        append(series.labels, series.floats, series.histograms.count, to: &json) { series.histograms[$0] }
    }

    static func append(_ series: ResultSeries, to json: inout [UInt8]) {
        append(series.labels, series.floats, series.histograms.count, to: &json) {
            (series.histograms[$0].timestamp, series.histograms[$0].value.value)
        }
    }

    private static func append(
        _ labels: Labels, _ floats: [(timestamp: Timestamp, value: Double)], _ histogramCount: Int,
        to json: inout [UInt8], histogram: (Int) -> (timestamp: Timestamp, value: FloatHistogram)
    ) {
        json += #"{"metric":"#.utf8
        append(labels, to: &json)
        if !floats.isEmpty {
            json += #","values":["#.utf8
            JSONPoints.append(floats, to: &json)
            json.append(UInt8(ascii: "]"))
        }
        for index in 0..<histogramCount {
            json += (index == 0 ? #","histograms":["# : ",").utf8
            let point = histogram(index)
            append(.histogram(point.value), at: point.timestamp, to: &json)
        }
        if histogramCount > 0 { json.append(UInt8(ascii: "]")) }
        json.append(UInt8(ascii: "}"))
    }

    /// Appends a list of texts, escaped as `encoding/json` does.
    static func append(_ texts: [String], to json: inout [UInt8]) {
        json.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            JSONText.append(text, to: &json)
        }
        json.append(UInt8(ascii: "]"))
    }

    static func append(_ statistics: QueryAnswer.Statistics, to json: inout [UInt8]) {
        func number(_ name: String, _ value: Double) -> String { "\"\(name)\":\(FloatText.string(value, .json))" }
        let timings = [
            number("evalTotalTime", statistics.evaluationTime), number("resultSortTime", statistics.sortTime),
            number("queryPreparationTime", statistics.preparationTime),
            number("innerEvalTime", statistics.innerEvaluationTime),
            number("execQueueTime", statistics.queueTime), number("execTotalTime", statistics.executionTime),
        ]
        json += "{\"timings\":{\(timings.joined(separator: ","))},\"samples\":{".utf8
        append("totalQueryableSamplesPerStep", statistics.samplesPerStep, to: &json)
        json += "\"totalQueryableSamples\":\(statistics.totalSamples),".utf8
        append("samplesReadPerStep", statistics.samplesReadPerStep, to: &json)
        json += "\"samplesRead\":\(statistics.samplesRead),\"peakSamples\":\(statistics.peakSamples)}}".utf8
    }

    private static func append(
        _ name: String, _ steps: [(time: Timestamp, samples: Int)], to json: inout [UInt8]
    ) {
        if steps.isEmpty { return }
        let texts = steps.map { "[\(FloatText.string(Double($0.time) / 1000, .json)),\($0.samples)]" }
        json += "\"\(name)\":[\(texts.joined(separator: ","))],".utf8
    }

    // MARK: Whole answers

    /// The bytes that are made at once before they are handed on.
    ///
    /// Not more: the allocator tidies up all that it keeps for small objects when 64 KiB are freed.
    private static let pieceSize = 60 << 10

    /// The answer to a query, produced piece by piece.
    static func body(_ answer: QueryAnswer, withStatistics: Bool) -> ServerResponse.Body {
        var head = Array(#"{"status":"success","data":{"resultType":""#.utf8)
        var tail: [UInt8] = []
        if withStatistics {
            tail += #","stats":"#.utf8
            append(answer.statistics, to: &tail)
        }
        tail.append(UInt8(ascii: "}"))
        appendAnnotations(answer.warnings, answer.infos, to: &tail)
        tail.append(UInt8(ascii: "}"))
        switch answer.value {
        case .scalar(let timestamp, let value):
            head += #"scalar","result":"#.utf8
            head.append(UInt8(ascii: "["))
            appendShortest(timestamp: timestamp, to: &head)
            // Upstream writes a scalar without an exponent, however large or small, other than samples.
            head += #","\#(FloatText.string(value, .fixed))"]"#.utf8
            return .bytes(head + tail)
        case .string(let timestamp, let text):
            head += #"string","result":["#.utf8
            appendShortest(timestamp: timestamp, to: &head)
            head.append(UInt8(ascii: ","))
            JSONText.append(text, to: &head)
            head.append(UInt8(ascii: "]"))
            return .bytes(head + tail)
        case .vector(let elements):
            head += #"vector","result":["#.utf8
            tail.insert(UInt8(ascii: "]"), at: 0)
            return pieces(head, elements, tail) { append($0, to: &$1) }
        case .matrix(let series):
            head += #"matrix","result":["#.utf8
            tail.insert(UInt8(ascii: "]"), at: 0)
            return pieces(head, series, tail) { append($0, to: &$1) }
        case .series(let series):
            head += #"matrix","result":["#.utf8
            tail.insert(UInt8(ascii: "]"), at: 0)
            return pieces(head, series, tail) { append($0, to: &$1) }
        }
    }

    /// `,"warnings":[…],"infos":[…]`, each where there are any.
    static func appendAnnotations(_ warnings: [String], _ infos: [String], to json: inout [UInt8]) {
        if !warnings.isEmpty {
            json += #","warnings":"#.utf8
            append(warnings, to: &json)
        }
        if !infos.isEmpty {
            json += #","infos":"#.utf8
            append(infos, to: &json)
        }
    }

    /// A list between `head` and `tail`.
    static func pieces<Element: Sendable>(
        _ head: [UInt8], _ elements: [Element], _ tail: [UInt8],
        _ append: @escaping @Sendable (Element, inout [UInt8]) -> Void
    ) -> ServerResponse.Body {
        let source = PieceSource(head, elements, tail, pieceSize, append)
        return .pieces { source.next() }
    }
}

/// Turns elements into pieces of JSON, some at a time.
private final class PieceSource<Element: Sendable>: @unchecked Sendable {
    // SAFETY: `next()` is called from one thread at a time, as ``ServerResponse/Body/pieces(_:)`` says.
    private var pending: [UInt8]
    private let elements: [Element]
    private let tail: [UInt8]
    private let size: Int
    private let append: @Sendable (Element, inout [UInt8]) -> Void
    private var index = 0
    private var isDone = false

    init(
        _ head: [UInt8], _ elements: [Element], _ tail: [UInt8], _ size: Int,
        _ append: @escaping @Sendable (Element, inout [UInt8]) -> Void
    ) {
        pending = head
        self.elements = elements
        self.tail = tail
        self.size = size
        self.append = append
    }

    func next() -> [UInt8]? {
        if isDone { return nil }
        var piece = pending
        pending = []
        if elements.count - index > 64 { piece.reserveCapacity(size + 1024) }
        while index < elements.count, piece.count < size {
            if index > 0 { piece.append(UInt8(ascii: ",")) }
            append(elements[index], &piece)
            index += 1
        }
        if index == elements.count {
            piece += tail
            isDone = true
        }
        return piece
    }
}
