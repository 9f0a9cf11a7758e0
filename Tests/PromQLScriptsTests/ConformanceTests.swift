import Foundation
import MetricModel
import PromQLScripts
import Testing

@Suite struct ConformanceTests {
    @Test(.enabled(if: !SharedScripts.names.isEmpty, "the shared scripts are not here"), arguments: SharedScripts.names)
    func `a shared script passes`(name: String) throws {
        let text = try SharedScripts.text(name)
        var runner = ScriptRunner(ArrayStoreSubject())
        let report = runner.run(text)
        #expect(report.passed > 0)
        for failure in report.failures { Issue.record("\(name) \(failure)") }
    }

    private static let fixtures: URL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// Our own scripts; Prometheus 3.14's runner passes them, too.
    @Test(arguments: ["alike", "directives", "fills", "forms", "histograms", "numbers", "parameters", "timestamps"])
    func `a script of ours passes`(name: String) throws {
        let text = try Data(contentsOf: Self.fixtures.appendingPathComponent(name + ".test"))
        var runner = ScriptRunner(ArrayStoreSubject())
        let report = runner.run(ByteString([UInt8](text)))
        #expect(report.passed > 0)
        for failure in report.failures { Issue.record("\(name) \(failure)") }
    }
}
