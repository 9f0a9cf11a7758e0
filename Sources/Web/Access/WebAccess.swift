internal import ByteCoding
internal import DurableFiles
package import Logging
internal import Synchronization

/// The web configuration as it is now: read again when its file changes, without a restart.
package final class WebAccess: Sendable {
    /// One version of the file.
    struct Snapshot: Sendable {
        var config: WebConfig
        /// Each user's hash.
        var users: [String: BcryptHash]
        /// Checked for users that do not exist, at the price of one that does.
        var decoy: BcryptHash
    }

    private struct State {
        var stamp: FileStamp?
        var result: Result<Snapshot, WebConfig.Invalid>
    }

    /// The file.
    package let path: String
    private let logger: Logger
    private let state: Mutex<State>
    private let limiter: RateLimiter?
    private let passwords = PasswordChecker()

    /// Reads and checks the file, with the certificates that it names.
    /// - Throws: ``WebConfig/Invalid``.
    package init(path: String, logger: Logger) throws(WebConfig.Invalid) {
        self.path = path
        self.logger = logger
        let stamp = FileStamp(path: path)
        let snapshot = try Self.load(path)
        try TLSSession.validate(snapshot.config)
        state = Mutex(State(stamp: stamp, result: .success(snapshot)))
        let limit = snapshot.config.rateLimit
        limiter = limit.interval > .zero ? RateLimiter(interval: limit.interval, burst: limit.burst) : nil
    }

    /// The configuration now.
    package var config: WebConfig? { try? current().get().config }

    /// The configuration now, or why the file as it is now cannot be used.
    func current() -> Result<Snapshot, WebConfig.Invalid> {
        let stamp = FileStamp(path: path)
        if let stamp, let known = state.withLock({ stamp.isSame(as: $0.stamp) ? $0.result : nil }) { return known }
        let result: Result<Snapshot, WebConfig.Invalid>
        do throws(WebConfig.Invalid) {
            result = .success(try Self.load(path))
        } catch {
            result = .failure(error)
            logger.error("Unable to parse configuration", metadata: ["err": "\(error)"])
        }
        state.withLock { $0 = State(stamp: stamp, result: result) }
        return result
    }

    /// `service` behind the passwords, headers and limits of this configuration.
    package func guarding(_ service: any HTTPService) -> any HTTPService {
        GuardedService(access: self, service: service, limiter: limiter, passwords: passwords)
    }

    private static func load(_ path: String) throws(WebConfig.Invalid) -> Snapshot {
        let text: [UInt8]
        do throws(SmallFile.Unreadable) {
            text = try SmallFile.read(path)
        } catch {
            throw WebConfig.Invalid(error.description)
        }
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "" : String(path[..<$0]) } ?? "."
        let config = try WebConfig(text, directory: directory)
        try config.validateUsers()
        var users: [String: BcryptHash] = [:]
        for (user, hash) in config.users { users[user] = try BcryptHash(hash) }
        let cost = users.values.map(\.cost).max() ?? 10
        return Snapshot(config: config, users: users, decoy: BcryptHash(decoyWithCost: cost))
    }
}

/// A service behind a web configuration.
///
/// Source: prometheus/exporter-toolkit web/handler.go (`webHandler`).
struct GuardedService: HTTPService {
    let access: WebAccess
    let service: any HTTPService
    let limiter: RateLimiter?
    let passwords: PasswordChecker

    func admit(_ head: HTTPRequestHead) -> HTTPAdmission {
        let snapshot: WebAccess.Snapshot
        switch access.current() {
        case .success(let current): snapshot = current
        case .failure: return .refuse(.error(.internalServerError, "Internal Server Error"))
        }
        if let limiter, !limiter.allow() { return .refuse(.error(.tooManyRequests, "Too Many Requests")) }
        let fields = snapshot.config.headers
        if snapshot.users.isEmpty { return admitted(head, fields) }
        guard let (user, password) = BasicCredentials.parse(head) else { return refused(fields) }
        let hash = snapshot.users[String(decoding: user, as: UTF8.self)]
        switch passwords.known(user: user, password: password, hash: hash ?? snapshot.decoy) {
        case .right where hash != nil: return admitted(head, fields)
        case .right, .wrong, .busy: return refused(fields)
        case nil: break
        }
        return .wait { decide in
            passwords.check(user: user, password: password, hash: hash ?? snapshot.decoy, isDecoy: hash == nil) {
                verdict in
                switch verdict {
                case .right: decide(admitted(head, fields))
                case .wrong: decide(refused(fields))
                case .busy:
                    let text = "too many passwords are being checked; try again"
                    let response = HTTPResponse.error(
                        .tooManyRequests, text, fields: [HTTPField("Retry-After", "1")])
                    decide(.refuse(response.adding(fields)))
                }
            }
        }
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let fields = (try? access.current().get().config.headers) ?? []
        service.handle(request, fields.isEmpty ? responder : responder.adding(fields))
    }

    private func admitted(_ head: HTTPRequestHead, _ fields: [HTTPField]) -> HTTPAdmission {
        switch service.admit(head) {
        case .refuse(let response): .refuse(response.adding(fields))
        case .accept(let limit): .accept(bodyLimit: limit)
        case .wait(let start):
            .wait { decide in
                start { admission in
                    if case .refuse(let response) = admission {
                        decide(.refuse(response.adding(fields)))
                    } else {
                        decide(admission)
                    }
                }
            }
        }
    }

    private func refused(_ fields: [HTTPField]) -> HTTPAdmission {
        .refuse(
            HTTPResponse.error(.unauthorized, "Unauthorized", fields: [HTTPField("WWW-Authenticate", "Basic")]).adding(
                fields))
    }
}

/// `Authorization: Basic` (RFC 7617), as Go's `http.Request.BasicAuth` reads it.
enum BasicCredentials {
    static func parse(_ head: HTTPRequestHead) -> (user: [UInt8], password: [UInt8])? {
        guard let range = head.range(of: "authorization"), range.count > 6, range.count < 8192 else { return nil }
        let value = head.bytes[range]
        let scheme = value.prefix(6).map(HTTPSyntax.lowercase)
        guard scheme.elementsEqual("basic ".utf8), let decoded = Base64.decodeStandard(value.dropFirst(6)),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return (Array(decoded[..<colon]), Array(decoded[(colon + 1)...]))
    }
}

/// A token bucket: one request each `interval`, with bursts of up to `burst`.
///
/// Source: golang.org/x/time/rate (`Limiter.Allow`). A burst of 0 lets nothing through, as there.
final class RateLimiter: Sendable {
    private struct State {
        var tokens: Double
        var last: ContinuousClock.Instant
    }

    private let interval: Double
    private let burst: Double
    private let state: Mutex<State>

    init(interval: Duration, burst: Int) {
        let (seconds, attoseconds) = interval.components
        self.interval = Double(seconds) + Double(attoseconds) / 1e18
        self.burst = Double(burst)
        state = Mutex(State(tokens: Double(burst), last: .now))
    }

    func allow() -> Bool {
        let now = ContinuousClock.now
        return state.withLock { state in
            let (seconds, attoseconds) = (now - state.last).components
            let elapsed = Double(seconds) + Double(attoseconds) / 1e18
            state.last = now
            state.tokens = min(burst, state.tokens + elapsed / interval)
            guard state.tokens >= 1 else { return false }
            state.tokens -= 1
            return true
        }
    }
}
