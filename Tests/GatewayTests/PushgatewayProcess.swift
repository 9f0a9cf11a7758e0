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
    private let port: UInt16

    /// Starts the program and waits until it answers.
    init(persistenceFile: String) throws {
        port = UInt16(try FreePort.find())
        process = try ChildProcess([
            PushgatewayProcess.program, "--web.listen-address=127.0.0.1:\(port)",
            "--persistence.file=\(persistenceFile)", "--log.level=error",
        ])
        // A minute: a machine that is busy with other things may take long to start it.
        for _ in 0..<2400 {
            if (try? send("GET", "/-/ready", []))?.hasPrefix("HTTP/1.0 200") == true { return }
            usleep(25_000)
        }
        throw Failure(text: "pushgateway does not answer")
    }

    /// Sends a request and yields the answer, head and body.
    @discardableResult
    func send(_ method: String, _ path: String, _ body: [UInt8]) throws -> String {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(socket) }
        var address = PushgatewayProcess.loopback(port)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw Failure(text: "connect: \(errno)") }
        let head =
            "\(method) \(path) HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \(body.count)\r\n\r\n"
        let request = Array(head.utf8) + body
        guard write(socket, request, request.count) == request.count else { throw Failure(text: "write: \(errno)") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(socket, &buffer, buffer.count)
            if count <= 0 { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// Ends the program, which then writes its file.
    func stop() {
        process.signal(SIGTERM)
        process.wait()
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
