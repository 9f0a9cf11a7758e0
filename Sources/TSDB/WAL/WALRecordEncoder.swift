internal import MetricModel

/// The form of records of samples.
enum WALSampleForm: Sendable {
    /// What Prometheus 2.42 reads.
    case plain
    /// With start timestamps, which Prometheus reads from 3.11 on.
    case started
}

/// Writes records: in the forms that Prometheus 2.42 reads, or, if asked for, with start timestamps.
enum WALRecordEncoder {
    /// The start of a record of series; rows follow by ``appendSeries(_:_:to:)``.
    static func begin(_ kind: WALRecordKind, in buffer: inout WireBuffer) {
        buffer.removeAll()
        buffer.put(kind.rawValue)
    }

    static func appendSeries(_ reference: UInt64, _ labels: Labels, to buffer: inout WireBuffer) {
        buffer.put(bigEndian: reference)
        append(labels, to: &buffer)
    }

    static func append(_ labels: Labels, to buffer: inout WireBuffer) {
        buffer.put(uvarint: UInt64(labels.count))
        let packed = labels.packedBytes
        labels.forEachRange { name, value in
            buffer.put(text: packed[name])
            buffer.put(text: packed[value])
        }
    }

    /// A whole record of numbers in the form asked for.
    /// - Parameter starts: One start timestamp for each sample, or none; the plain form has no place for them.
    static func samples(
        _ samples: [ReferencedSample], starts: [Timestamp], _ form: WALSampleForm, in buffer: inout WireBuffer
    ) {
        switch form {
        case .plain: samples.withUnsafeBufferPointer { WALRecordEncoder.samples($0, in: &buffer) }
        case .started: startedSamples(samples, starts, in: &buffer)
        }
    }

    /// Each row relative to the one before; see ``WALRecordDecoder``.
    private static func startedSamples(
        _ samples: [ReferencedSample], _ starts: [Timestamp], in buffer: inout WireBuffer
    ) {
        begin(.samplesV2, in: &buffer)
        var rows = StartedRowWriter()
        for (index, sample) in samples.enumerated() {
            let start = index < starts.count ? starts[index] : 0
            rows.put(sample.reference.rawValue, sample.timestamp, start, in: &buffer)
            buffer.put(sample.value)
        }
    }

    /// Writes what rows of records with start timestamps begin with.
    private struct StartedRowWriter {
        private var first: (timestamp: Timestamp, start: Timestamp)?
        private var previous: (reference: UInt64, start: Timestamp) = (0, 0)

        mutating func put(
            _ reference: UInt64, _ timestamp: Timestamp, _ start: Timestamp, in buffer: inout WireBuffer
        ) {
            defer { previous = (reference, start) }
            buffer.put(varint: Int64(bitPattern: reference &- previous.reference))
            guard let first else {
                first = (timestamp, start)
                buffer.put(varint: timestamp)
                buffer.put(varint: start)
                return
            }
            buffer.put(varint: timestamp &- first.timestamp)
            if start == 0 {
                buffer.put(UInt8(0))
            } else if start == previous.start {
                buffer.put(UInt8(1))
            } else {
                buffer.put(UInt8(2))
                buffer.put(varint: start &- first.start)
            }
        }
    }

    /// A whole record of numbers.
    /// - Complexity: O(samples), a few nanoseconds each; no allocation but the buffer's growth.
    static func samples(_ samples: UnsafeBufferPointer<ReferencedSample>, in buffer: inout WireBuffer) {
        begin(.samples, in: &buffer)
        guard let first = samples.first else { return }
        buffer.put(bigEndian: first.reference.rawValue)
        buffer.put(bigEndian: UInt64(bitPattern: first.timestamp))
        // A row takes at most 28 bytes; reserving in pieces keeps the buffer near what is needed.
        var index = 0
        while index < samples.count {
            let end = min(samples.count, index + 512)
            buffer.reserve((end - index) * 28)
            while index < end {
                let sample = samples[index]
                buffer.putReserved(
                    varint: Int64(bitPattern: sample.reference.rawValue &- first.reference.rawValue))
                buffer.putReserved(varint: sample.timestamp &- first.timestamp)
                buffer.putReserved(bigEndian: sample.value.bitPattern)
                index &+= 1
            }
        }
    }

    /// A whole record of histograms of one kind. Rows of other kinds must not be among them.
    static func histograms(
        _ rows: some Collection<WALRow.Histogram>, _ kind: WALRecordKind, _ form: WALSampleForm,
        in buffer: inout WireBuffer
    ) {
        if form == .started {
            let isFloat = kind == .floatHistograms || kind == .customBucketFloatHistograms
            begin(isFloat ? .floatHistogramsV2 : .histogramsV2, in: &buffer)
            var heads = StartedRowWriter()
            for row in rows {
                heads.put(row.reference, row.timestamp, row.start, in: &buffer)
                append(row.histogram, to: &buffer)
            }
            return
        }
        begin(kind, in: &buffer)
        guard let first = rows.first else { return }
        buffer.put(bigEndian: first.reference)
        buffer.put(bigEndian: UInt64(bitPattern: first.timestamp))
        for row in rows {
            buffer.put(varint: Int64(bitPattern: row.reference &- first.reference))
            buffer.put(varint: row.timestamp &- first.timestamp)
            append(row.histogram, to: &buffer)
        }
    }

    static func append(_ histogram: HistogramSample, to buffer: inout WireBuffer) {
        switch histogram {
        case .integer(let histogram): append(histogram, to: &buffer)
        case .float(let histogram): append(histogram, to: &buffer)
        }
    }

    /// The kind of record that a histogram belongs in.
    static func kind(of histogram: HistogramSample) -> WALRecordKind {
        switch (histogram.isFloat, histogram.usesCustomBuckets) {
        case (false, false): .histograms
        case (false, true): .customBucketHistograms
        case (true, false): .floatHistograms
        case (true, true): .customBucketFloatHistograms
        }
    }

    private static func append(_ histogram: NativeHistogram, to buffer: inout WireBuffer) {
        buffer.put(histogram.counterResetHint.rawValue)
        buffer.put(varint: Int64(histogram.schema))
        buffer.put(histogram.zeroThreshold)
        buffer.put(uvarint: histogram.zeroCount)
        buffer.put(uvarint: histogram.count)
        buffer.put(histogram.sum)
        append(histogram.positiveSpans, to: &buffer)
        append(histogram.negativeSpans, to: &buffer)
        append(histogram.positiveDeltas, to: &buffer)
        append(histogram.negativeDeltas, to: &buffer)
        if histogram.usesCustomBuckets { append(histogram.customValues, to: &buffer) }
    }

    private static func append(_ histogram: FloatHistogram, to buffer: inout WireBuffer) {
        buffer.put(histogram.counterResetHint.rawValue)
        buffer.put(varint: Int64(histogram.schema))
        buffer.put(histogram.zeroThreshold)
        buffer.put(histogram.zeroCount)
        buffer.put(histogram.count)
        buffer.put(histogram.sum)
        append(histogram.positiveSpans, to: &buffer)
        append(histogram.negativeSpans, to: &buffer)
        append(histogram.positiveBuckets, to: &buffer)
        append(histogram.negativeBuckets, to: &buffer)
        if histogram.usesCustomBuckets { append(histogram.customValues, to: &buffer) }
    }

    private static func append(_ spans: [BucketSpan], to buffer: inout WireBuffer) {
        buffer.put(uvarint: UInt64(spans.count))
        for span in spans {
            buffer.put(varint: Int64(span.offset))
            buffer.put(uvarint: UInt64(span.length))
        }
    }

    private static func append(_ deltas: [Int64], to buffer: inout WireBuffer) {
        buffer.put(uvarint: UInt64(deltas.count))
        for delta in deltas { buffer.put(varint: delta) }
    }

    private static func append(_ values: [Double], to buffer: inout WireBuffer) {
        buffer.put(uvarint: UInt64(values.count))
        for value in values { buffer.put(value) }
    }

    static func tombstones(_ rows: [WALRow.Tombstone], in buffer: inout WireBuffer) {
        begin(.tombstones, in: &buffer)
        for row in rows {
            buffer.put(bigEndian: row.reference)
            buffer.put(varint: row.minimumTime)
            buffer.put(varint: row.maximumTime)
        }
    }

    static func exemplars(_ rows: [WALRow.Exemplar], in buffer: inout WireBuffer) {
        begin(.exemplars, in: &buffer)
        appendExemplars(rows, to: &buffer)
    }

    /// The rows of a record of exemplars; memory snapshots have them under another first byte.
    static func appendExemplars(_ rows: [WALRow.Exemplar], to buffer: inout WireBuffer) {
        guard let first = rows.first else { return }
        buffer.put(bigEndian: first.reference)
        buffer.put(bigEndian: UInt64(bitPattern: first.timestamp))
        for row in rows {
            buffer.put(varint: Int64(bitPattern: row.reference &- first.reference))
            buffer.put(varint: row.timestamp &- first.timestamp)
            buffer.put(row.value)
            append(row.labels, to: &buffer)
        }
    }

    static func chunkMarkers(_ rows: [WALRow.ChunkMarker], in buffer: inout WireBuffer) {
        begin(.chunkMarkers, in: &buffer)
        for row in rows {
            buffer.put(bigEndian: row.reference)
            buffer.put(bigEndian: row.chunk)
        }
    }

    static func metadata(_ rows: [WALRow.Metadata], in buffer: inout WireBuffer) {
        begin(.metadata, in: &buffer)
        for row in rows {
            buffer.put(uvarint: row.reference)
            buffer.put(row.metadata.type.walNumber)
            buffer.put(uvarint: 2)
            buffer.put(text: Array("UNIT".utf8))
            buffer.put(text: row.metadata.unit.bytes)
            buffer.put(text: Array("HELP".utf8))
            buffer.put(text: row.metadata.help.bytes)
        }
    }
}

extension MetricType {
    /// The number of this type in metadata records.
    ///
    /// Source: prometheus/prometheus tsdb/record/record.go (`MetricType`).
    var walNumber: UInt8 {
        switch self {
        case .unknown: 0
        case .counter: 1
        case .gauge: 2
        case .histogram: 3
        case .gaugeHistogram: 4
        case .summary: 5
        case .info: 6
        case .stateSet: 7
        }
    }

    /// The type of a number in metadata records; unknown numbers are the unknown type, as upstream reads them.
    init(walNumber: UInt8) {
        self =
            switch walNumber {
            case 1: .counter
            case 2: .gauge
            case 3: .histogram
            case 4: .gaugeHistogram
            case 5: .summary
            case 6: .info
            case 7: .stateSet
            default: .unknown
            }
    }
}
