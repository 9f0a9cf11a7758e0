internal import Gateway
internal import MetricModel
internal import YAML

/// The file behind `--gateway.access-file`: who may do what to which groups. What nobody is granted is refused.
///
///     health: open
///     anyone:
///       - rights: [read]
///     users:
///       - name: ci
///         password: $2y$10$…
///         grants:
///           - rights: [push, delete]
///             match: '{job=~"ci-.*"}'
///     tokens:
///       - name: prometheus
///         token: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
///         grants:
///           - rights: [read]
package struct AccessFile: Sendable {
    /// Some rights on some groups.
    struct Grant: Sendable {
        var rights: Set<GatewayRight> = []
        /// nil for all groups, and all that is not of a group.
        var selector: GroupSelector?
    }

    /// Someone with a secret.
    struct Principal: Sendable {
        var name = ""
        var secret: HashedSecret
        var grants: [Grant] = []
    }

    /// Whether `/-/healthy` and `/-/ready` need no credentials.
    private(set) var isHealthOpen = false
    /// What requests without credentials may do.
    private(set) var anyone: [Grant] = []
    /// By name.
    private(set) var users: [String: Principal] = [:]
    private(set) var tokens: [Principal] = []
    /// Checked for users that do not exist, at the price of one that does; nil if no user has a bcrypt hash.
    private(set) var decoy: BcryptHash?

    /// Reads a file strictly: unknown and repeated fields are errors.
    /// - Throws: `YAMLError`, whose texts never show a secret.
    package init(_ text: [UInt8]) throws {
        self = try YAMLDecoder.decode(text, empty: AccessFile()) { node, decoder throws(YAMLError) in
            try Self.read(node, decoder)
        }
    }

    private init() {}

    private static func read(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> AccessFile {
        var file = AccessFile()
        try decoder.fields(of: node, type: "access file") { name, value throws(YAMLError) in
            switch name {
            case "health":
                let text = try decoder.string(value)
                guard text == "open" || text == "closed" else {
                    throw .invalid("health is open or closed", line: value.line)
                }
                file.isHealthOpen = text == "open"
            case "anyone": file.anyone = try readGrants(value, decoder)
            case "users":
                for item in decoder.items(value, type: "[]user") {
                    let user = try readPrincipal(item, secret: "password", decoder)
                    guard file.users.updateValue(user, forKey: user.name) == nil else {
                        throw .invalid("user \(quoted(user.name)) is there twice", line: item.line)
                    }
                }
            case "tokens":
                for item in decoder.items(value, type: "[]token") {
                    file.tokens.append(try readPrincipal(item, secret: "token", decoder))
                }
            default: return false
            }
            return true
        }
        let costs = file.users.values.compactMap { user in
            if case .bcrypt(let hash) = user.secret { hash.cost } else { nil }
        }
        file.decoy = costs.max().map { BcryptHash(decoyWithCost: $0) }
        return file
    }

    private static func readPrincipal(
        _ node: YAMLNode, secret field: String, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> Principal {
        var name = ""
        var secret: HashedSecret?
        var grants: [Grant] = []
        try decoder.fields(of: node, type: field == "token" ? "token" : "user") { key, value throws(YAMLError) in
            switch key {
            case "name": name = try decoder.string(value)
            case field:
                let text = try decoder.string(value)
                do throws(WebConfig.Invalid) {
                    secret = try HashedSecret(text)
                } catch {
                    throw .invalid("\(field): \(error)", line: value.line)
                }
            case "grants": grants = try readGrants(value, decoder)
            default: return false
            }
            return true
        }
        guard !name.isEmpty else { throw .invalid("a name is missing", line: node.line) }
        guard let secret else { throw .invalid("\(quoted(name)) has no \(field)", line: node.line) }
        return Principal(name: name, secret: secret, grants: grants)
    }

    private static func readGrants(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> [Grant] {
        var grants: [Grant] = []
        for item in decoder.items(node, type: "[]grant") {
            var grant = Grant()
            try decoder.fields(of: item, type: "grant") { name, value throws(YAMLError) in
                switch name {
                case "rights":
                    for text in try decoder.strings(value, type: "[]right") {
                        guard let right = GatewayRight(rawValue: text), GatewayRight.grantable.contains(right) else {
                            throw .invalid(
                                "unknown right \(quoted(text)): expected "
                                    + GatewayRight.grantable.map(\.rawValue).joined(separator: ", "), line: value.line)
                        }
                        grant.rights.insert(right)
                    }
                case "match":
                    let text = try decoder.string(value)
                    do throws(InvalidWish) {
                        grant.selector = try GroupSelector(text: text)
                    } catch {
                        throw .invalid(error.description, line: value.line)
                    }
                default: return false
                }
                return true
            }
            grants.append(grant)
        }
        return grants
    }

    private static func quoted(_ text: String) -> String { Quoting.quote(ByteString(text)) }
}

extension GatewayRight {
    /// The rights that a file can grant.
    static let grantable: [GatewayRight] = [.push, .read, .delete, .admin]
}
