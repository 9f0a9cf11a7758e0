internal import CCrypt

/// A password hash in the form of bcrypt, `$2y$10$` and 53 characters.
///
/// As golang.org/x/crypto/bcrypt, every minor version is computed by the correct algorithm, and only the first 72 bytes
/// of a password count.
struct BcryptHash: Sendable, Hashable {
    /// Rounds are two to the power of this; 4 to 31.
    let cost: Int
    private let text: [UInt8]
    /// Where the 22 characters of the salt begin.
    private let saltStart: Int

    /// Reads a hash.
    /// - Throws: ``WebConfig/Invalid`` with the message of golang.org/x/crypto/bcrypt.
    init(_ hash: String) throws(WebConfig.Invalid) {
        let text = Array(hash.utf8)
        guard text.count >= 59 else {
            throw WebConfig.Invalid("crypto/bcrypt: hashedSecret too short to be a bcrypted password")
        }
        guard text[0] == UInt8(ascii: "$") else {
            throw WebConfig.Invalid(
                "crypto/bcrypt: bcrypt hashes must start with '$', but hashedSecret started with "
                    + "'\(Character(UnicodeScalar(text[0])))'")
        }
        guard text[1] <= UInt8(ascii: "2") else {
            throw WebConfig.Invalid(
                "crypto/bcrypt: bcrypt algorithm version '\(Character(UnicodeScalar(text[1])))' requested is newer "
                    + "than current version '2'")
        }
        let start = text[2] == UInt8(ascii: "$") ? 3 : 4
        guard let cost = Int(String(decoding: text[start..<(start + 2)], as: UTF8.self)) else {
            throw WebConfig.Invalid("crypto/bcrypt: the cost of a hash is not a number")
        }
        guard (4...31).contains(cost) else {
            throw WebConfig.Invalid("crypto/bcrypt: cost \(cost) is outside allowed inclusive range 4..31")
        }
        self.cost = cost
        self.text = text
        saltStart = start + 3
    }

    /// A hash that belongs to no password but costs as much to check as a real one of that cost.
    init(decoyWithCost cost: Int) {
        self.cost = min(max(cost, 4), 31)
        let digits = self.cost < 10 ? "0\(self.cost)" : "\(self.cost)"
        text = Array("$2b$\(digits)$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".utf8)
        saltStart = 7
    }

    /// The hash as it was written.
    var bytes: [UInt8] { text }

    /// Whether `password` is the one that was hashed. Takes milliseconds to seconds of one core, by the cost.
    func matches(_ password: [UInt8]) -> Bool {
        guard !password.contains(0), text.count == saltStart + 53 else { return false }
        let digits = cost < 10 ? "0\(cost)" : "\(cost)"
        var setting = Array("$2b$\(digits)$".utf8)
        setting += text[saltStart..<(saltStart + 22)]
        setting.append(0)
        guard let computed = Self.crypt(password + [0], setting), computed.count == 60 else { return false }
        return Self.areEqual(computed[29...], text[(saltStart + 22)...])
    }

    private static func crypt(_ phrase: [UInt8], _ setting: [UInt8]) -> [UInt8]? {
        // The scratch area is 32 KiB: too much for the stack of a small thread.
        let scratch = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer { scratch.deallocate() }
        // SAFETY: `crypt_r` wants the area zeroed; both texts end in a zero byte; the result lies in the area and is
        // copied before it is freed.
        UnsafeMutableRawPointer(scratch).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<crypt_data>.size)
        return phrase.withUnsafeBytes { phrase in
            setting.withUnsafeBytes { setting in
                guard let first = phrase.bindMemory(to: CChar.self).baseAddress,
                    let second = setting.bindMemory(to: CChar.self).baseAddress,
                    let result = crypt_r(first, second, scratch)
                else { return nil }
                return Array(String(cString: result).utf8)
            }
        }
    }

    /// Compares in a time that depends on the lengths only.
    private static func areEqual(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
