#if canImport(Glibc)
internal import ByteCoding
internal import Glibc
#endif

/// Why a request cannot be understood. The answer closes the connection: what follows could be anything.
package enum HTTPRequestFault: Error, Equatable {
    /// 400, with what is wrong.
    case malformed(String)
    /// 431.
    case headTooLarge
    /// 501: a transfer coding other than `chunked`.
    case unsupportedTransferCoding
    /// 505.
    case unsupportedVersion

    /// The whole answer, in the form and words of Go's net/http.
    package var answer: String {
        let (line, text) =
            switch self {
            case .malformed(let reason): ("400 Bad Request: \(reason)", "400 Bad Request: \(reason)")
            case .headTooLarge: ("431 Request Header Fields Too Large", "431 Request Header Fields Too Large")
            case .unsupportedTransferCoding: ("501 Not Implemented", "Unsupported transfer encoding")
            case .unsupportedVersion:
                (
                    "505 HTTP Version Not Supported: unsupported protocol version",
                    "505 HTTP Version Not Supported: unsupported protocol version"
                )
            }
        return "HTTP/1.1 \(line)\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\(text)"
    }
}

/// How the end of a body is found (RFC 9112, section 6).
package enum HTTPBodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
}

/// A head that was understood, with what it says about its body and connection.
package struct HTTP1Head: Sendable {
    /// Request line and fields.
    package var head: HTTPRequestHead
    /// How the end of the body is found.
    package var framing: HTTPBodyFraming
    /// Whether another request may follow.
    package var keepsAlive: Bool
    /// Whether the sender waits for `100 Continue`.
    package var expectsContinue: Bool
    /// Whether there is an expectation that this server cannot meet (417).
    package var hasUnknownExpectation: Bool
}

extension HTTP1Head {
    /// Reads a whole head.
    /// - Parameter bytes: Everything up to and with the empty line.
    /// - Throws: ``HTTPRequestFault`` where Go's net/http would answer with an error.
    package init(parsing bytes: [UInt8]) throws(HTTPRequestFault) { self = try HTTP1HeadParser.parse(bytes) }
}

/// Reads request heads of HTTP/1.0 and 1.1 as Go's net/http does, from bytes that anybody may have sent.
///
/// Total and without recursion; one pass over the bytes. Lines may end in a bare line feed, as in Go; folded
/// fields, which Go still takes, are refused (RFC 9112, section 5.2 allows that).
enum HTTP1HeadParser {
    private static let lineFeed = UInt8(ascii: "\n")

    /// The number of bytes up to and with the empty line, or nil if it has not come yet.
    /// - Parameter start: Where to go on searching; bytes before it were searched by an earlier call.
    static func headLength(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = max(0, start - 3)
        while index < bytes.count {
            // SAFETY: `memchr` reads only `bytes.count - index` bytes from `index`, within the buffer.
            guard let base = bytes.baseAddress,
                let found = memchr(base + index, Int32(lineFeed), bytes.count - index)
            else { return nil }
            let feed = base.distance(to: UnsafeRawPointer(found))
            if feed + 1 < bytes.count, bytes[feed + 1] == lineFeed { return feed + 2 }
            if feed + 2 < bytes.count, bytes[feed + 1] == UInt8(ascii: "\r"), bytes[feed + 2] == lineFeed {
                return feed + 3
            }
            index = feed + 1
        }
        return nil
    }

    /// Reads a whole head.
    /// - Parameter bytes: Everything up to and with the empty line.
    /// - Throws: ``HTTPRequestFault`` where Go's net/http would answer with an error.
    /// - Complexity: O(bytes); two allocations.
    static func parse(_ bytes: [UInt8]) throws(HTTPRequestFault) -> HTTP1Head {
        var fields: [HTTPRequestHead.Field] = []
        fields.reserveCapacity(12)
        var facts = Facts()
        // The closure cannot throw a typed error through `withUnsafeBytes` and keep its type, so it returns one.
        let line: Result<RequestLine, HTTPRequestFault> = bytes.withUnsafeBytes { raw in
            do throws(HTTPRequestFault) {
                var cursor = 0
                let first = nextLine(raw, &cursor)
                let line = try requestLine(raw, first)
                while cursor < raw.count {
                    let range = nextLine(raw, &cursor)
                    if range.isEmpty { break }
                    let field = try parseField(raw, range)
                    fields.append(field)
                    try facts.note(raw, field)
                }
                return .success(line)
            } catch {
                return .failure(error)
            }
        }
        let request = try line.get()
        try facts.check(minor: request.minor)
        let head = HTTPRequestHead(
            bytes: bytes, method: request.method, target: request.target, version: request.minor, fields: fields)
        return HTTP1Head(
            head: head, framing: facts.framing(minor: request.minor),
            keepsAlive: facts.keepsAlive(minor: request.minor),
            expectsContinue: facts.expectsContinue && request.minor > 0,
            hasUnknownExpectation: facts.hasUnknownExpectation)
    }

    private struct RequestLine {
        var method: HTTPMethod
        var target: Range<Int>
        var minor: Int
    }

    /// The next line without its end.
    private static func nextLine(_ raw: UnsafeRawBufferPointer, _ cursor: inout Int) -> Range<Int> {
        let start = cursor
        var end = raw.count
        // SAFETY: `memchr` reads only the bytes from `start` to the end of the buffer.
        if let base = raw.baseAddress, let found = memchr(base + start, Int32(lineFeed), raw.count - start) {
            end = base.distance(to: UnsafeRawPointer(found))
        }
        cursor = end + 1
        if end > start, raw[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return start..<end
    }

    private static func requestLine(
        _ raw: UnsafeRawBufferPointer, _ line: Range<Int>
    ) throws(HTTPRequestFault) -> RequestLine {
        let space = UInt8(ascii: " ")
        guard let first = raw[line].firstIndex(of: space),
            let second = raw[(first + 1)..<line.upperBound].firstIndex(of: space)
        else { throw .malformed("malformed HTTP request") }
        let method = line.lowerBound..<first
        guard !method.isEmpty, raw[method].allSatisfy(HTTPSyntax.isToken) else { throw .malformed("invalid method") }
        let minor = try version(raw, (second + 1)..<line.upperBound)
        let target = try originForm(raw, (first + 1)..<second, isConnect: raw[method].elementsEqual("CONNECT".utf8))
        return RequestLine(
            method: HTTPMethod(UnsafeRawBufferPointer(rebasing: raw[method])), target: target, minor: minor)
    }

    private static func version(
        _ raw: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(HTTPRequestFault) -> Int {
        let start = range.lowerBound
        guard range.count == 8, raw[start..<(start + 5)].elementsEqual("HTTP/".utf8),
            raw[start + 6] == UInt8(ascii: ".")
        else { throw .malformed("malformed HTTP version") }
        let major = raw[start + 5] &- UInt8(ascii: "0")
        let minor = raw[start + 7] &- UInt8(ascii: "0")
        guard major < 10, minor < 10 else { throw .malformed("malformed HTTP version") }
        guard major == 1 else { throw .unsupportedVersion }
        return min(Int(minor), 1)
    }

    /// The target as a path: absolute form loses scheme and authority; percent-encoding is checked, not decoded.
    ///
    /// Source: Go net/url (`ParseRequestURI`).
    private static func originForm(
        _ raw: UnsafeRawBufferPointer, _ target: Range<Int>, isConnect: Bool
    ) throws(HTTPRequestFault) -> Range<Int> {
        for byte in raw[target] where byte < 0x20 || byte == 0x7F {
            throw .malformed("invalid control character in URL")
        }
        guard let first = raw[target].first else { throw .malformed("empty url") }
        var path = target
        if first != UInt8(ascii: "/") {
            if target.count == 1, first == UInt8(ascii: "*") { return target }
            if isConnect { return target }
            guard let scheme = schemeLength(raw, target) else { throw .malformed("invalid URI for request") }
            let rest = (target.lowerBound + scheme)..<target.upperBound
            guard let slash = raw[rest].firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
                return target.upperBound..<target.upperBound
            }
            path = slash..<target.upperBound
        }
        var index = path.lowerBound
        while index < path.upperBound, raw[index] != UInt8(ascii: "?") {
            if raw[index] == UInt8(ascii: "%") {
                guard index + 2 < path.upperBound, PercentCoding.digit(raw[index + 1]) != nil,
                    PercentCoding.digit(raw[index + 2]) != nil
                else { throw .malformed("invalid URL escape") }
                index += 2
            }
            index += 1
        }
        return path
    }

    /// The number of bytes of `http://` or the like at the front.
    private static func schemeLength(_ raw: UnsafeRawBufferPointer, _ target: Range<Int>) -> Int? {
        guard let colon = raw[target].firstIndex(of: UInt8(ascii: ":")), colon > target.lowerBound,
            colon + 2 < target.upperBound, raw[colon + 1] == UInt8(ascii: "/"), raw[colon + 2] == UInt8(ascii: "/")
        else { return nil }
        let scheme = raw[target.lowerBound..<colon]
        guard let first = scheme.first, HTTPSyntax.lowercase(first) &- 0x61 < 26,
            scheme.allSatisfy({ HTTPSyntax.isToken($0) })
        else { return nil }
        return colon + 3 - target.lowerBound
    }

    private static func parseField(
        _ raw: UnsafeRawBufferPointer, _ line: Range<Int>
    ) throws(HTTPRequestFault) -> HTTPRequestHead.Field {
        guard let colon = raw[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound else {
            throw .malformed("malformed MIME header line")
        }
        for byte in raw[line.lowerBound..<colon] where !HTTPSyntax.isToken(byte) {
            throw .malformed("invalid header name")
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end, raw[start] == 0x20 || raw[start] == 0x09 { start += 1 }
        while end > start, raw[end - 1] == 0x20 || raw[end - 1] == 0x09 { end -= 1 }
        for byte in raw[start..<end] where !HTTPSyntax.isFieldValue(byte) { throw .malformed("invalid header value") }
        // Heads are limited to far less than 2 GiB before they come here.
        return HTTPRequestHead.Field(
            name: Int32(truncatingIfNeeded: line.lowerBound)..<Int32(truncatingIfNeeded: colon),
            value: Int32(truncatingIfNeeded: start)..<Int32(truncatingIfNeeded: end))
    }
}

/// What the fields say about framing and connection.
private struct Facts {
    var contentLength: Int?
    var hasTransferCoding = false
    var hosts = 0
    var isClose = false
    var isKeepAlive = false
    var expectsContinue = false
    var hasUnknownExpectation = false

    /// Takes in one field.
    mutating func note(_ raw: UnsafeRawBufferPointer, _ field: HTTPRequestHead.Field) throws(HTTPRequestFault) {
        let name = UnsafeRawBufferPointer(rebasing: raw[Int(field.name.lowerBound)..<Int(field.name.upperBound)])
        let value = UnsafeRawBufferPointer(rebasing: raw[Int(field.value.lowerBound)..<Int(field.value.upperBound)])
        switch name.count {
        case 4 where equals(name, "host"):
            hosts += 1
            guard value.allSatisfy(Self.isHostByte) else { throw .malformed("malformed Host header") }
        case 6 where equals(name, "expect"):
            if equals(value, "100-continue") { expectsContinue = true } else { hasUnknownExpectation = true }
        case 10 where equals(name, "connection"):
            for token in value.split(separator: UInt8(ascii: ",")) {
                let trimmed = trim(UnsafeRawBufferPointer(rebasing: token))
                if equals(trimmed, "close") { isClose = true }
                if equals(trimmed, "keep-alive") { isKeepAlive = true }
            }
        case 14 where equals(name, "content-length"):
            let length = try Self.length(value)
            guard contentLength == nil || contentLength == length else {
                throw .malformed("http: message cannot contain multiple Content-Length headers")
            }
            contentLength = length
        case 17 where equals(name, "transfer-encoding"):
            guard !hasTransferCoding, equals(value, "chunked") else { throw .unsupportedTransferCoding }
            hasTransferCoding = true
        default: break
        }
    }

    /// The checks that need all fields.
    func check(minor: Int) throws(HTTPRequestFault) {
        if minor > 0, hosts == 0 { throw .malformed("missing required Host header") }
        if hosts > 1 { throw .malformed("too many Host headers") }
    }

    func framing(minor: Int) -> HTTPBodyFraming {
        if hasTransferCoding, minor > 0 { return .chunked }
        guard let contentLength, contentLength > 0 else { return .none }
        return .length(contentLength)
    }

    /// A request with both framings, or a coding in HTTP/1.0, may be an attempt to smuggle: nothing may follow it.
    func keepsAlive(minor: Int) -> Bool {
        if hasTransferCoding, contentLength != nil || minor == 0 { return false }
        if isClose { return false }
        return minor > 0 || isKeepAlive
    }

    private static func length(_ value: UnsafeRawBufferPointer) throws(HTTPRequestFault) -> Int {
        guard !value.isEmpty, value.count < 19 else { throw .malformed("bad Content-Length") }
        var length = 0
        for byte in value {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { throw .malformed("bad Content-Length") }
            length = length * 10 + Int(digit)
        }
        return length
    }

    /// Source: golang.org/x/net/http/httpguts (`ValidHostHeader`), which is as lenient.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        if byte &- 0x30 < 10 || HTTPSyntax.lowercase(byte) &- 0x61 < 26 { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "="),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"), UInt8(ascii: "~"):
            return true
        default: return false
        }
    }

    private func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            for index in 0..<wanted.count where HTTPSyntax.lowercase(bytes[index]) != wanted[index] { return false }
            return true
        }
    }

    private func trim(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var slice = bytes[...]
        while let first = slice.first, first == 0x20 || first == 0x09 { slice.removeFirst() }
        while let last = slice.last, last == 0x20 || last == 0x09 { slice.removeLast() }
        return UnsafeRawBufferPointer(rebasing: slice)
    }
}
