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
}
