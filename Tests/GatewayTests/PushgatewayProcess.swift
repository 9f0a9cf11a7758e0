import DurableFiles
import TestSupport

#if canImport(Glibc)
import Glibc
#endif

/// Debian's prometheus-pushgateway, run for a test on a free port of the loopback interface.
final class PushgatewayProcess {
    static let program = "/usr/bin/prometheus-pushgateway"

    static var isInstalled: Bool { access(program, X_OK) == 0 }

    struct Failure: Error {
        let text: String
    }

    private let process: ChildProcess
    let client: PlainHTTP

    /// Starts the program and waits until it answers.
    init(persistenceFile: String) throws {
        let port = try FreePort.find()
        client = PlainHTTP(port: port)
        process = try ChildProcess([
            PushgatewayProcess.program, "--web.listen-address=127.0.0.1:\(port)",
            "--persistence.file=\(persistenceFile)", "--log.level=error",
        ])
        // A minute: a machine that is busy with other things may take long to start it.
        for _ in 0..<2400 {
            if (try? client.request("GET", "/-/ready"))?.status == 200 { return }
            usleep(25_000)
        }
        throw Failure(text: "pushgateway does not answer")
    }

    /// Ends the program, which then writes its file.
    func stop() {
        process.signal(SIGTERM)
        process.wait()
    }
}
