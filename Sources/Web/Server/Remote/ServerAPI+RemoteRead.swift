internal import ByteCoding
internal import Compression
internal import Matching
internal import MetricModel
internal import PromQL
internal import Synchronization
internal import TSDB

/// Remote reads, answered with samples.
///
/// Source: prometheus/prometheus storage/remote/read_handler.go and codec.go.
extension ServerAPI {
    /// One query of a remote read.
    struct ReadQuery {
        var start: Timestamp = 0
        var end: Timestamp = 0
        var matchers: [Matcher] = []
    }

    func remoteRead(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        counters.remoteReads.add(1, ordering: .relaxed)
        defer { counters.remoteReads.subtract(1, ordering: .relaxed) }
        remoteReadSlots?.wait()
        defer { remoteReadSlots?.signal() }
        do throws(RemoteFault) {
            let body = try Self.decompressed(request.body, limit: settings.remoteWriteLimit)
            let (queries, isStreamed) = try body.withUnsafeBufferPointer { (bytes) throws(RemoteFault) in
                try Self.queries(UnsafeRawBufferPointer(bytes))
            }
            if isStreamed { return try streamed(queries) }
            let response = try answer(queries)
            return ServerResponse(
                200, fields: [("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy")],
                body: .bytes(Self.compressed(response)))
        } catch {
            return .plainError(error.status, error.message)
        }
    }

    private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SnappyBlock.maximumCompressedSize(bytes.count)) { target, count in
            // SAFETY: the buffer has the size that the library asks for.
            count = bytes.withUnsafeBytes { SnappyBlock.compress($0, into: UnsafeMutableRawBufferPointer(target)) }
        }
    }

    // MARK: Requests

    /// The queries, and whether the answer is to be streamed: the first form that the client names and we know.
    private static func queries(
        _ body: UnsafeRawBufferPointer
    ) throws(RemoteFault) -> (queries: [ReadQuery], isStreamed: Bool) {
        var queries: [ReadQuery] = []
        var accepted: [Int64] = []
        do throws(WireReader.Fault) {
            var reader = WireReader(body, 0..<body.count)
            while let (number, value) = try reader.next() {
                switch number {
                case 1: queries.append(try query(body, value.range))
                case 2: try value.append(to: &accepted, in: body) { Int64(bitPattern: $0) }
                default: break
                }
            }
        } catch {
            throw RemoteFault(status: 400, message: error.description)
        }
        if accepted.isEmpty { return (queries, false) }
        guard let form = accepted.first(where: { $0 == 0 || $0 == 1 }) else {
            throw RemoteFault(
                status: 400,
                message: "server does not support any of the requested response types: \(accepted); supported: "
                    + "map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]")
        }
        return (queries, form == 1)
    }

    private static func query(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(WireReader.Fault)
        -> ReadQuery
    {
        var query = ReadQuery()
        var reader = WireReader(bytes, range)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: query.start = value.integer
            case 2: query.end = value.integer
            case 3: query.matchers.append(try matcher(bytes, value.range))
            default: break
            }
        }
        return query
    }

    private static func matcher(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(WireReader.Fault)
        -> Matcher
    {
        var type: Int64 = 0
        var name = 0..<0
        var text = 0..<0
        var reader = WireReader(bytes, range)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: type = value.integer
            case 2: name = value.range
            case 3: text = value.range
            default: break
            }
        }
        let operations: [Matcher.Operation] = [.equal, .notEqual, .matches, .matchesNot]
        guard operations.indices.contains(Int(clamping: type)) else {
            throw WireReader.Fault(description: "invalid matcher type")
        }
        do throws(RegularExpression.CompileError) {
            return try Matcher(ByteString(bytes[name]), operations[Int(type)], ByteString(bytes[text]))
        } catch {
            throw WireReader.Fault(description: error.message)
        }
    }

    // MARK: Answers

    private func answer(_ queries: [ReadQuery]) throws(RemoteFault) -> [UInt8] {
        let external = process.externalLabels()
        var response = RemoteMessageWriter()
        var samples = 0
        for query in queries {
            let matchers = query.matchers(without: external)
            var result = RemoteMessageWriter()
            do {
                let querier = try database().querier(from: query.start, to: query.end)
                var columns = SampleColumns()
                for series in try querier.select(matchers) {
                    columns.removeAll()
                    try series.read(into: &columns)
                    if columns.count == 0 { continue }
                    samples += columns.count
                    if settings.remoteReadSampleLimit > 0, samples > settings.remoteReadSampleLimit {
                        throw RemoteFault(
                            status: 400, message: "exceeded sample limit (\(settings.remoteReadSampleLimit))")
                    }
                    result.field(1, Self.timeSeries(series.labels, external, columns))
                }
            } catch let fault as RemoteFault {
                throw fault
            } catch {
                throw RemoteFault(status: 500, message: "\(error)")
            }
            response.field(1, result.bytes)
        }
        return response.bytes
    }

    private static func timeSeries(_ labels: Labels, _ external: Labels, _ columns: SampleColumns) -> [UInt8] {
        var series = RemoteMessageWriter()
        series.labels(1, labels.adding(external))
        var histograms = columns.histograms[...]
        for index in 0..<columns.count {
            if let histogram = histograms.first, histogram.index == index {
                let time = columns.timestamps[index]
                if histogram.hasIntegerCounts, let whole = NativeHistogram(histogram.histogram) {
                    series.histogram(4, time, whole)
                } else {
                    series.histogram(4, time, histogram.histogram)
                }
                histograms = histograms.dropFirst()
            } else {
                series.sample(2, columns.timestamps[index], columns.values[index])
            }
        }
        return series.bytes
    }
}

extension ServerAPI.ReadQuery {
    /// The conditions on what is stored: a series here has no external labels, what selects one selects everything.
    func matchers(without external: Labels) -> [Matcher] {
        matchers.map { matcher in
            matcher.operation == .equal && external[matcher.name] == matcher.value
                ? Matcher(matcher.name, equals: "") : matcher
        }
    }
}

extension Labels {
    /// The labels with those of `external` that they lack.
    func adding(_ external: Labels) -> Labels {
        if external.isEmpty { return self }
        var builder = LabelsBuilder(self)
        for pair in external.pairs where builder[pair.name] == nil { builder.set(pair.name, pair.value) }
        return builder.labels()
    }
}
