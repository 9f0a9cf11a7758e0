internal import ByteCoding
internal import MetricModel

extension FamilyDecoder {
    /// What a Histogram message says, before it is known which kind it is.
    struct HistogramFields {
        var count: UInt64?
        var countFloat: Double?
        var sum: Double?
        var buckets: [BucketFields] = []
        var schema: Int32?
        var zeroThreshold: Double?
        var zeroCount: UInt64?
        var zeroCountFloat: Double?
        var negativeSpans: [BucketSpan] = []
        var negativeDeltas: [Int64] = []
        var negativeCounts: [Double] = []
        var positiveSpans: [BucketSpan] = []
        var positiveDeltas: [Int64] = []
        var positiveCounts: [Double] = []
        var created: Int64?
        var exemplars: [Exemplar] = []

        struct BucketFields {
            var count: UInt64?
            var countFloat: Double?
            var upperBound = 0.0
            var exemplar: Exemplar?
        }

        /// Whether counts are floating-point numbers.
        var isFloat: Bool {
            (countFloat ?? 0) != 0 || (zeroCountFloat ?? 0) != 0 || !negativeCounts.isEmpty || !positiveCounts.isEmpty
                || buckets.contains { ($0.countFloat ?? 0) != 0 }
        }

        /// Whether anything of a native histogram is there.
        var hasNativePart: Bool {
            schema != nil || zeroThreshold != nil || zeroCount != nil || zeroCountFloat != nil
                || !negativeSpans.isEmpty || !positiveSpans.isEmpty
        }
    }

    func histogram(_ range: Range<Int>, _ known: HistogramValue?) throws(WireReader.Fault) -> HistogramValue {
        // A second histogram in one metric replaces the first: merging them says nothing sensible.
        let fields = try histogramFields(range)
        var value = HistogramValue(sum: fields.sum, created: fields.created)
        let isFloat = fields.isFloat
        value.hasFloatCounts = isFloat
        value.exemplars = fields.exemplars
        value.count = (fields.countFloat ?? 0) != 0 ? fields.countFloat : fields.count.map { Double($0) }
        if isFloat && value.count == nil { value.count = fields.countFloat }
        value.buckets = fields.buckets.map {
            HistogramValue.Bucket(
                upperBound: $0.upperBound,
                count: ($0.countFloat ?? 0) != 0 ? $0.countFloat ?? 0 : Double($0.count ?? 0), exemplar: $0.exemplar)
        }
        if fields.hasNativePart { value.native = isFloat ? .float(float(fields)) : .integer(integer(fields)) }
        return value
    }

    func histogramFields(_ range: Range<Int>) throws(WireReader.Fault) -> HistogramFields {
        var fields = HistogramFields()
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 0): fields.count = try reader.varint()
            case (2, 1): fields.sum = try reader.double()
            case (3, 2): fields.buckets.append(try bucket(try reader.contents()))
            case (4, 1): fields.countFloat = try reader.double()
            case (5, 0):
                fields.schema = Int32(truncatingIfNeeded: Varint.unzigzag(try reader.varint() & 0xFFFF_FFFF))
            case (6, 1): fields.zeroThreshold = try reader.double()
            case (7, 0): fields.zeroCount = try reader.varint()
            case (8, 1): fields.zeroCountFloat = try reader.double()
            case (9, 2): fields.negativeSpans.append(try span(try reader.contents()))
            case (10, 0), (10, 2): try signedNumbers(&reader, wireType, into: &fields.negativeDeltas)
            case (11, 1), (11, 2): try numbers(&reader, wireType, into: &fields.negativeCounts)
            case (12, 2): fields.positiveSpans.append(try span(try reader.contents()))
            case (13, 0), (13, 2): try signedNumbers(&reader, wireType, into: &fields.positiveDeltas)
            case (14, 1), (14, 2): try numbers(&reader, wireType, into: &fields.positiveCounts)
            case (15, 2): fields.created = try nanoseconds(try reader.contents())
            case (16, 2): fields.exemplars.append(try exemplar(try reader.contents()))
            default: try reader.skip(number, wireType)
            }
        }
        return fields
    }

    /// A repeated `sint64`, packed or not.
    private func signedNumbers(
        _ reader: inout WireReader, _ wireType: Int, into numbers: inout [Int64]
    ) throws(WireReader.Fault) {
        if wireType == 0 {
            numbers.append(Varint.unzigzag(try reader.varint()))
            return
        }
        var inner = WireReader(bytes, try reader.contents())
        while !inner.isAtEnd { numbers.append(Varint.unzigzag(try inner.varint())) }
    }

    /// A repeated `double`, packed or not.
    private func numbers(
        _ reader: inout WireReader, _ wireType: Int, into numbers: inout [Double]
    ) throws(WireReader.Fault) {
        if wireType == 1 {
            numbers.append(try reader.double())
            return
        }
        var inner = WireReader(bytes, try reader.contents())
        while !inner.isAtEnd { numbers.append(try inner.double()) }
    }

    private func bucket(_ range: Range<Int>) throws(WireReader.Fault) -> HistogramFields.BucketFields {
        var bucket = HistogramFields.BucketFields()
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 0): bucket.count = try reader.varint()
            case (2, 1): bucket.upperBound = try reader.double()
            case (3, 2): bucket.exemplar = try exemplar(try reader.contents())
            case (4, 1): bucket.countFloat = try reader.double()
            default: try reader.skip(number, wireType)
            }
        }
        return bucket
    }

    private func span(_ range: Range<Int>) throws(WireReader.Fault) -> BucketSpan {
        var span = BucketSpan(offset: 0, length: 0)
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 0):
                span.offset = Int32(truncatingIfNeeded: Varint.unzigzag(try reader.varint() & 0xFFFF_FFFF))
            case (2, 0): span.length = UInt32(truncatingIfNeeded: try reader.varint())
            default: try reader.skip(number, wireType)
            }
        }
        return span
    }

    private func integer(_ fields: HistogramFields) -> NativeHistogram {
        NativeHistogram(
            schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0, zeroCount: fields.zeroCount ?? 0,
            count: fields.count ?? 0, sum: fields.sum ?? 0, positiveSpans: fields.positiveSpans,
            positiveDeltas: fields.positiveDeltas, negativeSpans: fields.negativeSpans,
            negativeDeltas: fields.negativeDeltas)
    }

    private func float(_ fields: HistogramFields) -> FloatHistogram {
        FloatHistogram(
            schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0,
            zeroCount: fields.zeroCountFloat ?? 0, count: fields.countFloat ?? 0, sum: fields.sum ?? 0,
            positiveSpans: fields.positiveSpans, positiveBuckets: fields.positiveCounts,
            negativeSpans: fields.negativeSpans, negativeBuckets: fields.negativeCounts)
    }
}
