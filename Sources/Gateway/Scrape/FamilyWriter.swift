internal import Exposition
internal import MetricModel

/// Writes families in one format, one after the other, a stored one chunk by chunk.
struct FamilyWriter {
    /// A stored family of which some chunks are written.
    private struct Current {
        /// Without its series.
        let family: FamilyView
        let key: EncodingKey
        /// The chunks that are still to be written, the last first. One that is written is let go, so that pushes need
        /// not copy it to change it.
        var chunks: [SeriesChunk]
        /// Whether the header is still to be written: with a filter, only when a series has passed.
        var lacksHeader: Bool

        init(_ family: FamilyView, _ key: EncodingKey, lacksHeader: Bool) {
            self.family = family.withoutSeries
            self.key = key
            self.lacksHeader = lacksHeader
            chunks = family.entries.reversed().map(\.chunk)
        }
    }

    private let format: ExpositionFormat
    private let filter: ScrapeFilter
    private let encoder: ChunkEncoder
    private var assembler: BodyAssembler
    private var current: Current?

    /// - Parameter seriesCount: How many stored series the body is about to have.
    init(_ format: ExpositionFormat, filter: ScrapeFilter, isGzipped: Bool, seriesCount: Int) {
        self.format = format
        self.filter = filter
        encoder = ChunkEncoder(filter: filter)
        assembler = BodyAssembler(
            isGzipped: isGzipped, keptLimit: BodyAssembler.keptLimit(seriesCount: seriesCount, isGzipped: isGzipped))
    }

    /// What is complete and was not taken yet, in order.
    mutating func takeParts() -> [[UInt8]] { assembler.takeParts() }

    /// Begins a stored family; ``step()`` goes on until it is written.
    mutating func begin(_ family: FamilyView) {
        guard family.shownCount > 0 else { return }
        let key = EncodingKey(
            kind: format.kind, escaping: family.hasOnlyLegacyNames ? .allowUTF8 : format.escaping, type: family.type,
            content: .plain)
        switch format.kind {
        case .protobufText, .protobufCompactText: append(family.family(filteredBy: filter))
        case .protobufDelimited where !filter.isEmpty: append(family.family(filteredBy: filter))
        case .protobufDelimited:
            // The length stands first: the chunks must be measured before their family begins.
            var length = 0
            for entry in family.entries { length += assembler.length(entry.chunk, of: family, key, encoder) }
            assembler.append(messageStart(family, metricsLength: length))
            current = Current(family, key, lacksHeader: false)
        case .text, .openMetrics001, .openMetrics100:
            current = Current(family, key, lacksHeader: true)
        }
    }

    /// Writes the next chunk of the family that was begun.
    /// - Returns: Whether there was one.
    mutating func step() -> Bool {
        // Taken out meanwhile: its list would be copied otherwise.
        guard var current = current.take(), let chunk = current.chunks.popLast() else { return false }
        let family = current.family
        if filter.isEmpty {
            if current.lacksHeader { assembler.append(textHeader(family)) }
            current.lacksHeader = false
            assembler.append(chunk, of: family, current.key, encoder)
        } else {
            encoder.encode(chunk, of: family, current.key) { bytes in
                guard !bytes.isEmpty else { return }
                if current.lacksHeader { assembler.append(textHeader(family)) }
                current.lacksHeader = false
                assembler.append(bytes)
            }
        }
        self.current = current
        return true
    }

    /// Adds a family that nobody keeps.
    mutating func append(_ family: MetricFamily) {
        guard !family.metrics.isEmpty else { return }
        var bytes: [UInt8] = []
        switch format.kind {
        case .text: TextEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .openMetrics001, .openMetrics100:
            OpenMetricsEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .protobufDelimited: ProtobufEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .protobufText, .protobufCompactText:
            ProtobufTextEncoder.append(
                family, isCompact: format.kind == .protobufCompactText, escaping: format.escaping, to: &bytes)
        }
        assembler.append(bytes)
    }

    /// Completes the body.
    mutating func finish() {
        if format.isOpenMetrics {
            var end: [UInt8] = []
            OpenMetricsEncoder.appendEnd(to: &end)
            assembler.append(end)
        }
        assembler.finish()
    }

    private func textHeader(_ family: FamilyView) -> [UInt8] {
        var bytes: [UInt8] = []
        if format.isOpenMetrics {
            OpenMetricsEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, unit: family.unit,
                escaping: format.escaping, to: &bytes)
        } else {
            TextEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, escaping: format.escaping, to: &bytes)
        }
        return bytes
    }

    private func messageStart(_ family: FamilyView, metricsLength: Int) -> [UInt8] {
        var header: [UInt8] = []
        ProtobufEncoder.appendHeader(
            name: family.name, help: family.help, type: family.type, unit: family.unit, escaping: format.escaping,
            to: &header)
        var bytes: [UInt8] = []
        ProtobufEncoder.appendLength(header.count + metricsLength, to: &bytes)
        return bytes + header
    }
}
