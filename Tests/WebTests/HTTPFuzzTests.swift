import ByteCoding
import Gateway
import MetricModel
import TestSupport
import Testing
import Web

#if canImport(Glibc)
import Glibc
#endif

/// Heads, paths and group names as nobody should send them: whatever comes, there is an answer, and what is read lies
/// within what was sent. `NARTHEX_FUZZ_ROUNDS` sets how many are tried for each seed.
@Suite struct HTTPFuzzTests {
    private static let rounds = getenv("NARTHEX_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 4000

    private static let heads = [
        "PUT /metrics/job/a/l/v HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
        "POST /metrics/job@base64/YQ==/l@base64/w4k?x=%20 HTTP/1.0\r\nConnection: keep-alive\r\nAccept: a\r\n\r\n",
        "GET http://u:p@host:1/metrics?match[]=x HTTP/1.1\r\nHost: [::1]:9\r\nTransfer-Encoding: chunked\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:\r\nExpect: 100-continue\r\nContent-Type: text/plain; a=\"b\"\r\n\r\n",
    ]

    private static let paths = [
        "/metrics/job/a", "/metrics/job/a/l/v", "/metrics/job@base64/YQ/l@base64/=", "/metrics/job/U__a_2e_b/U___2e_/x",
        "//metrics/../metrics/./job/%2F/", "/api/v1/metrics", "/-/ready", "/static/../x", "/metrics/job//l/",
    ]

    /// Changes, drops, doubles or inserts a few bytes.
    private static func mutated(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        let special = Array("\r\n\t :/%=@_?*\"\u{0}\u{7F}aZ09é".utf8) + [0xFF, 0x80]
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let position = Int.random(in: 0...bytes.count, using: &random)
            let byte = special[Int.random(in: 0..<special.count, using: &random)]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.insert(byte, at: position)
            case 1 where position < bytes.count: bytes[position] = byte
            case 2 where position < bytes.count: bytes.remove(at: position)
            default: bytes.insert(contentsOf: bytes[..<(bytes.count - bytes.count / 2)], at: position)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<6 as Range<UInt64>) func `heads are read or refused`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<Self.rounds {
            let bytes = Self.mutated(Self.heads[round % Self.heads.count], &random)
            do throws(HTTPRequestFault) {
                let head = try HTTP1Head(parsing: bytes).head
                #expect(head.target.lowerBound >= 0 && head.target.upperBound <= head.bytes.count)
                _ = head.rawPath.count + (head.rawQuery?.count ?? 0)
                _ = head.values(of: "accept")
                #expect(PercentCoding.decode(head.rawPath) != nil)
                if let cleaned = PathRules.cleaned(head.rawPath) { #expect(PathRules.cleaned(cleaned[...]) == nil) }
            } catch {
                #expect(error.answer.hasPrefix("HTTP/1.1 "))
            }
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `paths find a route, a redirect or nothing, and groups a key or a reason`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        var table = RouteTable<Int>()
        table.add(.put, .part(prefix: Array("/metrics/job/".utf8)), 0)
        table.add(.put, .part(prefix: Array("/metrics/job@base64/".utf8)), 1)
        table.add(.put, .exact(Array("/api/v1/metrics".utf8)), 2)
        table.add(.put, .below(prefix: Array("/static".utf8)), 3)
        for round in 0..<Self.rounds {
            let path = Self.mutated(Self.paths[round % Self.paths.count], &random)
            guard case .found(let hit) = table.find(.put, path), hit.handler < 2 else { continue }
            #expect(hit.part.upperBound <= hit.rest.lowerBound && hit.rest.upperBound <= path.count)
            for allowsUTF8 in [false, true] {
                do throws(PushTarget.Invalid) {
                    let key = try PushTarget.group(
                        job: path[hit.part], isBase64: hit.handler == 1, rest: path[hit.rest], allowsUTF8: allowsUTF8)
                    #expect(key["job"]?.isEmpty == false)
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }
}
