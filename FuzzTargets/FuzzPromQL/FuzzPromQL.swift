import MetricModel
import PromQL

/// libFuzzer's own loop; it calls `body` with each input and does not return before its time is up.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

@main struct FuzzPromQL {
    private static let parser = Parser(options: .everything)

    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        _ = runDriver(&count, &arguments) { data, size in
            FuzzPromQL.run(UnsafeBufferPointer(start: data, count: size))
            return 0
        }
    }

    /// Any bytes are a query, a selector, a metric and a series description, or are refused.
    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        let text = ByteString(Array(input))
        _ = try? parser.parseMetricSelector(text)
        _ = try? parser.parseMetric(text)
        _ = try? parser.parseSeriesDescription(text)
        _ = try? DurationGrammar.parseSigned(text)
        guard let expression = try? parser.parseExpression(text) else { return }
        _ = expression.json
        _ = expression.prettyText
        _ = try? parser.parseExpression(ByteString(expression.description))
    }
}
