import Dispatch
import Glibc
import Synchronization
import TestSupport

/// An HTTP/1.1 server on a free port of 127.0.0.1 that answers what a closure says.
final class FakeServer: Sendable {
    struct Request: Sendable {
        var target: String
        var headers: [(name: String, value: String)]
        var body: [UInt8] = []

        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    }

    struct Response: Sendable {
        var status = "200 OK"
        var headers: [(String, String)] = [("Content-Type", "text/plain; version=0.0.4")]
        var body: [UInt8] = []
        /// Whether nothing is ever answered.
        var hangs = false

        static func text(_ body: String) -> Response { Response(body: Array(body.utf8)) }
    }

    let port: Int
    private let listener: Int32
    /// What is open now. A number leaves before it is closed, for the system gives it to the next socket of any test.
    private let connections = Mutex<Set<Int32>>([])
    private let isListening = Mutex(true)
    private let received = Mutex<[Request]>([])

    var requests: [Request] { received.withLock { $0 } }

    init(_ answer: @escaping @Sendable (Request) -> Response) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let listener = listener
        _ = LoopbackAddress(port: 0).bind(listener)
        listen(listener, 64)
        port = LoopbackAddress.port(of: listener)
        Thread.detach { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                connections.withLock { _ = $0.insert(connection) }
                Thread.detach { [self] in serve(connection, answer) }
            }
            isListening.withLock { isListening in
                isListening = false
                _ = close(listener)
            }
        }
    }

    func stop() {
        isListening.withLock { if $0 { shutdown(listener, Int32(SHUT_RDWR)) } }
        connections.withLock { for connection in $0 { shutdown(connection, Int32(SHUT_RDWR)) } }
    }

    private func serve(_ connection: Int32, _ answer: (Request) -> Response) {
        defer {
            connections.withLock { connections in
                connections.remove(connection)
                _ = close(connection)
            }
        }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: pending, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let lines = text[..<end.lowerBound].split(separator: "\r\n")
                let headers = lines.dropFirst().compactMap { line -> (String, String)? in
                    guard let colon = line.firstIndex(of: ":") else { return nil }
                    return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
                }
                let target = lines.first?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                var request = Request(target: target, headers: headers)
                var bodyLength = 0
                if let length = request.header("content-length").flatMap({ Int($0) }) { bodyLength = length }
                let used = text[..<end.upperBound].utf8.count + bodyLength
                if pending.count >= used {
                    request.body = Array(pending[(used - bodyLength)..<used])
                    received.withLock { [request] in $0.append(request) }
                    pending.removeFirst(used)
                    let response = answer(request)
                    if response.hangs {
                        _ = recv(connection, &buffer, buffer.count, 0)
                        return
                    }
                    var head = "HTTP/1.1 \(response.status)\r\nContent-Length: \(response.body.count)\r\n"
                    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
                    let bytes = Array((head + "\r\n").utf8) + response.body
                    var sent = 0
                    while sent < bytes.count {
                        let count = bytes[sent...].withUnsafeBytes {
                            send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                        guard count > 0 else { return }
                        sent += count
                    }
                    continue
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            pending += buffer[..<count]
        }
    }

    private enum Thread {
        static func detach(_ work: @escaping @Sendable () -> Void) {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(Box(work))
            pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Box>.fromOpaque(context).takeRetainedValue().work()
                    return nil
                }, box.toOpaque())
            pthread_detach(thread)
        }

        final class Box: Sendable {
            let work: @Sendable () -> Void
            init(_ work: @escaping @Sendable () -> Void) { self.work = work }
        }
    }
}

extension String {
    func range(of text: String) -> Range<String.Index>? { ranges(of: text).first }
}

/// Text that threads share.
final class RecordingText: Sendable {
    private let text = Mutex("")

    func set(_ new: String) { text.withLock { $0 = new } }

    func get() -> String { text.withLock { $0 } }
}
