import DurableFiles
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite(.enabled(if: RealProgram.isInstalled(RealProgram.promtool)))
struct RealBlockTests {
    private static func dump(_ directory: String) throws -> [String] {
        let folder = try TemporaryFolder()
        let copy = folder.file("data")
        _ = try RealProgram.run(["/bin/cp", "-r", directory, copy])
        _ = try RealProgram.run(["/bin/mkdir", "-p", copy + "/wal"])
        return StoreContent.normalised(dump: try RealProgram.run([RealProgram.promtool, "tsdb", "dump", copy]))
    }

    @Test func `promtool lists, analyzes and dumps a block of ours`() throws {
        let folder = try TemporaryFolder()
        let directory = folder.path
        let list = BlockFixture.floats(series: 300, samples: 500, seed: 9)
        let block = try BlockFixture.write(list, directory)
        #expect(try Self.dump(directory) == BlockFixture.lines(list))
        let name = block.meta.ulid.description
        #expect(try RealProgram.run([RealProgram.promtool, "tsdb", "list", directory]).contains(name))
        let analysis = try RealProgram.run([RealProgram.promtool, "tsdb", "analyze", directory, name])
        #expect(analysis.contains("\nSeries: 300\n") && analysis.contains("Label names: 4"))
        _ = try block.delete([], from: BlockFixture.start + 1_000_000, to: BlockFixture.start + 2_000_000)
        let kept = BlockFixture.lines(list) { _, time in
            time < BlockFixture.start + 1_000_000 || time > BlockFixture.start + 2_000_000
        }
        #expect(try Self.dump(directory) == kept)
        try block.snapshot(into: directory + "/snapshots")
        #expect(try Self.dump(directory + "/snapshots") == kept)
    }

    @Test func `blocks of promtool are read to the last bit`() throws {
        let folder = try TemporaryFolder()
        let directory = folder.path
        let list = BlockFixture.floats(series: 60, samples: 400, seed: 11)
        var text = ""
        for metric in 0..<7 {
            text += "# TYPE metric_\(metric) gauge\n"
            for entry in list.entries where entry.labels.metricName == ByteString("metric_\(metric)") {
                let labels = entry.labels.removing("__name__").pairs
                    .map { "\($0.name)=\"\(Self.escaped($0.value.string))\"" }.joined(separator: ",")
                for sample in entry.samples {
                    guard case .float(let time, let value, _) = sample else { continue }
                    let number = value.isNaN ? "NaN" : value.isInfinite ? "+Inf" : "\(value)"
                    text += "metric_\(metric){\(labels)} \(number) \(Double(time) / 1000)\n"
                }
            }
        }
        text += "# EOF\n"
        let input = directory + "/input"
        let file = try POSIXFileSystem().open(input, .truncate)
        try file.append(Array(text.utf8))
        try file.close()
        let data = directory + "/data"
        _ = try RealProgram.run([RealProgram.promtool, "tsdb", "create-blocks-from", "openmetrics", input, data])
        var lines: [String] = []
        for name in try POSIXFileSystem().list(data) where ULID(name) != nil {
            let block = try Block(data + "/" + name, on: POSIXFileSystem())
            try block.verify()
            lines += try BlockFixture.lines(block)
        }
        #expect(lines.sorted() == BlockFixture.lines(list))
        #expect(lines.count > 15_000)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
