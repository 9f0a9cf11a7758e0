import TestSupport
import Testing

/// The routes of the gateway that are Narthex's own.
@Suite(.enabled(if: Installed.narthex != nil)) struct GatewayAPITests {
    private func started(_ flags: String...) throws -> RunningGateway {
        try RunningGateway(flags, folder: try TemporaryFolder())
    }

    // MARK: Many groups in one request

    @Test func `one body becomes many groups`() throws {
        let gateway = try started()
        let body = (0..<10_000).map { "x{job=\"j\($0 % 100)\",instance=\"\($0)\"} \($0)\n" }.joined()
        let start = ContinuousClock.now
        let answer = try gateway.client.request("PUT", "/api/v1/push?group_by=job,instance", body)
        let time = start.duration(to: .now)
        #expect(answer.status == 200)
        #expect(answer.body == "{\"status\":\"success\",\"data\":{\"groups\":10000,\"accepted\":10000,\"refused\":0}}")
        #expect(time < .seconds(30), "this is a debug build; docs/performance.md has the figure of a release build")
        #expect(try gateway.value(of: "narthex_gateway_groups") == 10_000)
        #expect(try gateway.value(of: "x{instance=\"77\",job=\"j77\"}") == 77)
    }

    @Test func `a batch is all or nothing unless it says otherwise`() throws {
        let gateway = try started()
        let client = gateway.client
        let first = try client.request("POST", "/api/v1/push?group_by=job", "# TYPE x counter\nx{job=\"other\"} 1\n")
        #expect(first.status == 200)
        let mixed = "# TYPE x gauge\nx{job=\"a\"} 2\n# TYPE y gauge\ny{job=\"b\"} 2\n"
        let refused = try client.request("POST", "/api/v1/push?group_by=job", mixed)
        #expect(refused.status == 400 && refused.body.hasPrefix("{\"status\":\"error\",\"errorType\":\"bad_data\""))
        #expect(try gateway.valuesByJob("y").isEmpty)
        #expect(Set(try gateway.valuesByJob("push_failure_time_seconds").keys) == ["a", "other"], "the one at fault")
        let each = try client.request("POST", "/api/v1/push?group_by=job&atomic=false", mixed)
        #expect(each.status == 207)
        #expect(each.body.contains("\"accepted\":1,\"refused\":1"))
        #expect(each.body.contains("{\"labels\":{\"job\":\"b\"},\"status\":200}"))
        #expect(try gateway.value(of: "y{instance=\"\",job=\"b\"}") == 2)
    }

    @Test func `a batch can add, be repeated, and have a lifetime`() throws {
        let gateway = try started()
        for _ in 0..<2 {
            let answer = try gateway.client.request(
                "PATCH", "/api/v1/push?group_by=job&lifetime=1h",
                "# TYPE x counter\nx{job=\"a\"} 1\nx{job=\"b\"} 2\n", headers: ["Idempotency-Key: batch"])
            #expect(answer.status == 200)
        }
        #expect(try gateway.valuesByJob("x") == ["a": 1, "b": 2])
        #expect(try gateway.valuesByJob("push_expiry_time_seconds").count == 2)
    }

    @Test(arguments: [
        ("/api/v1/push", "x{job=\"a\"} 1\n", "group_by is missing"),
        ("/api/v1/push?group_by=job", "x 1\n", "has no job label"),
        ("/api/v1/push?group_by=__x", "x{job=\"a\"} 1\n", "improper label name"),
        ("/api/v1/push?group_by=job&atomic=maybe", "x{job=\"a\"} 1\n", "neither true nor false"),
        ("/api/v1/push?group_by=job", "x{job=\"a\"\n", "text format parsing error in line 1"),
    ])
    func `a batch that makes no sense is refused with a sentence`(path: String, body: String, reason: String) throws {
        let gateway = try started()
        let answer = try gateway.client.request("PUT", path, body)
        #expect(answer.status == 400)
        #expect(answer.body.contains(reason))
    }

    // MARK: Parts of a scrape

    @Test func `a scrape can ask for a part`() throws {
        let gateway = try started()
        let client = gateway.client
        for job in ["a", "b", "c", "d", "e", "f"] {
            #expect(try client.request("PUT", "/metrics/job/\(job)", "x 1\ny 2\n").status == 200)
        }
        let lines = { (query: String) in
            try client.request("GET", "/metrics?" + query).body.split(separator: "\n").filter { !$0.hasPrefix("#") }
        }
        #expect(try lines("match[]=x{job=\"b\"}") == ["x{instance=\"\",job=\"b\"} 1"])
        #expect(try lines("match[]=x{job=\"b\"}&match[]=y{job=~\"a|z\"}").count == 2)
        #expect(try lines("match[]=pushgateway_build_info").count == 1)
        #expect(try lines("self=false").allSatisfy { $0.contains("job=\"") })
        var parts: [Substring] = []
        for shard in 1...4 { parts += try lines("self=false&shard=\(shard)/4") }
        #expect(parts.sorted() == (try lines("self=false")).sorted())
        #expect(try lines("shard=2/4").allSatisfy { $0.contains("job=\"") })
        for query in ["match[]={", "shard=0/4", "shard=5/4", "shard=x", "self=maybe"] {
            #expect(try client.request("GET", "/metrics?" + query).status == 400)
        }
    }

    @Test func `own metrics can be apart or nowhere`() throws {
        let separate = try started("--web.own-metrics=separate")
        #expect(
            try separate.client.request("PUT", "/metrics/job/a", "# TYPE go_goroutines counter\ngo_goroutines 1\n")
                .status == 200)
        let scrape = try separate.client.request("GET", "/metrics").body
        #expect(
            !scrape.contains("pushgateway_build_info") && scrape.contains("go_goroutines{instance=\"\",job=\"a\"} 1"))
        let own = try separate.client.request("GET", "/metrics/self").body
        #expect(own.contains("pushgateway_build_info") && !own.contains("job=\"a\""))
        let off = try started("--web.own-metrics=off")
        #expect(try off.client.request("GET", "/metrics").body == "")
        #expect(try off.client.request("GET", "/metrics/self").status == 404)
        let together = try started()
        #expect(try together.client.request("GET", "/metrics/self").status == 404)
    }

    // MARK: Deletion

    @Test func `groups are deleted by selector and age`() throws {
        let gateway = try started()
        let client = gateway.client
        for job in ["a", "b", "ci-1", "ci-2"] {
            #expect(try client.request("PUT", "/metrics/job/\(job)", "x 1\n").status == 200)
        }
        let delete = { (query: String) in try client.request("DELETE", "/api/v1/groups?" + query) }
        #expect(try delete("").status == 400)
        #expect(try delete("match[]={job=~\"ci-(\"}").status == 400)
        #expect(try delete("match[]=x").status == 400)
        #expect(try delete("match[]={}&older_than=soon").status == 400)
        let dry = try delete("match[]={job=~\"ci-.*\"}&dry_run=true")
        #expect(
            dry.body == "{\"status\":\"success\",\"data\":{\"dry_run\":true,\"deleted\":2,\"groups\":"
                + "[{\"job\":\"ci-1\"},{\"job\":\"ci-2\"}]}}")
        #expect(try delete("match[]={job=~\"ci-.*\"}&older_than=1h").body.contains("\"deleted\":0"))
        #expect(try gateway.valuesByJob("x").count == 4)
        #expect(try delete("match[]={job=~\"ci-.*\"}").body.contains("\"deleted\":2"))
        #expect(Set(try gateway.valuesByJob("x").keys) == ["a", "b"])
        #expect(try delete("match[]={}").body.contains("\"deleted\":2"))
        #expect(try gateway.valuesByJob("x").isEmpty)
        #expect(try gateway.value(of: "narthex_gateway_groups_deleted_total") == 4)
    }

    // MARK: What bodies may be, and what a group holds

    @Test func `line ends of other systems are taken where that is allowed`() throws {
        let strict = try started()
        let windows = try strict.client.request("PUT", "/metrics/job/a", "# TYPE x gauge\r\nx 1\r\n")
        #expect(windows.status == 400)
        #expect(
            windows.body.hasPrefix("text format parsing error in line 1: ") && windows.body.contains("--push.lenient"))
        let unended = try strict.client.request("PUT", "/metrics/job/a", "x 1")
        #expect(
            unended.body == "text format parsing error in line 1: unexpected end of input stream; the last line has no "
                + "line feed at its end: add one, or start the gateway with --push.lenient\n")
        let lenient = try started("--push.lenient")
        #expect(
            try lenient.client.request("PUT", "/metrics/job/a", "# HELP x h\r\n# TYPE x gauge\r\nx{a=\"b\"} 1\r\ny 2")
                .status == 200)
        let scrape = try lenient.client.request("GET", "/metrics?self=false").body
        #expect(
            scrape.contains("# HELP x h\n# TYPE x gauge\nx{instance=\"\",job=\"a\",a=\"b\"} 1\n")
                || scrape.contains("# HELP x h\n# TYPE x gauge\nx{a=\"b\",instance=\"\",job=\"a\"} 1\n"))
        #expect(try lenient.value(of: "y{instance=\"\",job=\"a\"}") == 2)
        #expect(try lenient.client.request("PUT", "/metrics/job/a", "x\r\n").status == 400)
    }

    @Test func `a group is given back where that is allowed`() throws {
        let gateway = try started("--push.enable-get")
        let client = gateway.client
        let body = "# HELP x What.\n# TYPE x gauge\nx{a=\"b\"} 1\n"
        #expect(try client.request("PUT", "/metrics/job/a/instance/i", body).status == 200)
        let text = try client.request("GET", "/metrics/job/a/instance/i").body
        #expect(text == "# HELP x What.\n# TYPE x gauge\nx{a=\"b\",instance=\"i\",job=\"a\"} 1\n")
        #expect(try client.request("PUT", "/metrics/job/a/instance/i", text).status == 200)
        #expect(try client.request("GET", "/metrics/job/a/instance/i").body == text)
        let json = try client.request("GET", "/metrics/job/a/instance/i", headers: ["Accept: application/json"]).body
        #expect(json.hasPrefix("{\"status\":\"success\",\"data\":{\"labels\":{\"instance\":\"i\",\"job\":\"a\"}"))
        #expect(try client.request("GET", "/metrics/job/nobody").status == 404)
        let plain = try started()
        #expect(try plain.client.request("GET", "/metrics/job/a").status == 405)
    }
}
