#if canImport(Glibc)
internal import Glibc
#endif

/// A small HTTP client on one connection to 127.0.0.1, so that the tests see what is on the wire.
package final class PlainHTTP {
    /// What went wrong on the connection.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        fileprivate init(_ what: String) { description = what }

        /// A call of the system's that failed.
        fileprivate static func system(_ call: String) -> Failure {
            Failure("\(call): \(String(cString: strerror(errno)))")
        }
    }

    /// What came back.
    package struct Answer {
        /// Of HTTP.
        package var status: Int
        /// The status line and the fields, as they were sent.
        package var head: String
        /// Without its framing; what is not UTF-8 is replaced.
        package var body: String
    }

    private let port: Int
    private let otherSide: (() -> String)?
    private var socket: Int32 = -1
    private var buffer: [UInt8] = []

    /// A client of `port`, not connected yet.
    /// - Parameter otherSide: What can be told about the process that answers; asked when it has failed to.
    package init(port: Int, otherSide: (() -> String)? = nil) {
        self.port = port
        self.otherSide = otherSide
    }

    deinit { close() }

    /// Closes the connection; the next request opens another.
    package func close() {
        if socket >= 0 { _ = Glibc.close(socket) }
        socket = -1
        buffer = []
    }

    /// Sends a request and reads the whole answer; the connection is kept where the answer allows it.
    /// - Throws: ``Failure``, with what can be told of the other side.
    package func request(
        _ method: String, _ path: String, _ body: String = "", headers: [String] = []
    ) throws -> Answer {
        try request(method, path, bytes: Array(body.utf8), headers: headers)
    }

    /// The same with a body of any bytes.
    package func request(
        _ method: String, _ path: String, bytes: [UInt8], headers: [String] = []
    ) throws -> Answer {
        if socket < 0 { try connect() }
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(bytes.count)\r\n"
        for header in headers { text += header + "\r\n" }
        do {
            try send(Array((text + "\r\n").utf8) + bytes)
            return try readAnswer()
        } catch {
            close()
            guard let otherSide else { throw error }
            throw Failure("\(method) \(path.prefix(200)): \(error); \(otherSide())")
        }
    }

    /// Sends bytes as they are and reads until the other side closes.
    package func exchange(_ text: String) throws -> String {
        try connect()
        try send(Array(text.utf8))
        var all: [UInt8] = []
        while let more = try receive() { all += more }
        close()
        return String(decoding: all, as: UTF8.self)
    }

    /// Sends bytes on a new connection and does not wait for an answer.
    package func begin(_ text: String) throws {
        try connect()
        try send(Array(text.utf8))
    }

    /// Reads on the connection of ``begin(_:)`` until `text` has come; what was read before is not given again.
    package func read(until text: String) throws -> String {
        var all: [UInt8] = []
        while true {
            guard let more = try receive() else { throw Failure("the other side closed the connection") }
            all += more
            let read = String(decoding: all, as: UTF8.self)
            if read.contains(text) { return read }
        }
    }

    private func connect() throws {
        close()
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard LoopbackAddress(port: port).connect(socket) == 0 else {
            let failure = Failure.system("connect")
            close()
            throw failure
        }
    }

    private func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure.system("send") }
            rest = rest.dropFirst(count)
        }
    }

    private func receive() throws -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count == 0 { return nil }
        guard count > 0 else { throw Failure.system("recv") }
        return Array(chunk[..<count])
    }

    private func readAnswer() throws -> Answer {
        while true {
            if let end = headEnd() {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 4)
                let status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
                let body = try readBody(head)
                if head.lowercased().contains("\r\nconnection: close") { close() }
                return Answer(status: status, head: head, body: String(decoding: body, as: UTF8.self))
            }
            guard let more = try receive() else { throw Failure("the other side closed the connection") }
            buffer += more
        }
    }

    private func headEnd() -> Int? {
        guard buffer.count >= 4 else { return nil }
        for index in 0...(buffer.count - 4) where buffer[index] == 13 && buffer[index + 1] == 10 {
            if buffer[index + 2] == 13, buffer[index + 3] == 10 { return index }
        }
        return nil
    }

    private func readBody(_ head: String) throws -> [UInt8] {
        let lines = head.lowercased().split(separator: "\r\n")
        if lines.contains("transfer-encoding: chunked") { return try readChunks() }
        guard let line = lines.first(where: { $0.hasPrefix("content-length: ") }),
            let length = Int(line.dropFirst(16))
        else { return [] }
        return try take(length)
    }

    /// Pieces, each behind its length in hexadecimal digits, up to one without bytes; trailers are not read.
    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            var size: [UInt8] = []
            while size.suffix(2) != [13, 10] { size += try take(1) }
            guard let length = Int(String(decoding: size.dropLast(2), as: UTF8.self), radix: 16) else {
                throw Failure("a chunk has no length: \(size)")
            }
            body += try take(length)
            _ = try take(2)
            if length == 0 { return body }
        }
    }

    private func take(_ length: Int) throws -> [UInt8] {
        while buffer.count < length {
            guard let more = try receive() else { throw Failure("the other side closed the connection") }
            buffer += more
        }
        defer { buffer.removeFirst(length) }
        return Array(buffer[..<length])
    }
}
