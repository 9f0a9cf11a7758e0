internal import Gateway
package import Logging
internal import MetricModel
internal import Synchronization

/// The gateway behind an access file: every request needs a right, and what nobody is granted is refused.
///
/// A request without credentials, or with wrong ones, is answered 401; one whose sender may not do this, 403. Paths that
/// the gateway does not serve need the right `admin`, so that they tell strangers nothing.
package final class AccessGuard: HTTPService {
    /// Who sent a request.
    private enum Sender {
        case known(name: String, grants: [AccessFile.Grant])
        /// Wrong credentials, or some that cannot be read.
        case unknown
        /// Too many passwords are being checked.
        case busy
    }

    private let gateway: GatewayService
    private let current: @Sendable () -> AccessFile
    private let reread: @Sendable () -> Void
    private let passwords = PasswordChecker()
    private let logger: Logger

    /// Reads the file at `path`.
    /// - Throws: Why it cannot be used.
    package init(path: String, guarding gateway: GatewayService, logger: Logger) throws {
        let file = try WatchedFile(path, content: "access file", logger: logger) { try AccessFile($0) }
        current = { file.value }
        reread = { _ = file.refresh() }
        self.gateway = gateway
        self.logger = logger
    }

    /// A guard by a file that does not change.
    package init(_ file: AccessFile, guarding gateway: GatewayService, logger: Logger) {
        current = { file }
        reread = {}
        self.gateway = gateway
        self.logger = logger
    }

    /// Reads the file again if it has changed. Call it about once a second, not on an event loop's thread.
    package func refresh() { reread() }

    package func admit(_ head: HTTPRequestHead) -> HTTPAdmission {
        if isOpen(head) { return gateway.admit(head) }
        if let sender = knownSender(head) { return decision(head, sender) }
        return .wait { [self] decide in
            checkSender(head) { sender in decide(self.decision(head, sender)) }
        }
    }

    package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if isOpen(request.head) { return gateway.handle(request, responder) }
        if let sender = knownSender(request.head) { return handle(request, sender, responder) }
        // The verdict was forgotten since the head was admitted.
        checkSender(request.head) { [self] sender in
            responder.eventLoop.execute { self.handle(request, sender, responder) }
        }
    }

    private func handle(_ request: HTTPRequest, _ sender: Sender, _ responder: HTTPResponder) {
        // The file may have changed since the head was admitted.
        switch verdict(request.head, sender) {
        case .refuse(let response): responder.complete(response)
        case .allow(let scope):
            var request = request
            request.scope = scope
            gateway.handle(request, responder)
        }
    }

    // MARK: Rights

    private enum Verdict {
        case allow(AccessScope)
        case refuse(HTTPResponse)
    }

    private func isOpen(_ head: HTTPRequestHead) -> Bool {
        switch gateway.claim(head)?.right {
        case .open: true
        case .health: current().isHealthOpen
        default: false
        }
    }

    private func decision(_ head: HTTPRequestHead, _ sender: Sender) -> HTTPAdmission {
        switch verdict(head, sender) {
        case .refuse(let response): .refuse(response)
        case .allow: gateway.admit(head)
        }
    }

    private func verdict(_ head: HTTPRequestHead, _ sender: Sender) -> Verdict {
        let name: String
        let grants: [AccessFile.Grant]
        switch sender {
        case .busy:
            return .refuse(
                .error(
                    .tooManyRequests, "too many passwords are being checked; try again",
                    fields: [HTTPField("Retry-After", "1")]))
        case .unknown: return .refuse(Self.unauthorized)
        case .known(let found, let theirs): (name, grants) = (found, theirs)
        }
        let claim = gateway.claim(head) ?? GatewayClaim(right: .admin, reach: .none)
        if let scope = Self.scope(claim, grants) { return .allow(scope) }
        if name.isEmpty, head.range(of: "authorization") == nil { return .refuse(Self.unauthorized) }
        let reason = "\(name) may not \(Self.action(claim))"
        logger.warning("access refused", metadata: ["source": "\(head.source)", "err": "\(reason)"])
        return .refuse(.error(.forbidden, reason))
    }

    /// Which groups the grants give for a claim; nil if they do not give it.
    private static func scope(_ claim: GatewayClaim, _ grants: [AccessFile.Grant]) -> AccessScope? {
        let right: GatewayRight = claim.right == .health ? .read : claim.right
        let fitting = grants.filter { $0.rights.contains(right) }
        if fitting.isEmpty { return nil }
        if fitting.contains(where: { $0.selector == nil }) { return .everything }
        let selectors = fitting.compactMap(\.selector)
        switch claim.reach {
        case .everything: return nil
        case .group(let key): return selectors.contains { $0.selects(key) } ? .groups(selectors) : nil
        case .none, .groups: return .groups(selectors)
        }
    }

    private static func action(_ claim: GatewayClaim) -> String {
        let verb =
            switch claim.right {
            case .push: "push"
            case .read, .health, .open: "read"
            case .delete: "delete"
            case .admin: "do this, which needs the right admin"
            }
        switch claim.reach {
        case .group(let key): return verb + (claim.right == .push ? " to" : "") + " group \(key)"
        case .everything: return verb + (claim.right == .admin ? "" : " all groups")
        case .none, .groups: return verb
        }
    }

    private static let unauthorized = HTTPResponse.error(
        .unauthorized, "Unauthorized",
        fields: [HTTPField("WWW-Authenticate", "Basic realm=\"narthex\", Bearer realm=\"narthex\"")])

    // MARK: Credentials

    private enum Credentials {
        case none
        case password(user: [UInt8], password: [UInt8])
        case token([UInt8])
        case unreadable
    }

    private static func credentials(_ head: HTTPRequestHead) -> Credentials {
        guard let range = head.range(of: "authorization") else { return .none }
        if let (user, password) = BasicCredentials.parse(head) { return .password(user: user, password: password) }
        let value = head.bytes[range]
        guard value.count > 7, value.count < 8192,
            value.prefix(7).map(HTTPSyntax.lowercase).elementsEqual("bearer ".utf8)
        else { return .unreadable }
        return .token(Array(value.dropFirst(7).drop { $0 == UInt8(ascii: " ") }))
    }

    /// The bcrypt hashes that a request's credentials may fit, in turn; the last may be a decoy.
    private struct Candidates {
        var user: [UInt8]
        var password: [UInt8]
        var hashes: [(hash: BcryptHash, principal: AccessFile.Principal?)]
    }

    /// The sender, if it takes no slow check to know.
    private func knownSender(_ head: HTTPRequestHead) -> Sender? {
        let (sender, candidates) = quickSender(head)
        guard let candidates else { return sender }
        for candidate in candidates.hashes {
            switch passwords.known(user: candidates.user, password: candidates.password, hash: candidate.hash) {
            case .right:
                return candidate.principal.map { .known(name: $0.name, grants: $0.grants) } ?? .unknown
            case .wrong: continue
            case .busy, nil: return nil
            }
        }
        return .unknown
    }

    private func quickSender(_ head: HTTPRequestHead) -> (Sender?, Candidates?) {
        let file = current()
        switch Self.credentials(head) {
        case .none: return (.known(name: "", grants: file.anyone), nil)
        case .unreadable: return (.unknown, nil)
        case .password(let user, let password):
            let principal = file.users[String(decoding: user, as: UTF8.self)]
            if case .sha256(let digest) = principal?.secret {
                guard let principal, HashedSecret.areEqual(HashedSecret.digest(password), digest) else {
                    return (.unknown, nil)
                }
                return (.known(name: principal.name, grants: principal.grants), nil)
            }
            if case .bcrypt(let hash) = principal?.secret {
                return (nil, Candidates(user: user, password: password, hashes: [(hash, principal)]))
            }
            guard let decoy = file.decoy else { return (.unknown, nil) }
            return (nil, Candidates(user: user, password: password, hashes: [(decoy, nil)]))
        case .token(let token):
            let digest = HashedSecret.digest(token)
            var found: AccessFile.Principal?
            var hashes: [(hash: BcryptHash, principal: AccessFile.Principal?)] = []
            // All are looked at, whichever fits: the time tells nothing.
            for principal in file.tokens {
                switch principal.secret {
                case .sha256(let wanted): if HashedSecret.areEqual(digest, wanted) { found = principal }
                case .bcrypt(let hash): hashes.append((hash, principal))
                }
            }
            if let found { return (.known(name: found.name, grants: found.grants), nil) }
            guard !hashes.isEmpty else { return (.unknown, nil) }
            return (nil, Candidates(user: Array("token".utf8), password: token, hashes: hashes))
        }
    }

    /// Checks passwords one after the other, and calls `done` on some thread.
    private func checkSender(_ head: HTTPRequestHead, _ done: @escaping @Sendable (Sender) -> Void) {
        let (sender, candidates) = quickSender(head)
        guard let candidates else { return done(sender ?? .unknown) }
        check(candidates, done)
    }

    private func check(_ candidates: Candidates, _ done: @escaping @Sendable (Sender) -> Void) {
        guard let first = candidates.hashes.first else { return done(.unknown) }
        var rest = candidates
        rest.hashes.removeFirst()
        let next = rest
        passwords.check(
            user: candidates.user, password: candidates.password, hash: first.hash, isDecoy: first.principal == nil
        ) { [self] verdict in
            switch verdict {
            case .right: done(first.principal.map { .known(name: $0.name, grants: $0.grants) } ?? .unknown)
            case .wrong: check(next, done)
            case .busy: done(.busy)
            }
        }
    }
}
