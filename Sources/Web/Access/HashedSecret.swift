internal import Crypto
internal import MetricModel

/// A password or token as a configuration file holds it: hashed. Never prints itself.
enum HashedSecret: Sendable, CustomStringConvertible {
    /// For passwords that people choose: slow to check.
    case bcrypt(BcryptHash)
    /// For long random tokens: checked at once.
    case sha256([UInt8])

    private static let prefix = "sha256:"

    /// Reads `$2y$…` or `sha256:` and 64 hexadecimal digits.
    /// - Throws: ``WebConfig/Invalid``, which does not show the text.
    init(_ text: String) throws(WebConfig.Invalid) {
        guard text.hasPrefix(Self.prefix) else {
            guard text.hasPrefix("$2") else {
                throw WebConfig.Invalid(
                    "a secret is a bcrypt hash ($2y$…) or sha256: and the 64 hexadecimal digits of its hash")
            }
            self = .bcrypt(try BcryptHash(text))
            return
        }
        let digits = Array(text.utf8.dropFirst(Self.prefix.utf8.count))
        let bytes = stride(from: 0, to: digits.count & ~1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
        }
        guard digits.count == 64, bytes.count == 32 else {
            throw WebConfig.Invalid("sha256: must be followed by 64 hexadecimal digits")
        }
        self = .sha256(bytes)
    }

    var description: String { "<secret>" }

    /// The SHA-256 hash of `bytes`.
    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Compares hashes in a time that does not depend on them.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
