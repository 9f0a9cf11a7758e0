public import AsyncHTTPClient
internal import ByteCoding
internal import Glibc
internal import NIOCore
internal import NIOHTTP1

/// A gateway (Narthex or Pushgateway) that metrics are pushed to.
public struct PushGateway: Sendable {
    /// How pushed families meet those that the group already has.
    public enum Mode: String, Sendable {
        /// The group holds what was pushed and nothing else (`PUT`).
        case replaceGroup = "PUT"
        /// Families of the same name are replaced, others kept (`POST`).
        case replaceFamilies = "POST"
        /// Values are added to those stored, by the rules of each type (`PATCH`; Pushgateway does not know it).
        case accumulate = "PATCH"
    }

    /// What a body is written in.
    public enum Format: String, Sendable {
        /// The text format 0.0.4.
        case text = "text/plain; version=0.0.4; charset=utf-8"
        /// Length-delimited protobuf messages.
        case protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    }

    /// Who asks.
    public enum Credentials: Sendable {
        case none
        case basic(user: String, password: String)
        case bearer(token: String)
    }

    /// Why a request failed.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// The gateway answered and said no; the request will not succeed by repeating it unless `isRetriable`.
        case refused(status: Int, message: String, isRetriable: Bool)
        /// No answer: the network, TLS or a time-out.
        case unreachable(String)

        /// Whether the same request may succeed later.
        public var isRetriable: Bool {
            switch self {
            case .refused(_, _, let isRetriable): isRetriable
            case .unreachable: true
            }
        }

        /// What happened, for a log.
        public var description: String {
            switch self {
            case .refused(let status, let message, _): "the gateway answered \(status): \(message)"
            case .unreachable(let reason): "the gateway could not be reached: \(reason)"
            }
        }
    }

    /// The base address, such as `http://localhost:9091`, without a slash at the end.
    public let url: String
    private let credentials: Credentials
    private let client: HTTPClient
    private let timeout: TimeAmount

    /// The gateway at `url`, asked through `client`, which the caller shuts down.
    /// - Parameter timeoutSeconds: For one whole request.
    public init(url: String, credentials: Credentials = .none, client: HTTPClient, timeoutSeconds: Int64 = 10) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.credentials = credentials
        self.client = client
        self.timeout = .seconds(timeoutSeconds)
    }

    /// Pushes `body`.
    /// - Parameters:
    ///   - lifetime: How long the gateway keeps the group: `15m`, `forever`, `until-scraped`; nil for as it is configured.
    ///     Pushgateway takes no notice of it.
    ///   - idempotencyKey: Names the request: repeated with the same name it has its effect once. Visible ASCII.
    ///     Pushgateway takes no notice of it.
    /// - Throws: ``Failure``.
    public func push(
        _ body: [UInt8], format: Format = .text, key: JobKey, mode: Mode = .replaceFamilies, lifetime: String? = nil,
        idempotencyKey: String? = nil
    ) async throws {
        try await push(body, format, mode, target: Self.target(key, lifetime: lifetime), idempotencyKey)
    }

    /// Delivers a push that a spool kept.
    /// - Throws: ``Failure``.
    public func deliver(_ entry: Spool.Entry) async throws {
        try await push(entry.body, .text, entry.mode, target: entry.target, entry.idempotencyKey)
    }

    private func push(
        _ body: [UInt8], _ format: Format, _ mode: Mode, target: String, _ idempotencyKey: String?
    ) async throws {
        var headers = [("Content-Type", format.rawValue)]
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        _ = try await request(HTTPMethod(rawValue: mode.rawValue), target, headers: headers, body: body)
    }

    /// The path of a push, with its query.
    package static func target(_ key: JobKey, lifetime: String?) -> String {
        guard let lifetime else { return key.path }
        return key.path + "?lifetime=" + PercentCoding.encode(lifetime.utf8)
    }

    /// Deletes the group of `key`; one that is not there is no error.
    /// - Throws: ``Failure``.
    public func delete(_ key: JobKey) async throws {
        _ = try await request(.DELETE, key.path, headers: [], body: nil)
    }

    /// Deletes what `path`, which begins with a slash and may have a query, stands for.
    /// - Returns: The answer's body.
    /// - Throws: ``Failure``.
    public func delete(path: String) async throws -> [UInt8] {
        try await request(.DELETE, path, headers: [("Accept", "application/json")], body: nil)
    }

    /// Asks for `path`, which begins with a slash and may have a query.
    /// - Returns: The body, at most 256 MiB.
    /// - Throws: ``Failure``.
    public func get(_ path: String) async throws -> [UInt8] {
        try await request(.GET, path, headers: [("Accept", "application/json")], body: nil)
    }

    private func request(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)], body: [UInt8]?
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.headers.add(name: "User-Agent", value: "narthex")
        switch credentials {
        case .none: break
        case .basic(let user, let password): request.setBasicAuth(username: user, password: password)
        case .bearer(let token): request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            let response = try await client.execute(request, timeout: timeout)
            let limit = (200..<300).contains(response.status.code) ? 256 << 20 : 64 << 10
            let answer = Array(buffer: try await response.body.collect(upTo: limit))
            guard (200..<300).contains(response.status.code) else {
                let text = String(decoding: answer.prefix(2000), as: UTF8.self)
                throw Failure.refused(
                    status: Int(response.status.code),
                    message: text.isEmpty ? response.status.reasonPhrase : Self.trimmed(text),
                    isRetriable: [408, 425, 429, 500, 502, 503, 504].contains(response.status.code))
            }
            return answer
        } catch let failure as Failure {
            throw failure
        } catch let error as IOError {
            throw Failure.unreachable("\(url): \(String(cString: strerror(error.errnoCode)))")
        } catch {
            throw Failure.unreachable("\(url): \(error)")
        }
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
