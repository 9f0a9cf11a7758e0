import DurableFiles
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// Records and the pages that they are cut into.
@Suite struct WALPageTests {
    /// A page has room for just a header where 7 bytes are left: the record begins there all the same, once. The first
    /// record's length is chosen so that each of these runs meets another remainder of the size of the others.
    @Test(arguments: 0..<34)
    func `a record that begins with an empty fragment is one record`(_ extra: Int) throws {
        let disk = SimulatedDisk(seed: 1)
        var options = Database.Options()
        options.walCompression = .none
        options.minimumFreeBytes = 0
        let database = try Database.open("data", options: options, fileSystem: disk)
        let labels = Labels(["__name__": String(repeating: "m", count: 20 + extra)])
        var reference = SeriesReference.none
        // A header and 27 bytes each: a page and some more.
        for step in 0..<1000 {
            let appender = database.appender()
            let sample = ReferencedSample(reference, Int64(step) * 1000, Double(step))
            if reference == .none {
                reference = try appender.append(.none, labels: labels, timestamp: 0, value: 0)
            } else {
                #expect(appender.append([sample]) { _, _ in } == 1)
            }
            _ = try appender.commit(.relaxed)
        }
        try database.close()
        let repairs = Mutex<[StoreEvent]>([])
        let again = try Database.open("data", options: options, fileSystem: disk) { event in
            if case .repaired = event { repairs.withLock { $0.append(event) } }
        }
        #expect(repairs.withLock { $0 }.isEmpty)
        var columns = SampleColumns()
        for series in try again.querier(from: .min, to: .max).select([]) { try series.read(into: &columns) }
        #expect(columns.timestamps == (0..<1000).map { Int64($0) * 1000 })
        try again.close()
    }
}
