import TestSupport
import Testing

/// The pages in a real browser, and their scripts' pure parts in node. What is checked stands in Tests/Browser and
/// Tests/JavaScript; pictures of what was seen are left in .build/pictures.
@Suite struct BrowserTests {
    private static let chromium = Installed.executable("/usr/bin/chromium")
    private static let node = Installed.executable("/usr/bin/node")
    /// A Python that can talk to a browser: the one of `make peers`.
    private static let python: String? = {
        let path = Installed.packageFolder + "/.build/peers/bin/python"
        guard Installed.executable(path) != nil, let probe = try? ChildProcess([path, "-c", "import websocket"]) else {
            return nil
        }
        return probe.wait() == 0 ? path : nil
    }()

    @Test(
        .enabled(
            if: chromium != nil && python != nil && Installed.narthex != nil,
            "needs chromium and `make peers`, and the program beside the tests"))
    func `every page shows what it should, on every size, whatever it is given`() throws {
        let (python, narthex) = (try #require(Self.python), try #require(Installed.narthex))
        let folder = try TemporaryFolder()
        let package = Installed.packageFolder
        let checks = try ChildProcess(
            [python, "\(package)/Tests/Browser/run.py", narthex, "\(package)/.build/pictures"],
            output: folder.path + "/report")
        let code = checks.wait()
        let report = folder.read("report")
        for line in report.split(separator: "\n") where line.hasPrefix("failed\t") { Issue.record("\(line)") }
        let passed = report.split(separator: "\n").filter { $0.hasPrefix("ok\t") }.count
        #expect(code == 0, "\(report)")
        #expect(passed > 30, "\(report)")
    }

    @Test(.enabled(if: node != nil, "node is not installed"))
    func `the scripts' pure parts pass their own tests`() throws {
        let node = try #require(Self.node)
        let folder = try TemporaryFolder()
        let code = try ChildProcess(
            [
                "/bin/sh", "-c", "exec \"$0\" --test \"$1\"/*.test.js", node,
                "\(Installed.packageFolder)/Tests/JavaScript",
            ],
            output: folder.path + "/report"
        ).wait()
        #expect(code == 0, "\(folder.read("report"))")
    }
}
