internal import ByteCoding
internal import DurableFiles

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
            return "Basic " + Base64.encodeStandard(Array("\(name):\(password)".utf8))
        }
        return nil
    }

    /// The text of a file that holds a secret, without white space around it.
    static func read(_ path: String, _ what: String) throws(ScrapeFailure) -> String {
        do throws(SmallFile.Unreadable) {
            return String(decoding: try SmallFile.read(path), as: UTF8.self).trimmed
        } catch {
            throw ScrapeFailure("unable to read \(what) \(path): \(error)")
        }
    }
}
