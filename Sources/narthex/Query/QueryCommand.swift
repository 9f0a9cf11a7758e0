import ByteCoding
import FoundationEssentials
import MetricModel
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex query EXPR`: asks a server, over one moment or a range, and prints or draws what it answers.
enum QueryCommand {
    static let command = Command(
        "query", "Ask a server a PromQL query, and print or draw what it answers.",
        flags: ServerClient.flags + [
            .init("time", "Moment of evaluation, as RFC 3339 or Unix seconds; now by default."),
            .init("start", "First moment of a range, as RFC 3339 or Unix seconds."),
            .init("end", "Last moment of a range; now by default."),
            .init("step", "Time between the moments of a range.", default: "15s"),
            .init(
                "output", "How to print the answer: text, table, json, or plot for a range.",
                kind: .choice(["text", "table", "json", "plot"], named: "output"), default: "text"),
            .init("svg", "Draw a range into this file, as a picture.", default: ""),
        ], arguments: [.init("expression", "The query.")],
        examples: [
            "narthex query 'avg_over_time(test_metric_1[5m])'",
            "narthex query --output=table --time=2026-11-23T03:00:00Z 'topk(5, batch_job_duration_seconds)'",
            "narthex query --start=1795392000 --step=1m --output=plot 'rate(jobs_total[5m])'",
        ],
        subcommands: [ListingCommand.series, ListingCommand.labels], action: run)

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        do {
            let isRange = !flags["start"].isEmpty
            let isDrawn = !flags["svg"].isEmpty || flags["output"] == "plot"
            if isDrawn, !isRange { throw CommandLineError("a picture needs a range: give --start") }
            let expression = flags.argument("expression").first ?? ""
            let body = try await ServerClient(flags).ask(
                isRange ? "query_range" : "query", form(flags, expression, isRange: isRange))
            if flags["output"] == "json", flags["svg"].isEmpty {
                Command.print(String(decoding: body, as: UTF8.self) + "\n", to: 1)
                return body.starts(with: #"{"status":"success""#.utf8) ? 0 : 1
            }
            let answer = try JSONDecoder().decode(PrintedAnswer.self, from: Data(body))
            for note in (answer.warnings ?? []) + (answer.infos ?? []) { Command.print("\(note)\n", to: 2) }
            guard let data = answer.data else {
                throw CommandLineError(answer.error ?? "the server gave no answer")
            }
            if isDrawn { return try draw(data, expression, flags) }
            Command.print(flags["output"] == "table" ? data.table : data.text, to: 1)
            return 0
        } catch {
            Command.print("narthex query: \(error)\n", to: 2)
            return 1
        }
    }

    private static func form(
        _ flags: ParsedFlags, _ expression: String, isRange: Bool
    ) -> [(name: String, value: String)] {
        var form = [(name: "query", value: expression)]
        if isRange {
            let now = "\(Double(ProcessFacts.now) / 1000)"
            form += [("start", flags["start"]), ("end", flags["end"].isEmpty ? now : flags["end"])]
            form.append(("step", flags["step"]))
        } else if !flags["time"].isEmpty {
            form.append(("time", flags["time"]))
        }
        return form
    }

    private static func draw(_ data: PrintedAnswer.Content, _ expression: String, _ flags: ParsedFlags) throws -> Int32
    {
        let lines = data.lines
        let times = lines.flatMap { $0.points.map(\.time) }
        let step = GoDuration(flags["step"])?.duration.components.seconds ?? Int64(flags["step"]) ?? 15
        let frame = PlotFrame(
            title: expression, start: times.min() ?? 0, end: times.max() ?? 1, step: Double(max(1, step)))
        let path = flags["svg"]
        if path.isEmpty {
            let isTerminal = isatty(1) == 1
            Command.print(TextPlot.draw(lines, in: frame, colors: isTerminal), to: 1)
            return 0
        }
        let picture = SVGPlot.draw(.lines(lines), in: frame)
        guard let file = fopen(path, "we") else {
            throw CommandLineError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        let written = fwrite(picture, 1, picture.count, file)
        guard fclose(file) == 0, written == picture.count else {
            throw CommandLineError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        return 0
    }
}

/// `narthex query series` and `narthex query labels`: what there is to ask for.
enum ListingCommand {
    private static let range: [FlagTable.Flag] = [
        .init("match", "Selector of the series that are looked at; may be given several times.", isRepeatable: true),
        .init("start", "First moment that is looked at, as RFC 3339 or Unix seconds."),
        .init("end", "Last moment that is looked at."),
    ]

    static let series = Command(
        "series", "List series.", flags: ServerClient.flags + range,
        examples: ["narthex query series --match='up{job=\"node\"}' --match=test_metric_1"],
        action: { flags in
            await list(flags, isPost: true) { _ in
                "series"
            } line: { (labels: [String: String]) in
                LabelText.text(labels)
            }
        })

    static let labels = Command(
        "labels", "List label names, or the values of one.", flags: ServerClient.flags + range,
        arguments: [.init("name", "The label whose values are listed.", isRequired: false)],
        examples: ["narthex query labels", "narthex query labels --match=up job"],
        action: { flags in
            await list(flags, isPost: false) { flags in
                guard let name = flags.argument("name").first else { return "labels" }
                return "label/\(PercentCoding.encode(name.utf8))/values"
            } line: { (text: String) in
                text
            }
        })

    private struct Listing<Element: Decodable>: Decodable {
        var data: [Element]?
        var error: String?
        var warnings: [String]?
    }

    private static func list<Element: Decodable>(
        _ flags: ParsedFlags, isPost: Bool, path: (ParsedFlags) -> String, line: (Element) -> String
    ) async -> Int32 {
        do {
            var form = flags.all("match").map { (name: "match[]", value: $0) }
            for name in ["start", "end"] where !flags[name].isEmpty { form.append((name, flags[name])) }
            let body = try await ServerClient(flags).ask(path(flags), form, isPost: isPost)
            let listing = try JSONDecoder().decode(Listing<Element>.self, from: Data(body))
            for warning in listing.warnings ?? [] { Command.print("\(warning)\n", to: 2) }
            guard let data = listing.data else {
                throw CommandLineError(listing.error ?? "the server gave no answer")
            }
            Command.print(data.map { line($0) + "\n" }.joined(), to: 1)
            return 0
        } catch {
            Command.print("narthex query: \(error)\n", to: 2)
            return 1
        }
    }
}
