import TestSupport
import Testing

/// What docs/batch-jobs.md shows, run as it is written there.
@Suite struct BatchJobsTests {
    /// The blocks of a document that are marked with a language.
    private static func blocks(of language: String) -> [String] {
        let text = TemporaryFolder.read(Installed.packageFolder + "/docs/batch-jobs.md")
        var blocks: [String] = []
        var lines: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let inside = lines {
                if line == "```" {
                    blocks.append(inside.joined(separator: "\n"))
                    lines = nil
                } else {
                    lines = inside + [line]
                }
            } else if line == "```" + language {
                lines = []
            }
        }
        return blocks
    }

    @Test func `every command of the document does what it says`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(folder: folder)
        let narthex = try #require(Installed.narthex)
        let slash = try #require(narthex.lastIndex(of: "/"))
        let blocks = Self.blocks(of: "sh")
        #expect(blocks.count == 9)
        let script = """
            set -e
            cd \(folder.path)
            export HOME=\(folder.path) NARTHEX_URL=http://\(gateway.address) PATH=\(narthex[..<slash]):$PATH

            """
        for block in blocks {
            let output = folder.path + "/output"
            let code = try ChildProcess(["/bin/sh", "-c", script + block], output: output).wait()
            #expect(code == 0, "\(block)\n\(TemporaryFolder.read(output))")
        }
        for (series, value) in [
            (#"backup_size_bytes{instance="db1",job="backup",kind="full"}"#, 1_048_576.0),
            (#"backup_files{instance="db1",job="backup"}"#, 42), (#"report_rows{instance="",job="report"}"#, 1200),
            (#"plain_rows{instance="",job="plain"}"#, 1200),
            (#"batch_job_success{instance="",job="nightly",region="eu"}"#, 1),
            (#"batch_job_exit_code{instance="",job="flaky"}"#, 3), (#"batch_job_success{instance="",job="train"}"#, 1),
            (#"orders_total{instance="",job="orders"}"#, 5),
            (#"batch_job_success{branch="feature-7",instance="",job="preview"}"#, 1),
            (#"batch_job_success{instance="",job="offline"}"#, 1), (#"batch_job_success{instance="",job="online"}"#, 1),
        ] { #expect(try gateway.value(of: series) == value, "\(series)") }
        // The last block deletes it.
        #expect(try gateway.value(of: #"import_rows{instance="",job="import"}"#) == nil)
        let list = folder.read("output")
        #expect(list.contains(#"{job="import"}"#) && list.contains(#"{job="nightly", region="eu"}"#), "\(list)")
        #expect(gateway.stop() == 0)
    }

    @Test func `the queries of the document are PromQL`() throws {
        let folder = try TemporaryFolder()
        let narthex = try #require(Installed.narthex)
        let queries = Self.blocks(of: "promql").flatMap { $0.split(separator: "\n\n") }
        try #require(queries.count == 3)
        let cases = queries.map { "eval instant at 0m \($0.split(separator: "\n").last ?? "")\n" }
        let file = try folder.write("queries.test", cases.joined(separator: "\n"))
        let output = folder.path + "/output"
        let code = try ChildProcess([narthex, "test", "promql", file], output: output).wait()
        #expect(code == 0, "\(folder.read("output"))")
    }
}
