import ByteCoding
import TestSupport
import Testing

@Suite struct JSONPointsTests {
    private func text(_ points: [JSONPoints.Point]) -> String {
        var output: [UInt8] = []
        JSONPoints.append(points, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `points are written as the API's clients know them`() {
        let points: [JSONPoints.Point] = [
            (1_435_781_451_781, 1), (1_435_781_451_000, 0.1), (-1500, -0.0), (7, .nan), (0, .infinity), (0, -.infinity),
            (1000, 1e21), (1000, 1e20), (1000, 123_456_789_012_345_683_968), (1000, 1e-6), (1000, 9.9e-7),
        ]
        #expect(
            text(points) == """
                [1435781451.781,"1"],[1435781451,"0.1"],[-1.500,"-0"],[0.007,"NaN"],[0,"+Inf"],[0,"-Inf"],[1,"1e+21"],\
                [1,"100000000000000000000"],[1,"123456789012345680000"],[1,"0.000001"],[1,"9.9e-07"]
                """)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `numbers are written as FloatText writes them`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let points: [JSONPoints.Point] = (0..<2000).map { index in
            let bits = UInt64.random(in: .min ... .max, using: &random)
            let small = Double(Int64.random(in: -10_000_000...10_000_000, using: &random)) / 1000
            return (Int64.random(in: .min ... .max, using: &random), index % 2 == 0 ? Double(bitPattern: bits) : small)
        }
        var expected: [UInt8] = []
        for (index, point) in points.enumerated() {
            if index > 0 { expected += ",".utf8 }
            expected += "[\(point.timestamp < 0 ? "-" : "")\(point.timestamp.magnitude / 1000)".utf8
            let rest = point.timestamp.magnitude % 1000
            if rest > 0 { expected += ".\(String(1000 + rest).dropFirst())".utf8 }
            expected += ",\"".utf8
            FloatText.append(point.value, .api, to: &expected)
            expected += "\"]".utf8
        }
        #expect(text(points) == String(decoding: expected, as: UTF8.self))
    }

    @Test func `only what must be is escaped`() {
        for prefix in ["", "12345678", "123456789é"] {
            var output: [UInt8] = []
            Array((prefix + "a\"b\\c\n\u{1}<\u{7f}").utf8).withUnsafeBytes {
                JSONPoints.appendQuoted($0, to: &output)
            }
            #expect(String(decoding: output, as: UTF8.self) == "\"" + prefix + #"a\"b\\c\n\u0001<"# + "\u{7f}\"")
        }
    }
}
