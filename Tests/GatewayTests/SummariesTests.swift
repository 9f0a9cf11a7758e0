import Gateway
import MetricModel
import Testing

@Suite struct SummariesTests {
    private func store() -> GatewayStore {
        let store = GatewayStore()
        for (job, family) in [("backup", "size_bytes"), ("Report", "rows"), ("import", "rows")] {
            let metric = Metric(labels: [], value: .gauge(1))
            let push = Push(
                group: GroupingKey([LabelPair("job", ByteString(job))]),
                families: [MetricFamily(name: ByteString(family), type: .gauge, metrics: [metric])],
                mode: .replaceGroup, time: 1_000_000_000)
            store.submit(.push(push)) { _ in }
        }
        return store
    }

    @Test(arguments: [
        ("", ["Report", "backup", "import"]), ("rows", ["Report", "import"]), ("REPO", ["Report"]),
        ("job", ["Report", "backup", "import"]),
        ("nothing", []), ("size_bytess", []),
    ]) func `the text is looked for in labels and family names`(text: String, jobs: [String]) {
        let found = store().summaries(containing: ByteString(text))
        #expect(found.compactMap { $0.key["job"]?.string }.sorted() == jobs)
    }

    @Test func `a summary counts families and metrics`() throws {
        let summary = try #require(store().summaries(containing: "backup").first)
        #expect(summary.familyCount == 1)
        #expect(summary.metricCount == 1)
        #expect(summary.pushTime == 1_000_000_000)
        #expect(summary.lastPushSuccessful)
    }
}
