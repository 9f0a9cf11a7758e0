import TestSupport
import Testing

/// What the program says of itself: help, manual pages and completions.
@Suite(.enabled(if: Installed.narthex != nil)) struct HelpTests {
    private func output(_ command: [String]) throws -> String {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(command, output: folder.file("out"), errors: folder.file("errors"))
        #expect(process.wait() == 0, "\(command)")
        return folder.read("out")
    }

    /// The lines of a part of a help text, without their indentation.
    private func section(_ title: String, of help: String) -> [Substring] {
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "\(title):") else { return [] }
        return lines[(start + 1)...].prefix { !$0.isEmpty }.map { $0.drop { $0 == " " } }
    }

    /// Every command, with its help.
    private func commands() throws -> [(path: [String], help: String)] {
        let narthex = try #require(Installed.narthex)
        var found: [(path: [String], help: String)] = []
        var waiting: [[String]] = [[]]
        while let path = waiting.popLast() {
            let help = try output([narthex] + path + ["--help"])
            found.append((path, help))
            waiting += section("Commands", of: help).compactMap { $0.split(separator: " ").first }
                .map { path + [String($0)] }
        }
        return found
    }

    @Test func `every command that does something shows examples, with flags that it has`() throws {
        let commands = try commands()
        #expect(commands.count > 20)
        for (path, help) in commands {
            let examples = section("Examples", of: help)
            #expect(!examples.isEmpty || !section("Commands", of: help).isEmpty, "\(path)")
            for example in examples {
                let called = (["narthex"] + path).joined(separator: " ")
                let start = try #require(example.firstRange(of: called), "\(example)")
                let words = example[start.upperBound...].split(separator: " ").prefix { $0 != "--" && $0 != "|" }
                for flag in words.filter({ $0.hasPrefix("--") }).compactMap({ $0.split(separator: "=").first }) {
                    let name = flag.dropFirst(2)
                    #expect(help.contains("--\(name)=") || help.contains("--[no-]\(name)"), "\(flag) in \(example)")
                }
            }
        }
    }

    @Test(arguments: [
        ["tsdb", "create-blocks-from", "rules", "--start=1", "a.yml"], ["tsdb", "bench", "write", "samples"],
        ["check", "rules", "a.yml"], ["test", "rules", "a.yml"],
    ])
    func `a command of promtool's that is missing says so in a sentence`(command: [String]) throws {
        let narthex = try #require(Installed.narthex)
        let folder = try TemporaryFolder()
        #expect(try ChildProcess([narthex] + command, errors: folder.file("errors")).wait() == 1)
        #expect(folder.read("errors").contains("use promtool's") || folder.read("errors").contains("with promtool"))
    }

    @Test(arguments: [
        (["serve"], "narthex: error: expected command but got \"serve\", try --help\n"),
        (["tsdb", "lst"], "narthex tsdb: error: expected command but got \"lst\", try --help\n"),
    ])
    func `a command that does not exist is named`(command: [String], expected: String) throws {
        let narthex = try #require(Installed.narthex)
        let folder = try TemporaryFolder()
        #expect(try ChildProcess([narthex] + command, errors: folder.file("errors")).wait() == 1)
        #expect(folder.read("errors") == expected)
    }

    @Test func `a manual page names commands and examples, and says nothing to troff by accident`() throws {
        let narthex = try #require(Installed.narthex)
        let page = try output([narthex, "--help-man"])
        #expect(page.contains(".SH \"COMMANDS\"\n.TP\n\\fBnarthex gateway\\fR\n"))
        #expect(page.contains(".SH \"EXAMPLES\"\n.nf\nnarthex\n"))
        #expect(page.contains(".SH \"NAME\"\nnarthex \\- "))
        let requests = [".TH ", ".ad l", ".nh", ".SH ", ".TP", ".nf", ".fi"]
        for line in page.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
            #expect(requests.contains { line.hasPrefix($0) }, "\(line)")
        }
    }

    @Test(arguments: [
        (["narthex", "gate"], "gateway"),
        (["narthex", "tsdb", "dump"], "dump dump-openmetrics"),
        (["narthex", "query", "labels", "job", "--outp"], ""),
        (["narthex", "query", "up", "--outp"], "--output="),
        (["narthex", "gateway", "--web.enable-lifecycle", "--no-push.dis"], "--no-push.disable-consistency-check"),
    ])
    func `bash completes commands and flags`(words: [String], expected: String) throws {
        let narthex = try #require(Installed.narthex)
        let script = """
            source <("$0" --completion-script-bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _narthex 2>/dev/null; echo "${COMPREPLY[*]}"
            """
        let answer = try output(["/bin/bash", "-c", script, narthex] + words)
        #expect(answer == expected + "\n")
    }

    @Test func `fish is told of every command and flag, each in one line`() throws {
        let narthex = try #require(Installed.narthex)
        let script = try output([narthex, "--completion-script-fish"])
        #expect(script.contains("complete -c narthex -n \"__narthex_at narthex\" -f -a gateway -d 'The push gateway: "))
        let start = "complete -c narthex -n \"__narthex_at narthex gateway\" -l"
        #expect(script.contains("\n\(start) web.enable-lifecycle -d '"))
        #expect(script.contains("\n\(start) no-web.enable-lifecycle -d '"))
        #expect(script.contains("\n\(start) web.config.file -r -d '"))
        let lines = script.split(separator: "\n").filter { $0.hasPrefix("complete ") }
        // A quote within a text is escaped, so that what is left of the line without them has two.
        for line in lines {
            let quotes = line.replacing("\\'", with: "").filter { $0 == "'" }
            #expect(quotes.count == 2 && line.hasSuffix("'"), "\(line)")
        }
    }
}
