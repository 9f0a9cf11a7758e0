internal import Crypto
internal import NIOPosix
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// Checks passwords against bcrypt hashes, away from the event loops, each pair once.
///
/// Verdicts are kept under a keyed hash of user, hash and password, each with its length, so that no two credentials
/// share an entry and no password stays in memory. Right ones are kept apart from wrong ones: a flood of wrong
/// passwords cannot push them out, and at most ``queueLimit`` checks wait at a time.
final class PasswordChecker: Sendable {
    enum Verdict: Sendable {
        case right
        case wrong
        /// Too many passwords wait to be checked.
        case busy
    }

    private struct Key: Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct State {
        var right: Set<Key> = []
        var wrong: Set<Key> = []
        var waiting: [Key: [@Sendable (Verdict) -> Void]] = [:]
    }

    private static let queueLimit = 64
    private static let cacheLimit = 1000

    private let secret = SymmetricKey(size: .bits256)
    private let state = Mutex(State())
    private let pool: NIOThreadPool

    /// A checker with threads of its own, of low priority: pushes come first. They start with the first check.
    init() {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        pool = NIOThreadPool(numberOfThreads: max(1, cores / 2))
    }

    /// What is known about a password without computing anything; nil if it was not checked before.
    func known(user: [UInt8], password: [UInt8], hash: BcryptHash) -> Verdict? {
        let key = key(user, password, hash)
        return state.withLock { state in
            if state.right.contains(key) { return .right }
            return state.wrong.contains(key) ? .wrong : nil
        }
    }

    /// Checks a password and calls `done` on some thread.
    /// - Parameter isDecoy: Whether the user is unknown: the check takes as long and never succeeds.
    func check(
        user: [UInt8], password: [UInt8], hash: BcryptHash, isDecoy: Bool, _ done: @escaping @Sendable (Verdict) -> Void
    ) {
        let key = key(user, password, hash)
        enum Next { case start, wait, refuse }
        let next: Next = state.withLock { state in
            if state.waiting[key] != nil {
                guard (state.waiting[key]?.count ?? 0) < 1000 else { return .refuse }
                state.waiting[key]?.append(done)
                return .wait
            }
            guard state.waiting.count < Self.queueLimit else { return .refuse }
            state.waiting[key] = [done]
            return .start
        }
        switch next {
        case .wait: break
        case .refuse: done(.busy)
        case .start:
            pool.start()
            pool.submit { [self] item in
                guard item == .active else { return settle(key, .busy) }
                _ = setpriority(__priority_which_t(0), 0, 10)
                settle(key, hash.matches(password) && !isDecoy ? .right : .wrong)
            }
        }
    }

    private func settle(_ key: Key, _ verdict: Verdict) {
        let waiting = state.withLock { state in
            switch verdict {
            case .right:
                if state.right.count >= Self.cacheLimit { state.right.removeFirst() }
                state.right.insert(key)
            case .wrong:
                if state.wrong.count >= Self.cacheLimit { state.wrong.removeFirst() }
                state.wrong.insert(key)
            case .busy: break
            }
            return state.waiting.removeValue(forKey: key) ?? []
        }
        for done in waiting { done(verdict) }
    }

    private func key(_ user: [UInt8], _ password: [UInt8], _ hash: BcryptHash) -> Key {
        var code = HMAC<SHA256>(key: secret)
        for field in [user, hash.bytes, password] {
            withUnsafeBytes(of: UInt64(field.count).littleEndian) { code.update(data: $0) }
            code.update(data: field)
        }
        return code.finalize().withUnsafeBytes {
            Key(high: $0.loadUnaligned(as: UInt64.self), low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
