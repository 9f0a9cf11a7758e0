internal import Exposition
internal import MetricModel

/// Reading delimited protobuf messages.
extension ScrapeAppender {
    func readProtobuf(_ bytes: UnsafeBufferPointer<UInt8>, _ batch: any SampleBatch) throws(ScrapeFailure) {
        var settings = ProtobufReader.Options()
        settings.ignoresNativeHistograms = !options.readsNativeHistograms
        settings.keepsClassicHistograms = options.keepsClassicHistograms
        settings.convertsClassicHistograms = options.convertsClassicHistograms
        var reader = ProtobufReader(UnsafeRawBufferPointer(bytes), options: settings)
        do throws(ParseError) {
            while let kind = try reader.next() {
                do throws(ScrapeFailure) {
                    try add(kind, of: reader, batch)
                } catch {
                    throw .exposition(error.description)
                }
            }
        } catch {
            throw ScrapeFailure(error.description)
        }
    }

    private func add(
        _ kind: ProtobufReader.Entry, of reader: borrowing ProtobufReader, _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        switch kind {
        case .help, .unit, .type:
            type = reader.type
            let text = reader.text(of: kind)
            let named = reader.type
            let (index, isChanged) = metadata.update(reader.name) { metadata in
                switch kind {
                case .help: metadata.help = text
                case .unit: metadata.unit = text
                case .type, .series, .histogram: metadata.type = named
                }
            }
            seeFamily(Int32(truncatingIfNeeded: index), isChanged: isChanged)
        case .series:
            let (index, isNew) = try entry(reader.key, labels: reader.labels)
            setStart(reader.startTimestamp)
            try addSample(index, isNew: isNew, value: reader.value, ownTimestamp: reader.timestamp, batch)
            let exemplars = reader.exemplars
            guard !exemplars.isEmpty else { return }
            flush(batch)
            let time = (options.honorsTimestamps ? reader.timestamp : nil) ?? timestamp
            for exemplar in exemplars { addExemplar(index, exemplar, at: time, batch) }
        case .histogram:
            guard let histogram = reader.histogram else { return }
            let (index, isNew) = try entry(reader.key, labels: reader.labels)
            setStart(reader.startTimestamp)
            try addHistogram(
                index, isNew: isNew, histogram, ownTimestamp: reader.timestamp, exemplars: reader.exemplars, batch)
        }
    }

    private func setStart(_ start: Timestamp?) {
        guard options.readsStarts else { return }
        currentStart = start
        hasStarts = start != nil
    }
}
