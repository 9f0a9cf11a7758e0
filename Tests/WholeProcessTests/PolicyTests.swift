import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Policies and access as users meet them: with files, and with clients that know only Pushgateway.
@Suite struct PolicyTests {
    private static let policies = """
        policies:
          - match: '{job="function"}'
            accumulate: true
            gauges: {default: last, 'peak_.*': max}
          - match: '{job=~"ci-.*"}'
            lifetime: 1h
            limits: {groups: 2, series: 3}
        """

    private func push(_ gateway: RunningGateway, _ method: String, _ path: String, _ text: String) throws -> Int {
        try gateway.client.request(method, path, text).status
    }

    @Test func `clients that know only Pushgateway are covered by policies`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("policies.yml", Self.policies)
        let flags = ["--gateway.policy-file=\(file)", "--persistence.file=\(folder.path)/metrics"]
        let gateway = try RunningGateway(flags, folder: folder)
        for peak in [3, 9, 4] {
            let text = "# TYPE runs_total counter\nruns_total 1\n# TYPE peak_bytes gauge\npeak_bytes \(peak)\n"
            #expect(try push(gateway, "PUT", "/metrics/job/function", text) == 200)
        }
        #expect(try gateway.value(of: #"runs_total{instance="",job="function"}"#) == 3)
        #expect(try gateway.value(of: #"peak_bytes{instance="",job="function"}"#) == 9)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-1", "x 1\n") == 200)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-2", "x 1\n") == 200)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-3", "x 1\n") == 429)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-1", "x 1\ny 1\nz 1\n") == 429)
        #expect(try gateway.value(of: #"push_expiry_time_seconds{instance="",job="ci-1"}"#) != nil)
        gateway.kill()
        // What counts towards a limit is found again after a restart.
        let next = try RunningGateway(flags, folder: folder)
        #expect(try push(next, "PUT", "/metrics/job/ci-3", "x 1\n") == 429)
        #expect(try push(next, "DELETE", "/metrics/job/ci-1", "") == 202)
        #expect(try push(next, "PUT", "/metrics/job/ci-3", "x 1\n") == 200)
        #expect(next.stop() == 0)
    }

    @Test(.enabled(if: Installed.python != nil, "prometheus_client is not installed"))
    func `short runs of the official Python client add up`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("policies.yml", Self.policies)
        let gateway = try RunningGateway(["--gateway.policy-file=\(file)"], folder: folder)
        let script = try folder.write(
            "run.py",
            """
            import sys
            from prometheus_client import CollectorRegistry, Counter, Histogram, push_to_gateway
            registry = CollectorRegistry()
            Counter("invocations", "Runs.", registry=registry).inc()
            Histogram("took_seconds", "Time.", registry=registry).observe(0.3)
            push_to_gateway(sys.argv[1], job="function", registry=registry)
            """)
        let python = try #require(Installed.python)
        for _ in 0..<3 { #expect(try ChildProcess([python, script, gateway.address]).wait() == 0) }
        #expect(try gateway.value(of: #"invocations_total{instance="",job="function"}"#) == 3)
        #expect(try gateway.value(of: #"took_seconds_bucket{instance="",job="function",le="0.5"}"#) == 3)
        #expect(gateway.stop() == 0)
    }

    @Test func `a changed policy file is taken over, a broken one is not`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("policies.yml", "policies: []\n")
        let gateway = try RunningGateway(["--gateway.policy-file=\(file)"], folder: folder)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-1", "x 1\n") == 200)
        #expect(try gateway.value(of: "narthex_gateway_policies_in_force") == 1)
        try folder.write("policies.yml", "policies: [{match: '{job=~\"ci-.*\"}', limits: {groups: 1}}]\n")
        let limited = try eventually("the policy holds") {
            try push(gateway, "PUT", "/metrics/job/ci-2", "x 1\n") == 429 ? true : nil
        }
        #expect(limited)
        try folder.write("policies.yml", "policies: [{}]\n")
        let seen = try eventually("the fault shows") {
            try gateway.value(of: "narthex_gateway_policies_in_force") == 0 ? true : nil
        }
        #expect(seen)
        #expect(try push(gateway, "PUT", "/metrics/job/ci-9", "x 1\n") == 429)
        #expect(gateway.stop() == 0)
    }

    @Test func `a change of the file refills nothing for policies that stay`() throws {
        let folder = try TemporaryFolder()
        // One push now, the next in half an hour.
        let rare = "policies:\n- {match: '{job=\"rare\"}', limits: {pushes_per_second: 0.0005}}\n"
        let file = try folder.write("policies.yml", rare)
        let gateway = try RunningGateway(["--gateway.policy-file=\(file)"], folder: folder)
        #expect(try push(gateway, "PUT", "/metrics/job/rare", "x 1\n") == 200)
        #expect(try push(gateway, "PUT", "/metrics/job/rare", "x 1\n") == 429)
        try folder.write("policies.yml", rare + "- {match: '{job=\"new\"}', limits: {groups: 0}}\n")
        let isChanged = try eventually("the new policy holds") {
            try push(gateway, "PUT", "/metrics/job/new", "x 1\n") == 429 ? true : nil
        }
        #expect(isChanged)
        #expect(try push(gateway, "PUT", "/metrics/job/rare", "x 1\n") == 429)
        // Another rate is another limit.
        try folder.write(
            "policies.yml", "policies:\n- {match: '{job=\"rare\"}', limits: {pushes_per_second: 0.0004}}\n")
        let isTaken = try eventually("the new rate holds") {
            try push(gateway, "PUT", "/metrics/job/rare", "x 1\n") == 200 ? true : nil
        }
        #expect(isTaken)
        #expect(gateway.stop() == 0)
    }

    @Test func `a file of rights lets in whom it names`() throws {
        let folder = try TemporaryFolder()
        // The hash of `ci-password`.
        let file = try folder.write(
            "access.yml",
            """
            health: open
            tokens:
              - name: ci
                token: sha256:d59d14ed7bc09f4f62fd8270fa31126c01691c7fa666dc81371686d5ed57e449
                grants:
                  - {rights: [push], match: '{job=~"ci-.*"}'}
                  - {rights: [read]}
            """)
        let gateway = try RunningGateway(["--gateway.access-file=\(file)"], folder: folder)
        func status(_ method: String, _ path: String, token: String?) throws -> Int {
            let headers = token.map { ["Authorization: Bearer \($0)"] } ?? []
            return try gateway.client.request(method, path, "x 1\n", headers: headers).status
        }
        #expect(try status("PUT", "/metrics/job/ci-1", token: "ci-password") == 200)
        #expect(try status("PUT", "/metrics/job/web", token: "ci-password") == 403)
        #expect(try status("PUT", "/metrics/job/ci-1", token: nil) == 401)
        #expect(try status("PUT", "/api/v1/push?group_by=job", token: nil) == 401)
        #expect(try status("GET", "/metrics", token: "wrong") == 401)
        #expect(try status("GET", "/metrics", token: "ci-password") == 200)
        #expect(try status("GET", "/-/healthy", token: nil) == 200)
        #expect(gateway.stop() == 0)
    }
}
