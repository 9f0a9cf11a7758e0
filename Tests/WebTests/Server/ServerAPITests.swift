import Compression
import Matching
import MetricModel
import PromQL
import TSDB
import TestSupport
import Testing
import Web

/// Answers every query with the same vector, and remembers nothing.
private struct FixedEvaluator: QueryEvaluator {
    var answer = QueryAnswer(
        value: .vector([
            .init(labels: Labels(["__name__": "up", "job": "a<b"]), timestamp: 1500, sample: .float(1)),
            .init(labels: Labels(["__name__": "up", "job": "c"]), timestamp: 1500, sample: .float(.nan)),
        ]))

    func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer {
        do throws(ParseError) {
            _ = try Parser().parseExpression(request.query)
        } catch {
            throw .invalid(error.description)
        }
        if request.query == "boom" { throw .execution("it went wrong") }
        return answer
    }
}

/// An API over a store in a directory of its own.
private final class Fixture {
    private let folder: TemporaryFolder
    let database: Database
    let api: ServerAPI

    init(evaluator: FixedEvaluator = FixedEvaluator()) throws {
        folder = try TemporaryFolder()
        database = try Database.open(folder.file("data"))
        var settings = ServerAPI.Settings()
        settings.enablesAdministration = true
        settings.enablesRemoteWrite = true
        settings.durability = .relaxed
        settings.flags = [("b", "2"), ("a", "1")]
        api = ServerAPI(
            settings: settings,
            process: ServerAPI.Process(externalLabels: { Labels(["region": "x"]) }, now: { 120_000 }), parser: Parser(),
            evaluator: evaluator, targets: NoTargets())
        api.open(database)
    }

    deinit { try? database.close() }

    func add(_ series: [(KeyValuePairs<String, String>, Double)]) throws {
        let appender = database.appender()
        for (labels, value) in series {
            _ = try appender.append(.none, labels: Labels(labels), timestamp: 100_000, value: value)
        }
        _ = try appender.commit(.relaxed)
    }

    func get(_ path: String, _ query: String = "") -> (status: Int, text: String) {
        let response = api.respond(to: ServerRequest("GET", ByteString(path), query: ByteString(query)))
        return (response.status, String(decoding: response.collected(), as: UTF8.self))
    }

    func post(_ path: String, _ body: [UInt8], _ fields: [String: String]) -> ServerResponse {
        api.respond(to: ServerRequest("POST", ByteString(path), fields: fields, body: body))
    }
}

@Suite struct ServerAPITests {
    @Test(arguments: [
        ("GET", "/api/v1/label//values", "a=b", 301, "/p/api/v1/label/values?a=b"),
        ("HEAD", "//metrics", "", 301, "/p/metrics"), ("POST", "/api/v1/../v1/query", "", 307, "/p/api/v1/query"),
        ("GET", "/api/v1/label/a b/./values/", "", 301, "/p/api/v1/label/a%20b/values/"),
    ])
    func `a path with empty parts and dots is sent on to its shortest form`(
        method: String, path: String, query: String, status: Int, location: String
    ) throws {
        var request = ServerRequest(method, ByteString(path), query: ByteString(query))
        request.routePrefix = "/p"
        let response = try Fixture().api.respond(to: request)
        #expect(response.status == status)
        #expect(response.fields.first { $0.name == "Location" }?.value == location)
    }

    @Test func `an instant query gives its vector`() throws {
        let answer = try Fixture().get("/api/v1/query", "query=up")
        #expect(answer.status == 200)
        #expect(
            answer.text == """
                {"status":"success","data":{"resultType":"vector","result":[\
                {"metric":{"__name__":"up","job":"a<b"},"value":[1.500,"1"]},\
                {"metric":{"__name__":"up","job":"c"},"value":[1.500,"NaN"]}]}}
                """)
    }

    @Test func `a limit cuts the result and says so`() throws {
        let answer = try Fixture().get("/api/v1/query", "query=up&limit=1")
        #expect(answer.text.hasSuffix(#""value":[1.500,"1"]}]},"warnings":["results truncated due to limit"]}"#))
    }

    @Test func `a matrix has numbers and histograms apart`() throws {
        let histogram = FloatHistogram(
            schema: 0, count: 3, sum: 4.5, positiveSpans: [BucketSpan(offset: 0, length: 2)], positiveBuckets: [1, 2])
        let series = QueryAnswer.MatrixSeries(
            labels: Labels(["a": "b\n"]), floats: [(0, 1e21), (1000, -0.0)], histograms: [(2500, histogram)])
        let fixture = try Fixture(evaluator: FixedEvaluator(answer: QueryAnswer(value: .matrix([series]))))
        let answer = fixture.get("/api/v1/query_range", "query=x&start=0&end=10&step=1")
        #expect(
            answer.text == """
                {"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b\\n"},\
                "values":[[0,"1e+21"],[1,"-0"]],"histograms":[[2.500,{"count":"3","sum":"4.5",\
                "buckets":[[0,"0.5","1","1"],[0,"1","2","2"]]}]]}]}}
                """)
    }

    @Test(arguments: [
        ("query", "query=%3D", 400, "bad_data", #"invalid parameter \"query\": 1:1: parse error: unexpected \"=\""#),
        ("query", "query=boom", 422, "execution", "it went wrong"),
        (
            "query", "query=up&time=x", 400, "bad_data",
            #"invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp"#
        ),
        ("query", "query=up&limit=-1", 400, "bad_data", #"invalid parameter \"limit\": limit must be non-negative"#),
        (
            "query", "query=up&timeout=1x", 400, "bad_data",
            #"invalid parameter \"timeout\": cannot parse \"1x\" to a valid duration"#
        ),
        (
            "query_range", "query=up&start=2&end=1&step=1", 400, "bad_data",
            #"invalid parameter \"end\": end timestamp must not be before start time"#
        ),
        (
            "query_range", "query=up&start=0&end=1&step=0", 400, "bad_data",
            #"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"#
        ),
        (
            "query_range", "query=up&start=0&end=11001&step=1", 400, "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
        ),
        ("series", "", 400, "bad_data", "no match[] parameter provided"),
        (
            "series", "match[]={}", 400, "bad_data",
            #"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"#
        ),
        ("labels", "match[]={a=~%22.*%22}", 400, "bad_data", "match[] must contain at least one non-empty matcher"),
        ("status/tsdb", "limit=0", 400, "bad_data", "limit must be a positive number"),
        ("metadata", "limit=x", 400, "bad_data", "limit must be a number"),
        ("rules", "type=x", 400, "bad_data", #"invalid parameter \"type\": not supported value \"x\""#),
        ("targets/relabel_steps", "", 400, "bad_data", "no scrapePool parameter provided"),
    ])
    func `errors have upstream's types and words`(
        path: String, query: String, status: Int, type: String, message: String
    ) throws {
        let answer = try Fixture().get("/api/v1/\(path)", query)
        #expect(answer.status == status)
        #expect(answer.text == #"{"status":"error","errorType":"\#(type)","error":"\#(message)"}"#)
    }

    @Test func `labels, values and series come from the store`() throws {
        let fixture = try Fixture()
        try fixture.add([
            (["__name__": "up", "job": "b"], 1), (["__name__": "up", "job": "a"], 0),
            (["__name__": "x", "k.y": "v"], 2),
        ])
        #expect(fixture.get("/api/v1/labels").text == #"{"status":"success","data":["__name__","job","k.y"]}"#)
        #expect(
            fixture.get("/api/v1/labels", "match[]=up&match[]=x&limit=1").text
                == #"{"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]}"#)
        #expect(fixture.get("/api/v1/label/job/values").text == #"{"status":"success","data":["a","b"]}"#)
        #expect(fixture.get("/api/v1/label/U__k_2e_y/values").text == #"{"status":"success","data":["v"]}"#)
        #expect(
            fixture.get("/api/v1/series", "match[]=up&start=0").text == """
                {"status":"success","data":[{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}]}
                """)
        #expect(
            fixture.get("/api/v1/series", "match[]=up&limit=1").text.hasSuffix(
                #"],"warnings":["results truncated due to limit"]}"#))
    }

    @Test(arguments: [
        ("series", "match[]=m"), ("series", "match[]=m{a=%221%22}&match[]=n"), ("series", "match[]=m&limit=1"),
        ("labels", ""), ("labels", "limit=1"), ("label/a/values", ""), ("label/a/values", "limit=1"),
        ("label/nothing/values", ""),
    ])
    func `what takes no time is answered at once, and alike`(path: String, query: String) throws {
        let fixture = try Fixture()
        try fixture.add([
            (["__name__": "m", "a": "1"], 1), (["__name__": "m", "a": "2"], 1), (["__name__": "n", "a": "2"], 1),
        ])
        let request = ServerRequest("GET", ByteString("/api/v1/" + path), query: ByteString(query))
        let light = try #require(fixture.api.respondLightly(to: request))
        #expect(light.status == 200)
        #expect(light.collected() == fixture.api.respond(to: request).collected())
    }

    @Test(arguments: [
        ("/api/v1/series", "match[]={a=~%22.%22}"), ("/api/v1/series", "match[]={a!=%221%22,b=%22%22}"),
        ("/api/v1/series", "match[]=x"), ("/api/v1/series", ""), ("/api/v1/labels", "match[]=x"),
        ("/api/v1/label/a/values", "match[]=x"), ("/api/v1/query_range", "query=x&start=0&end=1&step=1"),
        ("/api/v1/query", "query=up"), ("/api/v1/status/tsdb", ""), ("/federate", "match[]=x"), ("/metrics", ""),
    ])
    func `what may take long or fails is not answered at once`(path: String, query: String) throws {
        let fixture = try Fixture()
        // More series of `x` than a light request may find, even by their labels alone.
        try fixture.add((0..<1100).map { (["__name__": "x", "a": "\($0)"], 1) })
        #expect(
            fixture.api.respondLightly(to: ServerRequest("GET", ByteString(path), query: ByteString(query))) == nil)
    }

    @Test func `format and parse answer with text and tree`() throws {
        let fixture = try Fixture()
        #expect(
            fixture.get("/api/v1/format_query", "query=foo%2Fbar").text == #"{"status":"success","data":"foo / bar"}"#)
        #expect(
            fixture.get("/api/v1/parse_query", "query=1").text
                == #"{"status":"success","data":{"type":"numberLiteral","val":"1"}}"#)
    }

    @Test func `federation gives the newest samples with external labels`() throws {
        let fixture = try Fixture()
        try fixture.add([(["__name__": "up", "job": "a\"b"], 1.5)])
        #expect(
            fixture.get("/federate", "match[]=up").text == """
                # TYPE up untyped
                up{job="a\\"b",instance="",region="x"} 1.5 100000

                """)
    }

    @Test func `remote write stores what remote read gives back`() throws {
        let fixture = try Fixture()
        // timeseries { labels { "__name__": "m" } labels { "a": "b" } samples { 1.5 @ 110000 } }
        let sample: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 16, 0xB0, 0xDB, 6]
        let name: [UInt8] = [10, 8] + Array("__name__".utf8) + [18, 1] + Array("m".utf8)
        let label: [UInt8] = [10, 1, 97, 18, 1, 98]
        let series =
            [10, UInt8(name.count)] + name + [10, UInt8(label.count)] + label + [18, UInt8(sample.count)] + sample
        let message = [10, UInt8(series.count)] + series
        let fields = ["content-encoding": "snappy", "content-type": "application/x-protobuf"]
        for _ in 0..<2 {
            #expect(fixture.post("/api/v1/write", snappy(message), fields).status == 204)
        }
        let querier = try fixture.database.querier(from: 0, to: 200_000)
        var columns = SampleColumns()
        try #require(try querier.select([Matcher("a", equals: "b")]).first).read(into: &columns)
        #expect(columns.timestamps == [110_000])
        #expect(columns.values == [1.5])
        // queries { start 0, end 200000, matchers { EQ "a" "b" } }
        let matcher: [UInt8] = [18, 1, 97, 26, 1, 98]
        let query: [UInt8] = [16, 0xC0, 0x9A, 12, 26, UInt8(matcher.count)] + matcher
        let read = fixture.post("/api/v1/read", snappy([10, UInt8(query.count)] + query), fields)
        #expect(read.status == 200)
        #expect(try plain(read.collected()).count > series.count)
    }

    @Test(arguments: [
        (
            ["content-encoding": "gzip"], 415,
            "gzip encoding (compression) is not accepted by this server; only snappy is acceptable\n"
        ),
        (
            ["content-type": "text/plain"], 415,
            "expected application/x-protobuf as the first (media) part, got text/plain content-type\n"
        ),
        ([:], 400, "unexpected EOF\n"),
    ])
    func `remote writes that cannot be read are refused`(
        fields: [String: String], status: Int, message: String
    ) throws {
        let response = try Fixture().post("/api/v1/write", snappy([10, 50, 1]), fields)
        #expect(response.status == status)
        #expect(String(decoding: response.collected(), as: UTF8.self) == message)
    }

    @Test func `deleting needs the flag and a selector`() throws {
        let fixture = try Fixture()
        try fixture.add([(["__name__": "up"], 1)])
        #expect(fixture.post("/api/v1/admin/tsdb/delete_series", [], [:]).status == 400)
        let form = ["content-type": "application/x-www-form-urlencoded"]
        #expect(fixture.post("/api/v1/admin/tsdb/delete_series", Array("match[]=up".utf8), form).status == 204)
        #expect(fixture.get("/api/v1/admin/tsdb/delete_series").status == 405)
    }

    @Test func `until it is ready the server says so`() {
        let api = ServerAPI(
            settings: .init(), process: .init(now: { 0 }), parser: Parser(), evaluator: FixedEvaluator(),
            targets: NoTargets())
        #expect(api.respond(to: ServerRequest("GET", "/-/healthy")).status == 200)
        for path in ["/-/ready", "/api/v1/query", "/federate"] as [ByteString] {
            #expect(api.respond(to: ServerRequest("GET", path)).status == 503)
        }
        #expect(api.respond(to: ServerRequest("GET", "/api/v1/status/walreplay")).status == 200)
    }

    @Test func `pages from elsewhere are told that they may read`() throws {
        let request = ServerRequest("GET", "/api/v1/status/flags", fields: ["origin": "http://x"])
        let response = try Fixture().api.respond(to: request)
        #expect(response.fields.contains { $0.name == "Access-Control-Allow-Origin" && $0.value == "http://x" })
        #expect(response.fields.contains { $0.name == "Vary" && $0.value == "Origin" })
        #expect(
            String(decoding: response.collected(), as: UTF8.self) == #"{"status":"success","data":{"a":"1","b":"2"}}"#)
    }

    @Test func `answers depend on the encodings that a client takes, but not streams of events`() throws {
        let fixture = try Fixture()
        let varies = { (path: ByteString) in
            fixture.api.respond(to: ServerRequest("GET", path)).fields.contains {
                $0.name == "Vary" && $0.value == "Accept-Encoding"
            }
        }
        #expect(varies("/api/v1/status/flags") && varies("/federate"))
        #expect(!varies("/api/v1/notifications/live") && !varies("/-/healthy") && !varies("/api/v1/nothing"))
    }

    @Test(
        arguments: [
            ("", "3.1.0", false), ("openapi_version=3.1", "3.1.0", false), ("openapi_version=3.2", "3.2.0", true),
            ("openapi_version=3.2.0", "3.2.0", true), ("openapi_version=4", "3.1.0", false),
        ] as [(ByteString, String, Bool)])
    func `the description of the API names streams where its version can`(
        query: ByteString, version: String, hasStream: Bool
    ) throws {
        let response = try Fixture().api.respond(to: ServerRequest("GET", "/api/v1/openapi.yaml", query: query))
        let text = String(decoding: response.collected(), as: UTF8.self)
        #expect(text.hasPrefix("openapi: \(version)\n"))
        #expect(text.contains("\n  /api/v1/notifications/live:\n") == hasStream)
    }

    @Test func `answers differ by origin, also for those who name none, but not where nothing is served`() throws {
        let fixture = try Fixture()
        let varies = { (response: ServerResponse) in response.fields.contains { $0.name == "Vary" } }
        #expect(varies(fixture.api.respond(to: ServerRequest("GET", "/api/v1/status/flags"))))
        #expect(!varies(fixture.api.respond(to: ServerRequest("GET", "/api/v1/nothing"))))
        let refused = fixture.api.respond(to: ServerRequest("PUT", "/api/v1/notifications"))
        #expect(refused.status == 405 && !varies(refused))
    }

    @Test(arguments: [
        ("/api/v1//labels", "/p/api/v1/labels?a=b", 301), ("/x/../api/v1/./labels", "/p/api/v1/labels?a=b", 301),
        ("/../..", "/p/?a=b", 301), ("//", "/p/?a=b", 301), ("/api/v1/labels/", "/p/api/v1/labels?a=b", 301),
        ("/metrics/", "/p/metrics?a=b", 301), ("/nothing/", "", 404),
    ])
    func `paths that are not quite right lead to those that are`(path: String, target: String, status: Int) throws {
        var request = ServerRequest("GET", ByteString(path), query: "a=b")
        request.routePrefix = "/p"
        let response = try Fixture().api.respond(to: request)
        #expect(response.status == status)
        #expect((response.fields.first { $0.name == "Location" }?.value ?? "") == target)
    }

    @Test(
        arguments: [
            ("1.5", Int64(1500)), ("1_000", 1_000_000), ("1__0", nil), ("_1", nil), ("0x1_0p0", 16_000),
            ("NaN", -9_223_372_036_855),
            ("1e300", 0), ("2015-07-01T2:10:51Z", 1_435_716_651_000), ("1970-01-01T00:00:00+00:60", -3_600_000),
        ] as [(String, Int64?)])
    func `times are read as upstream reads them`(text: String, time: Int64?) {
        #expect(ServerTime.milliseconds(ByteString(text)) == time)
    }

    @Test(arguments: [(1e-7, "0.0000001"), (-0.0, "-0"), (1e21, "1000000000000000000000"), (-Double.infinity, "-Inf")])
    func `a scalar has no exponent`(value: Double, text: String) throws {
        let evaluator = FixedEvaluator(answer: QueryAnswer(value: .scalar(1000, value)))
        let answer = try Fixture(evaluator: evaluator).get("/api/v1/query", "query=x&time=1")
        #expect(answer.text == #"{"status":"success","data":{"resultType":"scalar","result":[1,"\#(text)"]}}"#)
    }

    @Test func `the time of a scalar is as short as can be, that of a vector has three digits`() throws {
        let scalar = FixedEvaluator(answer: QueryAnswer(value: .scalar(1500, 2)))
        let text = { (evaluator: FixedEvaluator) throws in
            try Fixture(evaluator: evaluator).get("/api/v1/query", "query=x&time=1").text
        }
        #expect(try text(scalar).contains(#""result":[1.5,"2"]"#))
        #expect(try text(FixedEvaluator()).contains(#""value":[1.500,"1"]"#))
    }

    @Test func `a label name that is no UTF-8 is refused`() throws {
        let path = ByteString(Array("/api/v1/label/".utf8) + [0xFF] + Array("/values".utf8))
        let response = try Fixture().api.respond(to: ServerRequest("GET", path))
        #expect(String(decoding: response.collected(), as: UTF8.self).contains(#"invalid label name: \"\\xff\""#))
    }

    private func snappy(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SnappyBlock.maximumCompressedSize(bytes.count)) { target, count in
            count = bytes.withUnsafeBytes { SnappyBlock.compress($0, into: UnsafeMutableRawBufferPointer(target)) }
        }
    }

    private func plain(_ bytes: [UInt8]) throws -> [UInt8] {
        let size = try #require(bytes.withUnsafeBytes { SnappyBlock.uncompressedSize($0) })
        return [UInt8](unsafeUninitializedCapacity: size) { target, count in
            count =
                bytes.withUnsafeBytes {
                    SnappyBlock.decompress($0, into: UnsafeMutableRawBufferPointer(target))
                } ?? 0
        }
    }
}

@Suite struct TimeParameterTests {
    @Test(arguments: [
        ("query=up&time=1.5", true), ("query=up&time=1970-01-01T00:00:01.5Z", true),
        ("query=up&time=2023-02-30T00:00:00Z", false), ("query=up&time=1970-01-01T01:00:00%2B01:00", true),
        ("query=up&time=-292273086-05-16T16:47:06Z", true), ("query=up&time=1e400", false),
        ("query=up&time=0x1p3", true),
        ("query=up&time=inf", true),
    ])
    func `moments are numbers or RFC 3339`(query: String, isValid: Bool) throws {
        #expect((try Fixture().get("/api/v1/query", query).status == 200) == isValid)
    }
}
