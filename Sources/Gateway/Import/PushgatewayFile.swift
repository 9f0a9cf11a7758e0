internal import ByteCoding
internal import Exposition
internal import MetricModel

/// A persistence file as Pushgateway itself writes it: its map of groups in Go's gob encoding, the families in it as
/// protobuf messages.
///
/// Source: prometheus/pushgateway storage/diskmetricstore.go (`persist`), storage/interface.go (`MetricGroup`,
/// `TimestampedMetricFamily`, `GobbableMetricFamily`); Go's package time (`MarshalBinary`).
struct PushgatewayFile {
    private(set) var groups: [GroupView] = []

    private struct StoredFamily {
        var time: Int64 = 0
        var family: MetricFamily?
    }

    /// Reads a whole file.
    /// - Throws: ``GobError`` with the groups before the first byte that does not fit.
    /// - Complexity: O(bytes).
    init(_ bytes: [UInt8]) throws(GobError) {
        var reader = GobReader(bytes)
        do throws(GobError) {
            guard let type = try reader.nextValue(), case .map(GobReader.Basic.string, let group)? = reader.types[type],
                // A value that is no structure is preceded by a zero.
                try reader.uint() == 0
            else { throw reader.error }
            for _ in 0..<(try reader.count()) {
                _ = try reader.data()
                groups.append(try PushgatewayFile.group(&reader, group))
            }
        } catch {
            throw GobError(offset: error.offset, groups: groups)
        }
    }

    private static func group(_ reader: inout GobReader, _ type: Int64) throws(GobError) -> GroupView {
        guard case .structure(let fields)? = reader.types[type] else { throw reader.error }
        var labels: [LabelPair] = []
        var families: [StoredFamily] = []
        try reader.structure { (reader, field) throws(GobError) in
            guard field < fields.count else { throw reader.error }
            guard case .map(GobReader.Basic.string, let element)? = reader.types[fields[field].type] else {
                return try reader.skip(fields[field].type)
            }
            switch fields[field].name {
            case Array("Labels".utf8) where element == GobReader.Basic.string:
                for _ in 0..<(try reader.count()) {
                    labels.append(LabelPair(ByteString(try reader.data()), ByteString(try reader.data())))
                }
            case Array("Metrics".utf8):
                for _ in 0..<(try reader.count()) {
                    _ = try reader.data()
                    families.append(try family(&reader, element))
                }
            default: try reader.skip(fields[field].type)
            }
        }
        return view(GroupingKey(labels), families)
    }

    private static func family(_ reader: inout GobReader, _ type: Int64) throws(GobError) -> StoredFamily {
        guard case .structure(let fields)? = reader.types[type] else { throw reader.error }
        var stored = StoredFamily()
        try reader.structure { (reader, field) throws(GobError) in
            guard field < fields.count else { throw reader.error }
            guard case .opaque? = reader.types[fields[field].type] else { return try reader.skip(fields[field].type) }
            switch fields[field].name {
            case Array("Timestamp".utf8):
                guard let time = time(Array(try reader.data())) else { throw reader.error }
                stored.time = time
            case Array("GobbableMetricFamily".utf8):
                let data = try reader.data()
                var message: [UInt8] = []
                Varint.append(UInt64(data.count), to: &message)
                message.append(contentsOf: data)
                guard let parsed = try? ProtobufParser.parse(message), parsed.count == 1 else { throw reader.error }
                stored.family = parsed.first
            default: try reader.skip(fields[field].type)
            }
        }
        return stored
    }

    /// Nanoseconds since 1970 of a `time.Time`: a version, seconds since the year 1, nanoseconds and the zone.
    private static func time(_ bytes: [UInt8]) -> Int64? {
        guard bytes.count == 15 && bytes[0] == 1 || bytes.count == 16 && bytes[0] == 2 else { return nil }
        var seconds: UInt64 = 0
        for byte in bytes[1..<9] { seconds = seconds << 8 | UInt64(byte) }
        var nanoseconds: Int64 = 0
        for byte in bytes[9..<13] { nanoseconds = nanoseconds << 8 | Int64(byte) }
        // The year 1, and what no number of nanoseconds can hold, is no time at all.
        let (since1970, isBefore) = Int64(bitPattern: seconds).subtractingReportingOverflow(62_135_596_800)
        let (product, isTooFar) = since1970.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLarge) = product.addingReportingOverflow(nanoseconds)
        return isBefore || isTooFar || isTooLarge ? 0 : sum
    }

    private static func view(_ key: GroupingKey, _ stored: [StoredFamily]) -> GroupView {
        var pushTime: (value: Int64, changed: Int64) = (0, 0)
        var failureTime: (value: Int64, changed: Int64) = (0, 0)
        var families: [GroupView.Family] = []
        for one in stored {
            guard let family = one.family else { continue }
            switch family.name {
            case PushTimes.pushTimeName: pushTime = (exactTime(family, one.time), one.time)
            case PushTimes.failureTimeName: failureTime = (exactTime(family, one.time), one.time)
            default:
                // What the file holds was checked by Pushgateway, or was taken without its check.
                let push = PreparedPush(
                    Push(group: key, families: [family], mode: .replaceGroup, check: .none, time: one.time))
                guard let prepared = push.families.first else { continue }
                // Pushgateway never shows the unit that a file may have.
                families.append(
                    GroupView.Family(
                        name: prepared.name, help: prepared.help, type: prepared.type, unit: "",
                        time: one.time, series: prepared.series))
            }
        }
        return GroupView(
            key: key, pushTime: pushTime.value, failureTime: failureTime.value, pushTimeChanged: pushTime.changed,
            failureTimeChanged: failureTime.changed, lifetime: .forever, families: families.sorted { $0.name < $1.name }
        )
    }

    /// The time that a gauge of seconds stands for: the stored one if it gives the same number, which has lost digits.
    private static func exactTime(_ family: MetricFamily, _ stored: Int64) -> Int64 {
        let seconds = family.metrics.first?.value.number ?? 0
        if seconds == 0 { return 0 }
        if Double(stored) / 1e9 == seconds { return stored }
        return Int64(exactly: (seconds * 1e9).rounded()) ?? stored
    }
}
