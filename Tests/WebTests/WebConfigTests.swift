import Testing
import Web

@Suite struct WebConfigTests {
    private func read(_ text: String) throws(WebConfig.Invalid) -> WebConfig {
        let config = try WebConfig(Array(text.utf8), directory: "/etc/x")
        try config.validateUsers()
        return config
    }

    @Test func `an empty file asks for nothing`() throws {
        #expect(try read("") == WebConfig())
        #expect(try !read("").tls.isEnabled)
    }

    @Test func `file names count from the folder of the configuration`() throws {
        let config = try read("tls_server_config:\n  cert_file: a.pem\n  key_file: /b.pem\n  min_version: TLS13\n")
        #expect(config.tls.certificateFile == "/etc/x/a.pem")
        #expect(config.tls.keyFile == "/b.pem")
        #expect(config.tls.minVersion == .tls13)
        #expect(config.http2)
    }

    @Test(arguments: [
        ("no_such: 1\n", "yaml: unmarshal errors:\n  line 1: field no_such not found in type web.Config"),
        ("tls_server_config:\n  cipher_suites: [ABC]\n", "unknown cipher: ABC"),
        ("tls_server_config:\n  curve_preferences: [ABC]\n", "unknown curve: ABC"),
        ("tls_server_config:\n  min_version: TLS9\n", "unknown TLS version: TLS9"),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: maybe\n",
            "invalid value for X-Frame-Options. Expected one of: [\"deny\" \"sameorigin\"], but got: \"maybe\""
        ),
        ("http_server_config:\n  headers:\n    Server: x\n", "HTTP header \"Server\" can not be configured"),
        ("basic_auth_users:\n  john: doe\n", "crypto/bcrypt: hashedSecret too short to be a bcrypted password"),
    ])
    func `what upstream refuses is refused`(text: String, message: String) {
        #expect(throws: WebConfig.Invalid(message)) { try read(text) }
    }

    @Test func `headers, users and limits are read`() throws {
        let config = try read(
            """
            http_server_config:
              http2: false
              headers:
                X-Frame-Options: deny
                Content-Security-Policy: default-src 'self'
            basic_auth_users:
              alice: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
            rate_limit:
              interval: 1s
              burst: 2
            """)
        #expect(!config.http2)
        #expect(config.headers.map(\.name) == ["Content-Security-Policy", "X-Frame-Options"])
        #expect(config.users.keys.sorted() == ["alice"])
        #expect(config.rateLimit.interval == .seconds(1))
        #expect(config.rateLimit.burst == 2)
    }
}
