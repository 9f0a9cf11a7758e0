import Testing
import Web

@Suite struct FlagTableTests {
    private let table = FlagTable(
        FlagTable.common + [
            .init("web.listen-address", "Where.", kind: .custom { $0 }, default: ":9091", isRepeatable: true),
            .init("path", "A path.", default: "/metrics"), .init("interval", "A time.", kind: .duration, default: "5m"),
            .toggle("switch", "On or off."),
            .init("level", "A word.", kind: .choice(["info", "warn"], named: "log level"), default: "info"),
            .init("url", "A URL.", kind: .url, default: ""), .init("size", "Bytes.", kind: .bytes, default: "16MiB"),
        ])

    private func parse(_ arguments: [String]) throws(CommandLineError) -> ParsedFlags {
        try ParsedFlags(arguments, table: table)
    }

    @Test func `defaults fill in what was not given`() throws {
        let flags = try parse([])
        #expect(flags["path"] == "/metrics")
        #expect(flags["interval"] == "5m0s")
        #expect(flags.all("web.listen-address") == [":9091"])
        #expect(!flags.isOn("switch"))
        #expect(flags.bytes("size") == 16 << 20)
    }

    @Test func `values come behind an equals sign or in the next word`() throws {
        let flags = try parse([
            "--path=/a", "--interval", "90s", "--switch", "--web.listen-address=:1", "--web.listen-address", ":2",
        ])
        #expect(flags["path"] == "/a")
        #expect(flags["interval"] == "1m30s")
        #expect(flags.isOn("switch"))
        #expect(flags.all("web.listen-address") == [":1", ":2"])
        #expect(try !parse(["--no-switch"]).isOn("switch"))
    }

    @Test(arguments: [
        (["--nosuch"], "unknown long flag '--nosuch'"), (["-x"], "unknown short flag '-x'"),
        (["--switch=true"], "unexpected true"), (["extra"], "unexpected extra"),
        (["--path"], "expected argument for flag '--path'"),
        (["--interval=soon"], "--interval: time: invalid duration \"soon\""),
        (["--interval=5"], "--interval: time: missing unit in duration \"5\""),
        (["--interval=5y"], "--interval: time: unknown unit \"y\" in duration \"5y\""),
        (["--url=http://a/%zz"], "--url: invalid URL: parse \"http://a/%zz\": invalid URL escape \"%zz\""),
        (["@none"], "failed to open arguments file \"none\": open none: no such file or directory"),
        (["--help", "--nosuch"], "unknown long flag '--nosuch'"),
        (["--nosuch", "--version"], "unknown long flag '--nosuch'"),
        (["--level=loud"], "unrecognized log level loud"), (["--no-path"], "unknown long flag '--no-path'"),
        (["--path=/a", "--path=/b"], "flag 'path' cannot be repeated"),
        (["--url=:foo"], "--url: invalid URL: parse \":foo\": missing protocol scheme"),
    ])
    func `errors are in kingpin's words, those of values behind the flag`(arguments: [String], message: String) {
        #expect(throws: CommandLineError(message)) { try parse(arguments) }
    }

    @Test func `a version wins over what is wrong behind it, help over wrong values`() throws {
        #expect(try parse(["--version", "--nosuch"]).isOn("version"))
        #expect(try parse(["--help", "--version"]).isOn("version"))
        #expect(try !parse(["--help", "--version"]).isOn("help"))
        #expect(try parse(["--level=loud", "-h"]).isOn("help"))
        #expect(try parse(["--version", "extra"]).isOn("version"))
    }

    @Test func `switches may be repeated, days and weeks are times, and words have any case`() throws {
        #expect(try parse(["--switch", "--switch"]).isOn("switch"))
        #expect(try !parse(["--switch", "--no-switch"]).isOn("switch"))
        #expect(try parse(["--interval=1w2d"])["interval"] == "216h0m0s")
        #expect(try parse(["--level=WARN"])["level"] == "warn")
    }

    @Test func `a file stands for the arguments in it`() throws {
        let flags = try ParsedFlags(["@flags"], table: table) {
            $0 == "flags" ? ["--path=/f", "# a comment", "--switch"] : nil
        }
        #expect(flags["path"] == "/f")
        #expect(flags.isOn("switch"))
    }

    @Test func `the listing leaves out help and version`() throws {
        let names = try parse([]).listing.map(\.name)
        #expect(names == ["interval", "level", "path", "size", "switch", "url", "web.listen-address"])
    }

    @Test func `help names each flag with its default`() {
        let text = table.help(command: "narthex gateway", about: "About.")
        #expect(text.hasPrefix("usage: narthex gateway [<flags>]\n\nAbout.\n"))
        #expect(text.contains("--path=\"/metrics\""))
        #expect(text.contains("--web.listen-address=:9091 ..."))
        #expect(text.contains("--[no-]switch"))
        #expect(!text.contains("help-man="))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test(arguments: [
        ("0", "0s"), ("1h2m3.5s", "1h2m3.5s"), ("90s", "1m30s"), ("200ms", "200ms"), ("1.5us", "1.5µs"),
        ("-1m", "-1m0s"),
        ("100h", "100h0m0s"), ("1ns", "1ns"), (".5s", "500ms"), ("1m0.000000001s", "1m0.000000001s"),
    ])
    func `durations are read and written as in Go`(text: String, normal: String) throws {
        #expect(try #require(GoDuration(text)).description == normal)
    }

    @Test(arguments: ["", "1", "s", "1x", "1h1", "--1s", "1 s", "9223372036854775808ns", "."])
    func `what Go does not take for a duration is none`(text: String) {
        #expect(GoDuration(text) == nil)
    }
}
