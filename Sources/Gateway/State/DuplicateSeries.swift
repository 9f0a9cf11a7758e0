/// Series that are left out of scrapes because another series with the same name and labels is shown. There are none
/// unless the consistency check is off.
struct DuplicateSeries: Sendable {
    private var series: [Int32: PackedSeries] = [:]
    private var slotsOfHash: [UInt64: [Int32]] = [:]

    var isEmpty: Bool { series.isEmpty }
    var count: Int { series.count }

    subscript(slot: Int32) -> PackedSeries? { series[slot] }

    func slots(_ hash: UInt64) -> [Int32] { slotsOfHash[hash] ?? [] }

    mutating func insert(_ new: PackedSeries, _ slot: Int32, _ hash: UInt64) {
        series[slot] = new
        slotsOfHash[hash, default: []].append(slot)
    }

    mutating func replace(_ slot: Int32, with new: PackedSeries) { series[slot] = new }

    mutating func remove(_ slot: Int32, _ hash: UInt64) {
        series[slot] = nil
        slotsOfHash[hash]?.removeAll { $0 == slot }
        if slotsOfHash[hash]?.isEmpty == true { slotsOfHash[hash] = nil }
    }
}
