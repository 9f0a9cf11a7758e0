import Testing
import Web

@Suite struct HTTP1HeadParserTests {
    private func parse(_ text: String) throws(HTTPRequestFault) -> HTTP1Head {
        try HTTP1Head(parsing: Array(text.utf8))
    }

    @Test func `request line and fields are found where they lie`() throws {
        let parsed = try parse("POST /metrics/job/a?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nX-A:  b c \r\n\r\n")
        #expect(parsed.head.method == .post)
        #expect(String(decoding: parsed.head.rawPath, as: UTF8.self) == "/metrics/job/a")
        #expect(parsed.head.rawQuery.map { String(decoding: $0, as: UTF8.self) } == "x=1")
        #expect(parsed.head["x-a"] == "b c")
        #expect(parsed.framing == .length(4))
        #expect(parsed.keepsAlive)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "missing required Host header"),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "too many Host headers"),
        ("GE T / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed HTTP version"),
        ("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "invalid URL escape"),
        ("GET foo HTTP/1.1\r\nHost: x\r\n\r\n", "invalid URI for request"),
        ("GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n", "invalid header name"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\u{1}\r\n\r\n", "invalid header value"),
        ("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "malformed MIME header line"),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", "bad Content-Length"),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "http: message cannot contain multiple Content-Length headers"
        ),
    ])
    func `what Go refuses is refused with the reason`(text: String, reason: String) {
        #expect(throws: HTTPRequestFault.malformed(reason)) { try parse(text) }
    }

    @Test func `other versions and transfer codings have answers of their own`() {
        #expect(throws: HTTPRequestFault.unsupportedVersion) { try parse("GET / HTTP/2.0\r\nHost: x\r\n\r\n") }
        #expect(throws: HTTPRequestFault.unsupportedTransferCoding) {
            try parse("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n")
        }
    }

    @Test func `a request with both framings is read as chunked and nothing may follow it`() throws {
        let parsed = try parse(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n")
        #expect(parsed.framing == .chunked)
        #expect(!parsed.keepsAlive)
    }

    @Test func `HTTP 1_0 closes unless it is asked not to`() throws {
        #expect(try !parse("GET / HTTP/1.0\r\n\r\n").keepsAlive)
        #expect(try parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keepsAlive)
    }

    @Test func `absolute form loses scheme and authority`() throws {
        let parsed = try parse("GET http://h:1/metrics?a HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(String(decoding: parsed.head.rawPath, as: UTF8.self) == "/metrics")
    }

    @Test(arguments: 0..<64)
    func `no cut of a request crashes or succeeds by accident`(seed: Int) throws {
        let whole = Array("PUT /metrics/job/a%20b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nA: b\r\n\r\n".utf8)
        var bytes = whole
        bytes[(seed * 7) % bytes.count] = UInt8(truncatingIfNeeded: seed &* 37)
        _ = try? HTTP1Head(parsing: bytes)
        _ = try? HTTP1Head(parsing: Array(bytes.prefix(seed)))
    }
}
