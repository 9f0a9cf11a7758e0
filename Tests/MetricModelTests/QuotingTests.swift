import MetricModel
import Testing

@Suite struct QuotingTests {
    @Test(
        arguments: [
            (Array("a\"b\\\n\t\u{1}\u{7F}é世\u{AD}".utf8), "\"a\\\"b\\\\\\n\\t\\x01\\x7fé世\\u00ad\""),
            ([0x61, 0xFF, 0xC3], "\"a\\xff\\xc3\""),
            ([0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80], "\"\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\""),
            ([0xE4, 0xB8, 0x96, 0xE4, 0xB8], "\"世\\xe4\\xb8\""),
        ] as [([UInt8], String)])
    func `text is quoted as Go quotes it`(bytes: [UInt8], quoted: String) {
        #expect(Quoting.quote(ByteString(bytes)) == quoted)
    }

    @Test func `many bad bytes cost no more than as many good ones`() {
        // A square of this number of steps would not end within the time of a test run.
        let bytes = [UInt8](repeating: 0xFF, count: 2_000_000)
        #expect(Quoting.quote(ByteString(bytes)).utf8.count == 8_000_002)
    }
}
