import Scrape
import TestSupport
import Testing

@Suite struct ConfigurationCheckTests {
    @Test func `a sound configuration has neither failure nor warning`() throws {
        let directory = try TemporaryFolder()
        try directory.write("targets.json", "[{\"targets\": [\"a:1\"], \"labels\": {\"x\": \"y\"}}]")
        try directory.write("more.yml", "scrape_configs:\n- job_name: b\n  static_configs: [{targets: [c]}]\n")
        let path = try directory.write(
            "prometheus.yml",
            "scrape_config_files: [more.yml]\nscrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [targets.json]}]\n"
        )
        let check = ConfigurationCheck(path: path)
        #expect(check.failure == nil && check.warnings.isEmpty && check.lint.isEmpty)
        #expect(try Configuration.load(path).allScrapeConfigurations().map(\.jobName) == ["a", "b"])
    }

    @Test(arguments: [
        ("a[", false), ("a[]", false), ("a[^]", false), ("a[-b]", false), ("a[b-]", false), ("a[b", false),
        ("a\\", false),
        ("a[\\", false), ("a[b-c]d*?", true), ("a[^b]", true), ("a[\\]]", true), ("a\\[", true), ("a]", true),
    ])
    func `patterns for files of jobs are those of Go`(_ pattern: String, _ isSound: Bool) throws {
        let directory = try TemporaryFolder()
        let path = try directory.write("prometheus.yml", "scrape_config_files: ['/none/\(pattern)']\n")
        let failure = ConfigurationCheck(path: path).failure ?? ""
        #expect(failure.isEmpty == isSound)
        #expect(isSound || failure.hasSuffix(": syntax error in pattern"), "\(failure)")
    }

    @Test(
        arguments: [
            ("file_sd_configs: [{files: [targets.json]}]", "checking SD file"),
            ("bearer_token_file: none", "error checking authorization credentials or bearer token file"),
            (
                "static_configs: [{targets: [a], labels: {__scrape_interval__: x}}]",
                "instance 0 in group 0: error parsing"
            ),
        ])
    func `files and targets are checked, unless only the syntax matters`(_ line: String, _ message: String) throws {
        let directory = try TemporaryFolder()
        try directory.write("targets.json", "[{\"targets\": 7}]")
        let path = try directory.write("prometheus.yml", "scrape_configs:\n- job_name: a\n  \(line)\n")
        let failure = ConfigurationCheck(path: path).failure ?? ""
        #expect(failure.hasPrefix(message), "\(failure)")
        var options = ConfigurationCheck.Options()
        options.checksSyntaxOnly = true
        #expect((ConfigurationCheck(path: path, options: options).failure == nil) == !line.hasPrefix("static"))
    }

    @Test func `missing target files and slow jobs are told`() throws {
        let directory = try TemporaryFolder()
        let path = try directory.write(
            "prometheus.yml",
            "scrape_configs:\n- job_name: a\n  scrape_interval: 10m\n  file_sd_configs: [{files: [none.json]}]\n")
        let check = ConfigurationCheck(path: path)
        #expect(check.failure == nil)
        #expect(
            check.warnings == ["file \"\(directory.path)/none.json\" for file_sd in scrape job \"a\" does not exist"])
        #expect(
            check.lint == [
                "too long scrape interval found, data point will be marked as stale - job: a, interval: 10m"
            ])
    }

    @Test func `a missing or wrong file is named`() throws {
        #expect(
            ConfigurationCheck(path: "/nonexistent/x.yml").failure
                == "open /nonexistent/x.yml: no such file or directory")
        let directory = try TemporaryFolder()
        let path = try directory.write("prometheus.yml", "foo: 1\n")
        #expect(
            ConfigurationCheck(path: path).failure
                == "parsing YAML file \(path): yaml: unmarshal errors:\n  line 1: field foo not found in type config.plain"
        )
    }
}
