import DurableFiles
import Logging
import Synchronization
import TestSupport
import Testing
import Web

@Suite struct PolicyBookTests {
    @Test func `a file is taken over when it says something else, however young it is`() throws {
        let folder = try TemporaryFolder()
        let log = LineCounter()
        let logger = Logger(label: "test") { _ in
            PromslogHandler(level: .info, format: .logfmt, style: .goKit) { _ in log.count.withLock { $0 += 1 } }
        }
        let path = try folder.write("policies.yml", "policies: []\n")
        let book = try PolicyBook(path: path, logger: logger)
        #expect(!book.refresh())
        try folder.write("policies.yml", "policies: []\n")
        #expect(!book.refresh())
        #expect(log.count.withLock { $0 } == 0)

        try folder.write("policies.yml", "policies: [{match: '{}'}]\n")
        #expect(book.refresh())
        #expect(!book.refresh())
        #expect(log.count.withLock { $0 } == 1)

        try folder.write("policies.yml", "policies: [{}]\n")
        #expect(!book.refresh())
        #expect(!book.refresh())
        #expect(!book.isInForce)
        #expect(log.count.withLock { $0 } == 2)

        // What is in force is written again: the fault is over.
        try folder.write("policies.yml", "policies: [{match: '{}'}]\n")
        #expect(book.refresh())
        #expect(book.isInForce)

        try POSIXFileSystem().remove(path)
        #expect(!book.refresh())
        #expect(!book.refresh())
        #expect(!book.isInForce)
        #expect(log.count.withLock { $0 } == 4)
        try folder.write("policies.yml", "policies: [{match: '{}'}]\n")
        #expect(book.refresh())
        #expect(book.isInForce)
    }

    @Test func `a rate whose inverse no duration can hold is taken`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "policies.yml", "policies: [{match: '{}', limits: {pushes_per_second: 1e-300}}]\n")
        #expect(try PolicyBook(path: path, logger: Logger(label: "test")).isInForce)
    }
}

/// Counts the lines that are logged.
private final class LineCounter: Sendable {
    let count = Mutex(0)
}
