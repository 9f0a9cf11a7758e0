import Gateway
import Testing
import Web

@Suite struct PushTargetTests {
    private func group(_ job: String, _ rest: String = "", isBase64: Bool = false, utf8: Bool = false) throws(PushTarget
        .Invalid) -> String
    {
        let key = try PushTarget.group(
            job: Array(job.utf8)[...], isBase64: isBase64, rest: Array(rest.utf8)[...], allowsUTF8: utf8)
        return key.description
    }

    @Test func `labels become the group's key`() throws {
        #expect(try group("a") == #"{job="a"}"#)
        #expect(try group("a", "/") == #"{job="a"}"#)
        #expect(try group("a", "/l/v") == #"{job="a",l="v"}"#)
        #expect(try group("a", "/l/") == #"{job="a",l=""}"#)
        #expect(try group("a", "/job/b") == #"{job="a"}"#)
        #expect(try group("a", "/l/1/l/2") == #"{job="a",l="2"}"#)
        #expect(try group("a", "/l@base64/=") == #"{job="a",l=""}"#)
        #expect(try group("a", "/l@base64/L3Zhci90bXA") == #"{job="a",l="/var/tmp"}"#)
        #expect(try group("c29tZS9qb2I=", isBase64: true) == #"{job="some/job"}"#)
        #expect(try group("a", "/U__foo_2e_bar/v", utf8: true) == #"{foo.bar="v",job="a"}"#)
    }

    @Test(arguments: [
        ("/l", "odd number of components in label string \"/l\""), ("/__x/v", "improper label name \"__x\""),
        ("/a-b/v", "improper label name \"a-b\""), ("//v", "improper label name \"\""),
        ("/b@base64/@@", "invalid base64 encoding for label b=\"@@\": illegal base64 data at input byte 0"),
    ])
    func `what is no group is refused in upstream's words`(rest: String, message: String) {
        #expect(throws: PushTarget.Invalid(description: message)) { try group("a", rest) }
    }

    @Test(arguments: [("YQ=a", "", 2), ("YWJjZGV*", "abc", 7), ("YWJjZ", "abc", 4)])
    func `a job that is no base64 is shown as far as whole groups of four go`(text: String, shown: String, offset: Int)
    {
        let message = "invalid base64 encoding in job name \"\(shown)\": illegal base64 data at input byte \(offset)"
        #expect(throws: PushTarget.Invalid(description: message)) { try group(text, isBase64: true) }
    }

    @Test func `labels that are not UTF-8 name no group, which is no error for who deletes`() throws {
        let invalid = #expect(throws: PushTarget.Invalid.self) { try group("_w", isBase64: true) }
        #expect(try #require(invalid).namesNoGroup)
        let improper = #expect(throws: PushTarget.Invalid.self) { try group("a", "/a-b/v") }
        #expect(try #require(improper).namesNoGroup == false)
    }

    @Test func `a job is required`() {
        #expect(throws: PushTarget.Invalid(description: "job name is required")) { try group("=", isBase64: true) }
    }

    @Test func `a path with more labels than the limit is refused`() {
        let rest = (0..<100).map { "/l\($0)/v" }.joined()
        #expect(throws: PushTarget.Invalid.self) { try group("a", rest) }
    }
}
