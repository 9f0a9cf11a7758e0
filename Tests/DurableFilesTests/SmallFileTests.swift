import DurableFiles
import TestSupport
import Testing

@Suite struct SmallFileTests {
    @Test func `a file is read whole, up to the limit`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a", "text")
        #expect(try SmallFile.read(path) == Array("text".utf8))
        #expect(try SmallFile.read(path, limit: 4).count == 4)
        #expect(throws: SmallFile.Unreadable.self) { try SmallFile.read(path, limit: 3) }
    }

    @Test func `what keeps a file from being read is told in Go's words`() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("missing")
        let error = #expect(throws: SmallFile.Unreadable.self) { try SmallFile.read(missing) }
        #expect(error?.description == "open \(missing): no such file or directory")
        #expect(error?.isMissing == true)
        let other = #expect(throws: SmallFile.Unreadable.self) { try SmallFile.read(folder.path) }
        #expect(other?.description == "read \(folder.path): is a directory")
        #expect(other?.isMissing == false)
    }

    @Test func `a stamp tells that a file is another one, and never that a fresh one is the same`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a", "text")
        let fresh = try #require(FileStamp(path: path))
        #expect(!fresh.isSame(as: fresh))
        #expect(FileStamp(path: folder.file("missing")) == nil)
        #expect(FileStamp.areSame([nil], as: [nil]))
        #expect(!FileStamp.areSame([nil], as: [fresh]))
        #expect(!FileStamp.areSame([], as: [nil]))
    }
}
