import AsyncHTTPClient
import FoundationEssentials
import MetricModel
import NIOCore
import Web

/// `narthex query EXPR`: asks a server, over one moment or a range, and prints what it answers.
enum QueryCommand {
    static let command = Command(
        "query", "Ask a server a PromQL query: narthex query 'avg_over_time(test_metric_1[5m])'",
        flags: [
            .init("server", "The server's URL.", kind: .url, default: "http://localhost:9090"),
            .init("time", "Moment of evaluation, as RFC 3339 or Unix seconds; now by default."),
            .init("start", "First moment of a range, as RFC 3339 or Unix seconds."),
            .init("end", "Last moment of a range; now by default."),
            .init("step", "Time between the moments of a range.", default: "15s"),
            .init(
                "format", "How to print the answer: text or json.", kind: .choice(["text", "json"], named: "format"),
                default: "text"),
            .init("timeout", "Longest time to wait for the answer.", kind: .duration, default: "2m"),
        ], arguments: [.init("expression", "The query.")], action: run)

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        do {
            let body = try await ask(flags)
            if flags["format"] == "json" {
                Command.print(String(decoding: body, as: UTF8.self) + "\n", to: 1)
                return 0
            }
            let answer = try JSONDecoder().decode(Answer.self, from: Data(body))
            for note in (answer.warnings ?? []) + (answer.infos ?? []) { Command.print("\(note)\n", to: 2) }
            guard let data = answer.data else {
                Command.print("narthex query: \(answer.error ?? "the server gave no answer")\n", to: 2)
                return 1
            }
            Command.print(data.text, to: 1)
            return 0
        } catch {
            Command.print("narthex query: \(error)\n", to: 2)
            return 1
        }
    }

    private static func ask(_ flags: ParsedFlags) async throws -> [UInt8] {
        let isRange = !flags["start"].isEmpty
        var form = [("query", flags.argument("expression").first ?? "")]
        if isRange {
            let now = "\(Double(ProcessFacts.now) / 1000)"
            form += [("start", flags["start"]), ("end", flags["end"].isEmpty ? now : flags["end"])]
            form.append(("step", flags["step"]))
        } else if !flags["time"].isEmpty {
            form.append(("time", flags["time"]))
        }
        var base = flags["server"]
        while base.hasSuffix("/") { base.removeLast() }
        var request = HTTPClientRequest(url: base + (isRange ? "/api/v1/query_range" : "/api/v1/query"))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: QueryText.encode(form)))
        let seconds = flags.duration("timeout").components.seconds
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(max(1, seconds)))
        return Array(try await response.body.collect(upTo: 1 << 30).readableBytesView)
    }
}

/// The server's answer, as far as it is printed.
private struct Answer: Decodable {
    var data: Content?
    var error: String?
    var warnings: [String]?
    var infos: [String]?

    struct Content: Decodable {
        /// One line for each sample of a vector, a block for each series of a matrix.
        var text: String

        private enum Keys: CodingKey {
            case resultType, result
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            switch try container.decode(String.self, forKey: .resultType) {
            case "vector", "matrix":
                text = try container.decode([Series].self, forKey: .result).map(\.text).joined()
            case "string": text = try container.decode(Point.self, forKey: .result).value + "\n"
            default: text = "scalar: \(try container.decode(Point.self, forKey: .result).text)\n"
            }
        }
    }

    /// A moment and what was there, as it was written.
    struct Point: Decodable {
        var time: Double
        var value: String

        var text: String { "\(value) @[\(time)]" }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            time = try container.decode(Double.self)
            if let number = try? container.decode(String.self) {
                value = number
            } else {
                let histogram = try container.decode(Histogram.self)
                value = "{count:\(histogram.count), sum:\(histogram.sum)}"
            }
        }
    }

    struct Histogram: Decodable {
        var count: String
        var sum: String
    }

    struct Series: Decodable {
        var metric: [String: String]
        var value: Point?
        var histogram: Point?
        var values: [Point]?
        var histograms: [Point]?

        var text: String {
            let pairs = metric.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }.map { name, value in
                "\(name)=\(Quoting.quote(ByteString(value)))"
            }
            var name = metric["__name__"] ?? ""
            if !pairs.isEmpty || name.isEmpty { name += "{\(pairs.joined(separator: ", "))}" }
            if let point = value ?? histogram { return "\(name) => \(point.text)\n" }
            let points = ((values ?? []) + (histograms ?? [])).sorted { $0.time < $1.time }
            return "\(name) =>\n" + points.map { "\($0.text)\n" }.joined()
        }
    }
}
