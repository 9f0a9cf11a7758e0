package import MetricModel
internal import YAML

/// Targets that belong together and share labels.
///
/// Source: prometheus/prometheus discovery/targetgroup.
package struct TargetGroup: Sendable, Hashable {
    /// Which group of its discovery this is.
    package var source: String
    /// One label set for each target, `__address__` among them.
    package var targets: [Labels]
    /// Given to all targets.
    package var labels: Labels

    /// A group; one without targets says that the source has none any more.
    package init(source: String, targets: [Labels] = [], labels: Labels = .empty) {
        self.source = source
        self.targets = targets
        self.labels = labels
    }

    static let address: ByteString = "__address__"

    /// Reads `{targets: […], labels: {…}}`.
    init(_ node: YAMLNode, _ decoder: YAMLDecoder, source: String) throws(YAMLError) {
        var addresses: [Labels] = []
        var labels: [(name: ByteString, value: ByteString)] = []
        try decoder.fields(of: node, type: Self.goType) { key, value throws(YAMLError) in
            switch key {
            case "targets":
                addresses = []
                for item in decoder.items(value, type: "[]string") {
                    addresses.append(Labels([(Self.address, try decoder.bytes(item))]))
                }
            case "labels":
                labels = try decoder.labels(value, type: "model.LabelSet", valueType: "model.LabelValue")
                for label in labels where !NameValidation.utf8.isLabelName(label.name) {
                    throw .invalid("\(Quoting.quote(label.name)) is not a valid label name", line: value.line)
                }
            default: return false
            }
            return true
        }
        self.init(source: source, targets: addresses, labels: Labels(labels))
    }

    /// How go-yaml names the type it reads a group into.
    static let goType = #"struct { Targets []string "yaml:\"targets\""; Labels model.LabelSet "yaml:\"labels\"" }"#

    var yaml: YAMLValue {
        var fields = YAMLFields()
        fields.set("targets", .sequence(targets.map { .text($0[Self.address] ?? "") }))
        fields.labels("labels", labels)
        return fields.mapping
    }
}

/// Where targets come from.
package enum DiscoveryConfiguration: Sendable, Hashable {
    case fixed([TargetGroup])
    case file(FileDiscoveryConfiguration)
    case http(HTTPDiscoveryConfiguration)
    case dns(DNSDiscoveryConfiguration)

    /// The kinds of Prometheus that this version does not have.
    static let unsupportedKinds: Set<String> = [
        "aws", "azure", "consul", "digitalocean", "docker", "dockerswarm", "ec2", "ecs", "elasticache", "eureka", "gce",
        "hetzner", "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon", "msk", "nerve", "nomad", "oci",
        "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton", "uyuni",
        "vultr", "xds",
    ]

    /// The place of the kind among the others, by its key.
    var rank: Int {
        switch self {
        case .dns: 0
        case .file: 1
        case .http: 2
        case .fixed: 3
        }
    }

    mutating func setDirectory(_ directory: String) {
        switch self {
        case .fixed, .dns: break
        case .file(var file):
            file.files = file.files.map { FilePath.joined(directory, $0) }
            self = .file(file)
        case .http(var http):
            http.client.setDirectory(directory)
            self = .http(http)
        }
    }
}

/// Targets in files that may change.
package struct FileDiscoveryConfiguration: Sendable, Hashable {
    /// Paths, whose last part may hold `*`.
    package var files: [String] = []
    /// `refresh_interval`: how often files are read even if nothing tells that they changed.
    package var refreshInterval = PrometheusDuration.seconds(300)

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = FileDiscoveryConfiguration()
        let fits = try decoder.fields(of: node, type: "file.plain") { key, value throws(YAMLError) in
            switch key {
            case "files": read.files = try decoder.strings(value)
            case "refresh_interval": read.refreshInterval = try decoder.duration(value)
            default: return false
            }
            return true
        }
        self = read
        guard fits else { return }
        guard !files.isEmpty else {
            throw .invalid("file service discovery config must contain at least one path name", line: node.line)
        }
        for file in files where !Self.isValid(file) {
            throw .invalid(
                "path name \(Quoting.quote(ByteString(file))) is not valid for file discovery", line: node.line)
        }
    }

    private init() {}

    /// `^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`
    static func isValid(_ path: String) -> Bool {
        guard let dot = path.lastIndex(of: "."),
            ["json", "yml", "yaml", "JSON", "YML", "YAML"].contains(path[path.index(after: dot)...])
        else { return false }
        let stem = path[..<dot]
        guard let star = stem.firstIndex(of: "*") else { return true }
        return !stem[star...].contains("/")
    }

    var yaml: YAMLValue {
        var fields = YAMLFields()
        fields.set("files", .sequence(files.map { .text($0) }))
        fields.duration("refresh_interval", refreshInterval)
        return fields.mapping
    }
}

/// Targets that an HTTP server lists.
package struct HTTPDiscoveryConfiguration: Sendable, Hashable {
    /// `url`: what is fetched.
    package var url = ""
    /// `refresh_interval`: how often.
    package var refreshInterval = PrometheusDuration.seconds(60)
    /// How the server is reached.
    package var client = HTTPClientConfiguration()

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = HTTPDiscoveryConfiguration()
        let fits = try decoder.fields(of: node, type: "http.plain") { key, value throws(YAMLError) in
            switch key {
            case "url": read.url = try decoder.string(value)
            case "refresh_interval": read.refreshInterval = try decoder.duration(value)
            default: return try read.client.read(key, value, decoder)
            }
            return true
        }
        self = read
        guard fits else { return }
        guard !url.isEmpty else { throw .invalid("URL is missing", line: node.line) }
        guard let parsed = ConfiguredURL(url) else {
            let fault = URLFault.reason(url) ?? "invalid URL"
            throw .invalid("parse \(Quoting.quote(ByteString(url))): \(fault)", line: node.line)
        }
        guard parsed.scheme == "http" || parsed.scheme == "https" else {
            throw .invalid("URL scheme must be 'http' or 'https'", line: node.line)
        }
        guard !parsed.host.isEmpty else { throw .invalid("host is missing in URL", line: node.line) }
        try client.validate(line: node.line)
    }

    private init() {}

    var yaml: YAMLValue {
        var fields = YAMLFields()
        client.append(to: &fields)
        fields.duration("refresh_interval", refreshInterval)
        fields.set("url", .text(url))
        return fields.mapping
    }
}

/// Targets that the domain name system lists.
package struct DNSDiscoveryConfiguration: Sendable, Hashable {
    /// The kinds of record that name targets.
    package enum RecordType: String, Sendable, Hashable {
        case a = "A"
        case aaaa = "AAAA"
        case srv = "SRV"
        case mx = "MX"
        case ns = "NS"
    }

    /// `names`: what is asked for.
    package var names: [String] = []
    /// `refresh_interval`: how often.
    package var refreshInterval = PrometheusDuration.seconds(30)
    /// `type`: which records.
    package var type = RecordType.srv
    /// As it was written, in whatever case.
    private var typeName = "SRV"
    /// Not used for SRV records, which name their own.
    package var port = 0

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = DNSDiscoveryConfiguration()
        let fits = try decoder.fields(of: node, type: "dns.plain") { key, value throws(YAMLError) in
            switch key {
            case "names": read.names = try decoder.strings(value)
            case "refresh_interval": read.refreshInterval = try decoder.duration(value)
            case "type": read.typeName = try decoder.string(value)
            case "port": read.port = Int(clamping: decoder.integer(value))
            default: return false
            }
            return true
        }
        self = read
        guard fits else { return }
        guard !names.isEmpty else {
            throw .invalid("DNS-SD config must contain at least one SRV record name", line: node.line)
        }
        guard let known = RecordType(rawValue: typeName.uppercased()) else {
            throw .invalid("invalid DNS-SD records type \(typeName)", line: node.line)
        }
        type = known
        if type != .srv, port == 0 {
            throw .invalid("a port is required in DNS-SD configs for all record types except SRV", line: node.line)
        }
    }

    private init() {}

    var yaml: YAMLValue {
        var fields = YAMLFields()
        fields.set("names", .sequence(names.map { .text($0) }))
        fields.duration("refresh_interval", refreshInterval)
        fields.set("type", .text(typeName))
        fields.set("port", .literal("\(port)"))
        return fields.mapping
    }
}
