import ByteCoding
import Testing

/// Base64, percent-encoding, JSON strings: what Go's libraries write.
@Suite struct TextCodingTests {
    /// The vectors of RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 is written with padding, and for URLs without`(text: String, encoded: String) throws {
        let bytes = Array(text.utf8)
        #expect(Base64.encodeStandard(bytes) == encoded)
        #expect(Base64.encodeURL(bytes) == String(encoded.prefix { $0 != "=" }))
        #expect(Base64.decodeStandard(Array(encoded.utf8)) == bytes)
    }

    @Test func `the last two digits of base64 depend on the alphabet`() {
        #expect(Base64.encodeStandard([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encodeURL([0xFB, 0xFF]) == "-_8")
    }

    @Test func `names and values of a query are written as Go's url.QueryEscape writes them`() {
        let text = Array("a b/c?d=e&f+g~h%\u{e9}!*'()".utf8)
        #expect(PercentCoding.encodeQuery(text) == "a+b%2Fc%3Fd%3De%26f%2Bg~h%25%C3%A9%21%2A%27%28%29")
        #expect(PercentCoding.decode(Array(PercentCoding.encodeQuery(text).utf8), plusIsSpace: true) == text)
    }

    @Test func `paths are written as Go's url.URL writes them`() {
        let text = Array("/a b/$&+,:;=@/!*'()[]?#%".utf8)
        #expect(PercentCoding.encodePath(text) == "/a%20b/$&+,:;=@/%21%2A%27%28%29%5B%5D%3F%23%25")
    }

    @Test func `markup is escaped in JSON for browsers, and left alone in logs`() {
        func json(_ text: String, escapesMarkup: Bool) -> String {
            var bytes: [UInt8] = []
            JSONText.append(text, escapesMarkup: escapesMarkup, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(json("<a&b>\n\u{1}\u{2028}", escapesMarkup: true) == #""\u003ca\u0026b\u003e\n\u0001\u2028""#)
        #expect(json("<a&b>\n\u{1}\u{2028}", escapesMarkup: false) == #""<a&b>\n\u0001\u2028""#)
    }
}
