internal import MetricModel

/// How the value of a metric is packed behind its labels.
enum PackedValue {
    /// What kind of value follows; the numbers are part of the journal's format.
    enum Kind: UInt8 {
        case counter = 0
        case gauge = 1
        case untyped = 2
        case summary = 3
        case histogram = 4
        /// A counter with an exemplar or the time of its creation.
        case detailedCounter = 5
        /// A gauge that is the mean of several pushes, and of how many.
        case meanGauge = 6
    }

    static func kind(of value: MetricValue) -> Kind {
        switch value {
        case .counter(let counter): counter.exemplar == nil && counter.created == nil ? .counter : .detailedCounter
        case .gauge: .gauge
        case .untyped: .untyped
        case .summary: .summary
        case .histogram: .histogram
        }
    }

    static func append(_ value: MetricValue, to writer: inout PackedWriter) {
        switch value {
        case .counter(let counter):
            writer.double(counter.value)
            guard kind(of: value) == .detailedCounter else { return }
            writer.optional(counter.created)
            append(counter.exemplar, to: &writer)
        case .gauge(let number), .untyped(let number):
            writer.double(number)
        case .summary(let summary):
            writer.optional(summary.count)
            writer.optional(summary.sum)
            writer.optional(summary.created)
            writer.count(summary.quantiles.count)
            for quantile in summary.quantiles {
                writer.double(quantile.quantile)
                writer.double(quantile.value)
            }
        case .histogram(let histogram):
            append(histogram, to: &writer)
        }
    }

    static func read(_ kind: Kind, _ reader: inout PackedReader) throws(MalformedBytes) -> MetricValue {
        switch kind {
        case .counter: return .counter(CounterValue(try reader.double()))
        case .gauge: return .gauge(try reader.double())
        case .meanGauge:
            let mean = try reader.double()
            _ = try reader.varint()
            return .gauge(mean)
        case .untyped: return .untyped(try reader.double())
        case .detailedCounter:
            var counter = CounterValue(try reader.double())
            counter.created = try reader.optionalSigned()
            counter.exemplar = try exemplar(&reader)
            return .counter(counter)
        case .summary:
            var summary = SummaryValue(count: try reader.optionalDouble(), sum: try reader.optionalDouble())
            summary.created = try reader.optionalSigned()
            for _ in 0..<(try reader.count()) {
                summary.quantiles.append(.init(try reader.double(), try reader.double()))
            }
            return .summary(summary)
        case .histogram: return .histogram(try histogram(&reader))
        }
    }

    // MARK: Histograms

    private static func append(_ histogram: HistogramValue, to writer: inout PackedWriter) {
        writer.byte(histogram.hasFloatCounts ? 1 : 0)
        writer.optional(histogram.count)
        writer.optional(histogram.sum)
        writer.optional(histogram.created)
        writer.count(histogram.buckets.count)
        for bucket in histogram.buckets {
            writer.double(bucket.upperBound)
            writer.double(bucket.count)
            append(bucket.exemplar, to: &writer)
        }
        switch histogram.native {
        case nil: writer.byte(0)
        case .integer(let native):
            writer.byte(1)
            append(native, to: &writer)
        case .float(let native):
            writer.byte(2)
            append(native, to: &writer)
        }
        writer.count(histogram.exemplars.count)
        for exemplar in histogram.exemplars { append(exemplar, to: &writer) }
    }

    private static func histogram(_ reader: inout PackedReader) throws(MalformedBytes) -> HistogramValue {
        var histogram = HistogramValue()
        histogram.hasFloatCounts = try reader.byte() == 1
        histogram.count = try reader.optionalDouble()
        histogram.sum = try reader.optionalDouble()
        histogram.created = try reader.optionalSigned()
        for _ in 0..<(try reader.count()) {
            histogram.buckets.append(
                .init(upperBound: try reader.double(), count: try reader.double(), exemplar: try exemplar(&reader)))
        }
        switch try reader.byte() {
        case 0: break
        case 1: histogram.native = .integer(try integer(&reader))
        case 2: histogram.native = .float(try float(&reader))
        default: throw MalformedBytes()
        }
        for _ in 0..<(try reader.count()) {
            guard let found = try exemplar(&reader) else { throw MalformedBytes() }
            histogram.exemplars.append(found)
        }
        return histogram
    }

    private static func append(_ native: NativeHistogram, to writer: inout PackedWriter) {
        writer.byte(native.counterResetHint.rawValue)
        writer.signed(Int64(native.schema))
        writer.double(native.zeroThreshold)
        writer.varint(native.zeroCount)
        writer.varint(native.count)
        writer.double(native.sum)
        append(native.positiveSpans, to: &writer)
        append(native.negativeSpans, to: &writer)
        for deltas in [native.positiveDeltas, native.negativeDeltas] {
            writer.count(deltas.count)
            for delta in deltas { writer.signed(delta) }
        }
        append(native.customValues, to: &writer)
    }

    private static func integer(_ reader: inout PackedReader) throws(MalformedBytes) -> NativeHistogram {
        var native = NativeHistogram()
        native.counterResetHint = try resetHint(&reader)
        native.schema = try schema(&reader)
        native.zeroThreshold = try reader.double()
        native.zeroCount = try reader.varint()
        native.count = try reader.varint()
        native.sum = try reader.double()
        native.positiveSpans = try spans(&reader)
        native.negativeSpans = try spans(&reader)
        for _ in 0..<(try reader.count()) { native.positiveDeltas.append(try reader.signed()) }
        for _ in 0..<(try reader.count()) { native.negativeDeltas.append(try reader.signed()) }
        native.customValues = try doubles(&reader)
        return native
    }

    private static func append(_ native: FloatHistogram, to writer: inout PackedWriter) {
        writer.byte(native.counterResetHint.rawValue)
        writer.signed(Int64(native.schema))
        writer.double(native.zeroThreshold)
        writer.double(native.zeroCount)
        writer.double(native.count)
        writer.double(native.sum)
        append(native.positiveSpans, to: &writer)
        append(native.negativeSpans, to: &writer)
        append(native.positiveBuckets, to: &writer)
        append(native.negativeBuckets, to: &writer)
        append(native.customValues, to: &writer)
    }

    private static func float(_ reader: inout PackedReader) throws(MalformedBytes) -> FloatHistogram {
        var native = FloatHistogram()
        native.counterResetHint = try resetHint(&reader)
        native.schema = try schema(&reader)
        native.zeroThreshold = try reader.double()
        native.zeroCount = try reader.double()
        native.count = try reader.double()
        native.sum = try reader.double()
        native.positiveSpans = try spans(&reader)
        native.negativeSpans = try spans(&reader)
        native.positiveBuckets = try doubles(&reader)
        native.negativeBuckets = try doubles(&reader)
        native.customValues = try doubles(&reader)
        return native
    }

    private static func resetHint(_ reader: inout PackedReader) throws(MalformedBytes) -> CounterResetHint {
        guard let hint = CounterResetHint(rawValue: try reader.byte()) else { throw MalformedBytes() }
        return hint
    }

    private static func schema(_ reader: inout PackedReader) throws(MalformedBytes) -> Int32 {
        guard let schema = Int32(exactly: try reader.signed()) else { throw MalformedBytes() }
        return schema
    }

    private static func append(_ spans: [BucketSpan], to writer: inout PackedWriter) {
        writer.count(spans.count)
        for span in spans {
            writer.signed(Int64(span.offset))
            writer.varint(UInt64(span.length))
        }
    }

    private static func spans(_ reader: inout PackedReader) throws(MalformedBytes) -> [BucketSpan] {
        var spans: [BucketSpan] = []
        for _ in 0..<(try reader.count()) {
            guard let offset = Int32(exactly: try reader.signed()), let length = UInt32(exactly: try reader.varint())
            else { throw MalformedBytes() }
            spans.append(BucketSpan(offset: offset, length: length))
        }
        return spans
    }

    private static func append(_ numbers: [Double], to writer: inout PackedWriter) {
        writer.count(numbers.count)
        for number in numbers { writer.double(number) }
    }

    private static func doubles(_ reader: inout PackedReader) throws(MalformedBytes) -> [Double] {
        var numbers: [Double] = []
        for _ in 0..<(try reader.count()) { numbers.append(try reader.double()) }
        return numbers
    }

    // MARK: Exemplars

    private static func append(_ exemplar: Exemplar?, to writer: inout PackedWriter) {
        guard let exemplar else { return writer.byte(0) }
        writer.byte(1)
        writer.double(exemplar.value)
        writer.optional(exemplar.timestamp)
        let pairs = exemplar.labels.pairs
        writer.count(pairs.count)
        for pair in pairs {
            writer.text(pair.name)
            writer.text(pair.value)
        }
    }

    private static func exemplar(_ reader: inout PackedReader) throws(MalformedBytes) -> Exemplar? {
        guard try reader.byte() != 0 else { return nil }
        let value = try reader.double()
        let timestamp = try reader.optionalSigned()
        var pairs: [(name: ByteString, value: ByteString)] = []
        for _ in 0..<(try reader.count()) { pairs.append((try reader.text(), try reader.text())) }
        return Exemplar(labels: Labels(pairs), value: value, timestamp: timestamp)
    }
}
