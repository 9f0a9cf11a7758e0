import ByteCoding
import FuzzBodies
import Gateway
import MetricModel
import NIOCore
import NIOEmbedded
import Web

/// What the fuzzer of HTTP requests does with an input.
package enum FuzzHTTPBody {
    /// The first byte chooses what the rest is: the bytes of a connection, a path to push to, or a query.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = input.dropFirst()
        switch choice % 4 {
        case 0, 1: try connection(Array(body), piece: Int(choice >> 2) + 1)
        case 2: try path(Array(body))
        default: try query(body)
        }
    }

    // MARK: Connections

    /// Answers with what it was sent.
    private struct Echo: HTTPService {
        func admit(_ head: HTTPRequestHead) -> HTTPAdmission { .accept(bodyLimit: 4096) }

        func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
            let path = request.head.rawPath
            var bytes = Array(path) + (request.head.rawQuery.map(Array.init) ?? [])
            bytes += request.body.readableBytesView
            for value in request.head.values(of: "x") { bytes += value.utf8 }
            responder.complete(HTTPResponse(.ok, fields: [HTTPField("X", "\(path.count)")], body: .bytes(bytes)))
        }
    }

    /// However the bytes are cut, the same requests are understood and the same answers sent.
    private static func connection(_ bytes: [UInt8], piece: Int) throws {
        let whole = answers(bytes, piece: max(1, bytes.count))
        let cut = answers(bytes, piece: piece)
        // What follows a refused request is not read: cut off earlier, it is the same answer.
        try hold(
            whole == cut, "\(String(decoding: whole, as: UTF8.self))\n---\n\(String(decoding: cut, as: UTF8.self))")
    }

    private static func answers(_ bytes: [UInt8], piece: Int) -> [UInt8] {
        let channel = EmbeddedChannel()
        let handler = HTTPServer.connectionHandler(Echo(), limits: HTTPLimits(), on: channel.eventLoop)
        try? channel.pipeline.syncOperations.addHandler(handler)
        channel.pipeline.fireChannelActive()
        var position = 0
        while position < bytes.count {
            let end = min(bytes.count, position + piece)
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[position..<end]))
            position = end
            channel.embeddedEventLoop.run()
        }
        var output: [UInt8] = []
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { output += part.readableBytesView }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return comparable(output)
    }

    /// Without the time, and without `100 Continue`, which is not sent to who did not wait for it.
    private static func comparable(_ output: [UInt8]) -> [UInt8] {
        let lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var kept: [UInt8] = []
        var isBehindContinue = false
        for line in lines {
            defer { isBehindContinue = line.starts(with: "HTTP/1.1 100 ".utf8) }
            if line.starts(with: "Date: ".utf8) || line.starts(with: "HTTP/1.1 100 ".utf8) || isBehindContinue {
                continue
            }
            kept += line + [UInt8(ascii: "\n")]
        }
        return kept
    }

    // MARK: Paths

    /// A path that names a group is written and read back as the same group.
    private static func path(_ bytes: [UInt8]) throws {
        var table = RouteTable<Bool>()
        table.add(.put, .part(prefix: Array("/metrics/job/".utf8)), false)
        table.add(.put, .part(prefix: Array("/metrics/job@base64/".utf8)), true)
        if let cleaned = PathRules.cleaned(bytes[...]) { try hold(PathRules.cleaned(cleaned[...]) == nil) }
        guard let decoded = PercentCoding.decode(bytes[...]), case .found(let hit) = table.find(.put, Array(decoded))
        else { return }
        let path = Array(decoded)
        for allowsUTF8 in [false, true] {
            guard
                let key = try? PushTarget.group(
                    job: path[hit.part], isBase64: hit.handler, rest: path[hit.rest], allowsUTF8: allowsUTF8)
            else { continue }
            // A name that begins with `U__` once its escapes are taken away would lose them again.
            if allowsUTF8, key.labels.contains(where: { $0.name.bytes.starts(with: "U__".utf8) }) { continue }
            try hold(again(key, allowsUTF8) == key, "\(key)")
        }
    }

    private static func again(_ key: GroupingKey, _ allowsUTF8: Bool) -> GroupingKey? {
        var table = RouteTable<Bool>()
        table.add(.put, .part(prefix: Array("/job/".utf8)), false)
        table.add(.put, .part(prefix: Array("/job@base64/".utf8)), true)
        guard let path = PercentCoding.decode(Array(("/" + PushPath.text(key)).utf8)[...]),
            case .found(let hit) = table.find(.put, Array(path))
        else { return nil }
        let bytes = Array(path)
        return try? PushTarget.group(
            job: bytes[hit.part], isBase64: hit.handler, rest: bytes[hit.rest], allowsUTF8: allowsUTF8)
    }

    // MARK: Queries

    private static func query(_ body: ArraySlice<UInt8>) throws {
        let parameters = QueryParameters(body)
        for (name, value) in parameters.pairs {
            try hold(parameters.all(name).contains(value))
            _ = try? GroupSelector(text: value)
            if let lifetime = try? Lifetime(text: value) {
                try hold((try? Lifetime(text: lifetime.text)) == lifetime, lifetime.text)
            }
            _ = try? GaugeRule(text: value)
        }
    }
}
