internal import ByteCoding
internal import MetricModel
internal import Synchronization
internal import TSDB

/// Remote reads answered with chunks, series by series, so that neither side holds all of it.
///
/// Source: prometheus/prometheus storage/remote/chunked.go and codec.go (`StreamChunkedReadResponses`).
extension ServerAPI {
    func streamed(_ queries: [ReadQuery]) throws(RemoteFault) -> ServerResponse {
        let external = process.externalLabels()
        var selections: [ChunkedRead.Selection] = []
        for (index, query) in queries.enumerated() {
            do {
                let querier = try database().querier(from: query.start, to: query.end)
                let series = try querier.select(query.matchers(without: external)).sorted { $0.labels < $1.labels }
                selections.append(ChunkedRead.Selection(query: index, series: series))
            } catch {
                throw RemoteFault(status: 500, message: "\(error)")
            }
        }
        let read = ChunkedRead(selections, external, frameSize: settings.remoteReadFrameSize)
        let type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
        return ServerResponse(
            200, fields: [("Content-Type", type)], body: .pieces { read.next() })
    }
}

/// The frames of a streamed answer, one after the other.
private final class ChunkedRead: Sendable {
    struct Selection: Sendable {
        let query: Int
        let series: [SelectedSeries]
    }

    private struct State {
        var selection = 0
        var series = 0
        /// Frames of the series at hand.
        var frames: [[UInt8]] = []
    }

    private let selections: [Selection]
    private let external: Labels
    private let frameSize: Int
    private let state = Mutex(State())

    init(_ selections: [Selection], _ external: Labels, frameSize: Int) {
        self.selections = selections
        self.external = external
        self.frameSize = frameSize
    }

    /// The next frame; nil at the end, or where the store fails: the client notices by the missing rest.
    func next() -> [UInt8]? {
        state.withLock { state in
            while state.frames.isEmpty {
                guard state.selection < selections.count else { return nil }
                let selection = selections[state.selection]
                guard state.series < selection.series.count else {
                    state.selection += 1
                    state.series = 0
                    continue
                }
                do {
                    state.frames = try frames(selection.series[state.series], of: selection.query).reversed()
                } catch {
                    return nil
                }
                state.series += 1
            }
            return state.frames.popLast()
        }
    }

    private func frames(_ series: SelectedSeries, of query: Int) throws -> [[UInt8]] {
        var columns = SampleColumns()
        try series.read(into: &columns)
        var encoder = SampleEncoder()
        var histograms = columns.histograms[...]
        for index in 0..<columns.count {
            if let histogram = histograms.first, histogram.index == index {
                let time = columns.timestamps[index]
                if histogram.hasIntegerCounts, let whole = NativeHistogram(histogram.histogram) {
                    encoder.append(.histogram(time, whole, start: 0))
                } else {
                    encoder.append(.floatHistogram(time, histogram.histogram, start: 0))
                }
                histograms = histograms.dropFirst()
            } else {
                encoder.append(.float(columns.timestamps[index], columns.values[index], start: 0))
            }
        }
        var labels = RemoteMessageWriter()
        labels.labels(1, series.labels.adding(external))
        var frames: [[UInt8]] = []
        var chunks = RemoteMessageWriter()
        for full in encoder.finish() {
            var chunk = RemoteMessageWriter()
            chunk.integer(1, full.minimumTime)
            chunk.integer(2, full.maximumTime)
            chunk.varint(3, UInt64(full.chunk.encoding.rawValue))
            chunk.field(4, full.chunk.bytes)
            chunks.field(2, chunk.bytes)
            if labels.bytes.count + chunks.bytes.count >= frameSize {
                frames.append(frame(labels.bytes + chunks.bytes, query))
                chunks = RemoteMessageWriter()
            }
        }
        if !chunks.bytes.isEmpty { frames.append(frame(labels.bytes + chunks.bytes, query)) }
        return frames
    }

    /// Length, checksum, message.
    private func frame(_ series: [UInt8], _ query: Int) -> [UInt8] {
        var message = RemoteMessageWriter()
        message.field(1, series)
        message.integer(2, Int64(query))
        var frame: [UInt8] = []
        Varint.append(UInt64(message.bytes.count), to: &frame)
        let checksum = CRC32C.checksum(message.bytes)
        for shift in [24, 16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        return frame + message.bytes
    }
}
