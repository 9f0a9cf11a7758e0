import Scrape
import Testing
import YAML

@Suite struct ConfigurationErrorTests {
    private static func job(_ lines: String...) -> String {
        "scrape_configs:\n- job_name: a\n" + lines.map { "  \($0)\n" }.joined()
    }

    private static func relabel(_ text: String) -> String { job("relabel_configs:", "- {\(text)}") }

    static let cases: [(text: String, message: String)] = [
        ("foo: 1\n", "yaml: unmarshal errors:\n  line 1: field foo not found in type config.plain"),
        ("global:\n  foo: 1\n", "yaml: unmarshal errors:\n  line 2: field foo not found in type config.plain"),
        ("global:\n  scrape_interval: abc\n", "not a valid duration string: \"abc\" (line 2)"),
        ("global:\n  scrape_interval: 5x\n", "unknown unit \"x\" in duration \"5x\" (line 2)"),
        (
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 2s\n",
            "global scrape timeout greater than scrape interval (line 2)"
        ),
        ("global:\n  body_size_limit: 100\n", "units: unknown unit  in 100 (line 2)"),
        ("global:\n  external_labels: {\"\": x}\n", "\"\" is not a valid label name (line 2)"),
        (
            "global:\n  external_labels: {a: !!binary \"/w==\"}\n", "\"\\xff\" is not a valid label value (line 2)"
        ),
        ("global: {metric_name_validation_scheme: x}\n", "unrecognized ValidationScheme: \"x\" (line 1)"),
        ("global: {scrape_protocols: []}\n", "scrape_protocols cannot be empty for global config (line 1)"),
        ("scrape_configs:\n- scheme: http\n", "job_name is empty (line 2)"),
        ("scrape_configs:\n-\n", "empty or null scrape config section (line 2)"),
        (job() + "- job_name: a\n", "found multiple scrape configs with job name \"a\" (line 3)"),
        (
            job("scrape_interval: 1s", "scrape_timeout: 2s"),
            "scrape timeout greater than scrape interval for scrape config with job name \"a\" (line 2)"
        ),
        (job("x: 1"), "yaml: unmarshal errors:\n  line 3: field x not found in type config.ScrapeConfig"),
        (
            job("sample_limit: -1", "honor_labels: 5", "params: [1]", "basic_auth: 7"),
            """
            yaml: unmarshal errors:
              line 3: cannot unmarshal !!int `-1` into uint
              line 4: cannot unmarshal !!int `5` into bool
              line 5: cannot unmarshal !!seq into url.Values
              line 6: cannot unmarshal !!int `7` into config.plain
            """
        ),
        (
            job("static_configs: [{targets: 7, x: 1}]"),
            "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!int `7` into []string\n  line 3: field x not found in "
                + #"type struct { Targets []string "yaml:\"targets\""; Labels model.LabelSet "yaml:\"labels\"" }"#
        ),
        (
            job("scrape_protocols: [PrometheusProto, prometheusproto]"),
            "duplicated protocol in scrape_protocols, got [PrometheusProto prometheusproto] for scrape config with job "
                + "name \"a\" (line 3)"
        ),
        (
            job("fallback_scrape_protocol: x"),
            "invalid fallback_scrape_protocol for scrape config with job name \"a\": unknown scrape protocol x, "
                + "supported: [OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto PrometheusText0.0.4 "
                + "PrometheusText1.0.0] (line 3)"
        ),
        (
            job("metric_name_validation_scheme: legacy", "metric_name_escaping_scheme: allow-utf-8"),
            "utf8 metric names requested but validation scheme is not set to UTF8 (line 2)"
        ),
        (job("static_configs:", "-"), "empty or null section in static_configs (line 4)"),
        (job("static_configs: [{targets: [\"http://bad\"]}]"), "\"http://bad\" is not a valid hostname (line 2)"),
        (job("file_sd_configs: [{files: [x.txt]}]"), "path name \"x.txt\" is not valid for file discovery (line 3)"),
        (
            job("file_sd_configs: [{files: []}]"),
            "file service discovery config must contain at least one path name (line 3)"
        ),
        (job("http_sd_configs: [{url: 'ftp://x'}]"), "URL scheme must be 'http' or 'https' (line 3)"),
        (job("http_sd_configs: [{url: 'http://'}]"), "host is missing in URL (line 3)"),
        (job("http_sd_configs: [{}]"), "URL is missing (line 3)"),
        (
            job("dns_sd_configs: [{names: [x], type: A}]"),
            "a port is required in DNS-SD configs for all record types except SRV (line 3)"
        ),
        (job("dns_sd_configs: [{names: [x], type: TXT}]"), "invalid DNS-SD records type TXT (line 3)"),
        (
            job("bearer_token: x", "bearer_token_file: y"),
            "at most one of bearer_token & bearer_token_file must be configured (line 2)"
        ),
        (
            job("bearer_token: x", "basic_auth: {username: u}"),
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured (line 2)"
        ),
        (
            job("authorization: {type: basic}"),
            "authorization type cannot be set to \"basic\", use \"basic_auth\" instead (line 2)"
        ),
        (job("oauth2: {client_id: x}"), "oauth2 token_url must be configured (line 3)"),
        (
            job(
                "oauth2: {client_id: x, token_url: 'http://x', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', signature_algorithm: ES256}"
            ),
            "valid signature algorithms are RS256, RS384 and RS512 (line 3)"
        ),
        (
            job(
                "oauth2: {client_id: x, token_url: 'http://x', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_certificate_key: k, client_certificate_key_file: f}"
            ),
            "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured using grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer (line 3)"
        ),
        (
            job("oauth2: {client_id: x, token_url: 'http://x', claims: {a: .inf}}"),
            "oauth2 claims: .inf is no JSON number (line 3)"
        ),
        (job("tls_config: {min_version: TLS9}"), "unknown TLS version: TLS9 (line 3)"),
        (
            job("tls_config: {cert_file: x}"),
            "exactly one of key or key_file must be configured when a client certificate is configured (line 3)"
        ),
        (job("no_proxy: x"), "if no_proxy is configured, proxy_url must also be configured (line 2)"),
        (job("http_headers: {host: {values: [x]}}"), "setting header \"Host\" is not allowed (line 2)"),
        (relabel("action: fly"), "unknown relabel action \"fly\" (line 4)"),
        (relabel("action: "), "relabel action cannot be empty (line 4)"),
        (relabel("regex: '('"), "error parsing regexp: missing closing ): `^(?s:()$` (line 4)"),
        (relabel("regex: 'a**'"), "error parsing regexp: invalid nested repetition operator: `**` (line 4)"),
        (relabel("regex: '*'"), "error parsing regexp: missing argument to repetition operator: `*` (line 4)"),
        (relabel("regex: '[b-a]'"), "error parsing regexp: invalid character class range: `b-a` (line 4)"),
        (relabel("regex: 'x{1001}'"), "error parsing regexp: invalid repeat count: `{1001}` (line 4)"),
        (relabel("regex: '\\q'"), "error parsing regexp: invalid escape sequence: `\\q` (line 4)"),
        (
            relabel("source_labels: [a]"),
            "relabel configuration for replace action requires 'target_label' value (line 4)"
        ),
        (
            relabel("action: hashmod, target_label: x"),
            "relabel configuration for hashmod requires non-zero modulus (line 4)"
        ),
        (
            relabel("action: labelkeep, source_labels: [a]"),
            "labelkeep action requires only 'regex', and no other fields (line 4)"
        ),
        (
            relabel("action: keepequal, target_label: x, regex: '(.*)'"),
            "keepequal action requires only 'source_labels' and `target_label`, and no other fields (line 4)"
        ),
        (
            relabel("action: lowercase, target_label: x, replacement: y"),
            "'replacement' can not be set for lowercase action (line 4)"
        ),
        (
            "storage: {tsdb: {retention: {size: -1KB}}}\n",
            "'storage.tsdb.retention.size' must be greater than or equal to 0, got -1KiB (line 1)"
        ),
        (
            "storage: {tsdb: {chunk_encoding: {floats: XOR}}}\n",
            "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely, got "
                + "\"XOR\" (line 1)"
        ),
        ("scrape_config_files: ['a/*/*']\n", "invalid scrape config file path \"a/*/*\""),
        ("rule_files: ['a/*/*']\n", "invalid rule file path \"a/*/*\" (line 1)"),
        (
            "scrape_configs: []\nscrape_configs: []\n",
            "yaml: unmarshal errors:\n  line 2: field scrape_configs already set in type config.plain"
        ),
        (
            job("dns_sd_configs: x"),
            "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!str `x` into []*dns.SDConfig"
        ),
        (
            job("basic_auth: {username: u, password: [a]}"),
            "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!seq into config.plain"
        ),
        (
            job("tls_config: {min_version: []}"),
            "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!seq into string"
        ),
        (
            "otlp: {translation_strategy: x}\nscrape_configs: 1\n",
            "yaml: unmarshal errors:\n  line 2: cannot unmarshal !!int `1` into []*config.ScrapeConfig"
        ),
        (job("params: {a: [b], a:", "  [c]}"), "yaml: unmarshal errors:\n  line 4: key \"a\" already set in map"),
        (job("sample_limit: 1e309"), "yaml: unmarshal errors:\n  line 3: cannot unmarshal !!str `1e309` into uint"),
        (job("proxy_url: '://x'"), "parse \"://x\": missing protocol scheme (line 3)"),
        (job("proxy_url: 'http://[::1'"), "parse \"http://[::1\": missing ']' in host (line 3)"),
        (job("proxy_url: 'http://a:b'"), "parse \"http://a:b\": invalid port \":b\" after host (line 3)"),
        (job("proxy_url: 'http://a b'"), "parse \"http://a b\": invalid character \" \" in host name (line 3)"),
        (job("proxy_url: 'http://a/%zz'"), "parse \"http://a/%zz\": invalid URL escape \"%zz\" (line 3)"),
        (
            job("proxy_url: '1a:b'"),
            "parse \"1a:b\": first path segment in URL cannot contain colon (line 3)"
        ),
        (job("body_size_limit: 99999999999999999999"), "units: invalid 99999999999999999999 (line 3)"),
        (job("body_size_limit: '127.0.0.1:x'"), "units: unknown unit  in 127.0.0.1:x (line 3)"),
        ("a:\n\tb: 1\n", "yaml: line 2: found character that cannot start any token"),
    ]

    @Test(arguments: cases) func `a mistake is told in Prometheus' words with its line`(
        _ text: String, _ message: String
    ) {
        #expect {
            _ = try Configuration(Array(text.utf8)) { _ in nil }
        } throws: { error in
            if "\(error)" != message { Issue.record("got: \(error)") }
            return "\(error)" == message
        }
    }

    @Test(
        arguments: [
            ("rule_files: [a.yml]\n", "rule_files", 1), ("\nremote_write:\n- url: http://x\n", "remote_write", 3),
            ("remote_read: [{url: http://x}]\n", "remote_read", 1),
            ("alerting:\n  alertmanagers:\n  - static_configs: []\n", "alerting.alertmanagers", 3),
            ("tracing: {endpoint: x}\n", "tracing", 1),
            (job("kubernetes_sd_configs:", "- role: pod"), "kubernetes_sd_configs", 4),
        ])
    func `what this version does not do stops the start with its key and line`(
        _ text: String, _ key: String, _ line: Int
    ) {
        #expect {
            _ = try Configuration(Array(text.utf8)) { _ in nil }
        } throws: { error in
            "\(error)".hasPrefix("\(key) is not supported by this version of narthex")
                && "\(error)".hasSuffix("remove it to start (line \(line))")
        }
    }

    @Test func `empty sections of what this version does not do are fine`() throws {
        let text = """
            rule_files: []
            alerting:
              alertmanagers: []
            remote_write:
            remote_read: []
            tracing:
            otlp: {}
            scrape_configs:
            - job_name: a
              consul_sd_configs: []
            """
        #expect(try Configuration(Array(text.utf8)) { _ in nil }.scrapeConfigurations.count == 1)
    }
}
