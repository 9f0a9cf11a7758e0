import NarthexClient
import Testing

@Suite struct JobKeyTests {
    @Test(arguments: [
        (JobKey(job: "a"), "/metrics/job/a"),
        (JobKey(job: "a b", labels: [.init("instance", "x:1")]), "/metrics/job/a%20b/instance/x%3A1"),
        (JobKey(job: "/var/tmp"), "/metrics/job@base64/L3Zhci90bXA"),
        (JobKey(job: "a", labels: [.init("x", "")]), "/metrics/job/a/x@base64/="),
        (JobKey(job: "a", labels: [.init("dir", "..")]), "/metrics/job/a/dir@base64/Li4"),
        (JobKey(job: "ü"), "/metrics/job/%C3%BC"),
    ]) func `paths carry any value`(key: JobKey, path: String) {
        #expect(key.path == path)
    }
}
