import ByteCoding
import Gateway
import MetricModel
import Testing
import Web

@Suite struct PushPathTests {
    @Test(
        arguments: [
            (["job": "a"], "job/a"),
            (["job": "a b", "instance": "x:1"], "job/a%20b/instance/x:1"),
            (["job": "/var/tmp"], "job@base64/L3Zhci90bXA"),
            (["job": "a", "x": ""], "job/a/x@base64/="),
            (["job": "a", "dir": ".."], "job/a/dir@base64/Li4"),
            (["job": "a", "foo.bar": "1"], "job/a/U__foo_2e_bar/1"),
            (["job": "<script>\"'"], "job/%3Cscript%3E%22%27"),
        ] as [(KeyValuePairs<String, String>, String)]) func `a path leads back to its group`(
            labels: KeyValuePairs<String, String>, path: String
        ) throws
    {
        let key = GroupingKey(labels)
        #expect(PushPath.text(key) == path)
        let decoded = try #require(PercentCoding.decode(Array(path.utf8)))
        let isBase64 = path.hasPrefix("job@base64/")
        let rest = decoded.dropFirst(isBase64 ? 11 : 4)
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let group = try PushTarget.group(
            job: rest[..<slash], isBase64: isBase64, rest: rest[slash...], allowsUTF8: true)
        #expect(group == key)
    }
}
