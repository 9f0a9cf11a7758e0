import Exposition
import Testing

@Suite struct NegotiationTests {
    @Test(
        arguments: [
            (nil, .text, .underscores), ("", .text, .underscores), ("*/*", .text, .underscores),
            (";;q=x,,/", .text, .underscores), ("text/plain; version=1.0.0; escaping=allow-utf-8", .text, .allowUTF8),
            ("text/plain; escaping=rot13", .text, .underscores),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                    + "text/plain;version=0.0.4;q=0.5", .protobufDelimited, .underscores
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text;q=0.4,"
                    + "text/plain;q=0.5;escaping=values", .text, .values
            ),
            (
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=compact-text",
                .protobufCompactText, .underscores
            ),
            ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", .text, .underscores),
        ] as [(String?, ExpositionFormat.Kind, NameEscaping)])
    func `the answer's format follows Accept`(accept: String?, kind: ExpositionFormat.Kind, escaping: NameEscaping) {
        #expect(Negotiation.format(accept: accept) == ExpositionFormat(kind, escaping: escaping))
    }

    @Test func `OpenMetrics is chosen only where it is offered`() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
        let format = Negotiation.format(accept: prometheus, includesOpenMetrics: true)
        #expect(format == ExpositionFormat(.openMetrics100, escaping: .allowUTF8))
        #expect(
            format.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
        #expect(
            Negotiation.format(accept: prometheus).contentType
                == "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8")
        let old = Negotiation.format(accept: "application/openmetrics-text", includesOpenMetrics: true)
        #expect(old.kind == .openMetrics001)
    }

    @Test(
        arguments: [
            ([], .identity), (["gzip"], .gzip), (["gzip, deflate, br"], .gzip), (["deflate"], .identity),
            (["*"], .identity), (["gzip;q=0"], .identity), (["identity;q=0.5, gzip;q=0.8"], .gzip),
            (["zstd, gzip"], .gzip), (["gzip;x=1"], .identity), (["br", "gzip"], .gzip),
        ] as [([String], Negotiation.ContentCoding)])
    func `the coding follows Accept-Encoding`(headers: [String], coding: Negotiation.ContentCoding) {
        #expect(Negotiation.contentCoding(acceptEncoding: headers) == coding)
    }

    @Test func `zstd is chosen where it is offered`() {
        let offers: [Negotiation.ContentCoding] = [.identity, .gzip, .zstd]
        #expect(Negotiation.contentCoding(acceptEncoding: ["zstd, gzip;q=0.5"], offers: offers) == .zstd)
        #expect(Negotiation.contentCoding(acceptEncoding: ["gzip, zstd"], offers: offers) == .gzip)
    }

    @Test(
        arguments: [
            (nil, false), ("text/plain", false),
            ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", true),
            ("Application/vnd.google.PROTOBUF;Encoding=\"delimited\" ; PROTO=io.prometheus.client.MetricFamily;", true),
            ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=Delimited", false),
            ("application/vnd.google.protobuf; encoding=delimited", false),
            ("application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily; ;x", false),
        ] as [(String?, Bool)])
    func `a push is protobuf only if all three parts say so`(contentType: String?, isProtobuf: Bool) {
        #expect(Negotiation.pushFormat(contentType: contentType) == (isProtobuf ? .protobufDelimited : .text))
    }

    @Test func `OpenMetrics pushes are opt-in`() {
        let type = "application/openmetrics-text; version=1.0.0"
        #expect(Negotiation.pushFormat(contentType: type) == .text)
        #expect(Negotiation.pushFormat(contentType: type, acceptsOpenMetrics: true) == .openMetrics)
    }
}
