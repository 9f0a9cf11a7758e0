import NarthexClient
import TestSupport
import Testing

@Suite struct SpoolTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let parent = try TemporaryFolder()
        try body(parent.file("spool"))
    }

    @Test func `entries come back in order and can be removed`() throws {
        try withFolder { folder in
            let spool = Spool(folder: folder)
            #expect(try spool.entries().isEmpty)
            try spool.keep(
                [65, 10], target: "/metrics/job/b", mode: .replaceGroup, nanoseconds: 2_000)
            try spool.keep(
                [66, 10, 67], target: "/metrics/job/a", mode: .accumulate, idempotencyKey: "k-1", nanoseconds: 1_000)
            let entries = try spool.entries()
            #expect(entries.map(\.target) == ["/metrics/job/a", "/metrics/job/b"])
            #expect(entries.first?.body == [66, 10, 67])
            #expect(entries.map(\.mode) == [.accumulate, .replaceGroup])
            #expect(entries.map(\.idempotencyKey) == ["k-1", nil])
            try spool.remove(#require(entries.first))
            #expect(try spool.entries().count == 1)
        }
    }

    @Test func `beyond the limit the oldest go`() throws {
        try withFolder { folder in
            let spool = Spool(folder: folder, limit: 2)
            for time in 1...4 {
                try spool.keep(
                    [], target: "/\(time)", mode: .replaceGroup, nanoseconds: Int64(time))
            }
            #expect(try spool.entries().map(\.target) == ["/3", "/4"])
        }
    }

    @Test func `a folder that cannot be made is said`() {
        #expect(throws: Spool.Failure.self) {
            try Spool(folder: "/proc/none/spool").keep(
                [], target: "/a", mode: .replaceGroup, nanoseconds: 1)
        }
    }
}
