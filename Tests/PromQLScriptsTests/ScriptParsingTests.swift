import Foundation
import MetricModel
import PromQLScripts
import Testing

/// The scripts of upstream that lie beside the package, where they do.
enum SharedScripts {
    /// The folder of scripts: `NARTHEX_CONFORMANCE`, or `../shared/conformance/promql`.
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["NARTHEX_CONFORMANCE"] { return URL(fileURLWithPath: path) }
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { package.deleteLastPathComponent() }
        return package.appendingPathComponent("../shared/conformance/promql").standardized
    }()

    /// The names of the scripts; none if the folder does not exist.
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".test") }.sorted()
    }()

    static func text(_ name: String) throws -> ByteString {
        ByteString([UInt8](try Data(contentsOf: folder.appendingPathComponent(name))))
    }
}

@Suite struct ScriptParsingTests {
    @Test(arguments: SharedScripts.names) func `upstream's scripts are understood`(name: String) throws {
        let script = try Script(SharedScripts.text(name))
        #expect(!script.commands.isEmpty)
    }

    @Test func `start timestamps are offsets from the samples`() throws {
        let script = try Script("load 1m\n x@st -30s _ 0s\n x 1 2 3\n")
        guard case .load(let load) = script.commands.first, let samples = load.series.first?.samples else {
            Issue.record("no load command")
            return
        }
        #expect(samples.map(\.timestamp) == [0, 60_000, 120_000])
        #expect(samples.map(\.startTimestamp) == [-30_000, 0, 120_000])
    }

    @Test(arguments: [
        ("lod 1m\n", "invalid command \"lod 1m\""),
        ("load 1x\n", "invalid step definition \"1x\": unknown unit \"x\" in duration \"1x\""),
        (
            "eval instant at 1m x\n expect warn\n expect no_warn\n",
            "invalid expect lines, warn and no_warn cannot be used together"
        ),
        ("load 1m\n x@st 0s\n", "@st line has no following sample line"),
        ("load 1m\n x@st 0s\n x 1 2\n", "@st line has 1 values but sample line has 2"),
    ])
    func `what makes no sense is refused`(text: String, message: String) {
        do throws(ScriptError) {
            _ = try Script(ByteString(text))
            Issue.record("accepted")
        } catch {
            #expect(error.message == message)
        }
    }
}
