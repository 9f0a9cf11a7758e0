import Compression
import Testing

@Suite struct GzipInflaterTests {
    /// `gzip` of "hello\n".
    static let hello: [UInt8] = [
        0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0xE7, 0x02, 0x00, 0x20, 0x30, 0x3A,
        0x36, 0x06, 0x00, 0x00, 0x00,
    ]

    private func inflate(_ bytes: [UInt8], limit: Int = 1000) throws -> String {
        try bytes.withUnsafeBufferPointer {
            String(decoding: try GzipInflater.inflate($0, limit: limit), as: UTF8.self)
        }
    }

    @Test func `members follow each other`() throws {
        #expect(try inflate(Self.hello) == "hello\n")
        #expect(try inflate(Self.hello + Self.hello) == "hello\nhello\n")
    }

    @Test func `what is damaged, cut or too long is refused`() {
        #expect(throws: GzipInflater.Failure.invalid) { try inflate([1, 2, 3, 4]) }
        #expect(throws: GzipInflater.Failure.truncated) { try inflate(Array(Self.hello.dropLast(3))) }
        #expect(throws: GzipInflater.Failure.truncated) { try inflate([]) }
        #expect(throws: GzipInflater.Failure.tooLong) { try inflate(Self.hello, limit: 3) }
        var damaged = Self.hello
        damaged[20] ^= 0xFF
        #expect(throws: GzipInflater.Failure.invalid) { try inflate(damaged) }
    }
}
