/// The Authorization header that a configuration asks for.
enum Credentials {
    /// The header's value, or nil where the configuration names none of its own.
    /// - Throws: `ScrapeFailure` if a file cannot be read.
    static func header(_ configuration: HTTPClientConfiguration) throws(ScrapeFailure) -> String? {
        if let authorization = configuration.authorization {
            let credentials =
                authorization.credentialsFile.isEmpty
                ? authorization.credentials.revealed
                : try read(authorization.credentialsFile, "authorization credentials file")
            return credentials.isEmpty ? authorization.type : "\(authorization.type) \(credentials)"
        }
        if let basic = configuration.basicAuthentication {
            let name =
                basic.usernameFile.isEmpty ? basic.username : try read(basic.usernameFile, "basic auth username file")
            let password =
                basic.passwordFile.isEmpty
                ? basic.password.revealed : try read(basic.passwordFile, "basic auth password file")
            return "Basic " + base64(Array("\(name):\(password)".utf8))
        }
        return nil
    }

    /// The text of a file that holds a secret, without white space around it.
    static func read(_ path: String, _ what: String) throws(ScrapeFailure) -> String {
        do throws(ConfigurationError) {
            return String(decoding: try TextFile.read(path), as: UTF8.self).trimmed
        } catch {
            throw ScrapeFailure("unable to read \(what) \(path): \(error)")
        }
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                result.append(
                    place <= group.count ? digits[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
