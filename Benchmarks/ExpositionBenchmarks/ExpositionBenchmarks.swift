import ByteCoding
import Compression
import Exposition
import MetricModel

@main struct ExpositionBenchmarks {
    static func main() {
        let only = CommandLine.arguments.dropFirst().first
        if only == nil || only == "numbers" { numbers() }
        if only == nil || only == "parsing" { parsing() }
        if only == nil || only == "encoding" { encoding() }
        if only == nil || only == "reading" { reading() }
    }

    /// Twenty series in 1.5 kB, as a batch job pushes them.
    static let pushBody: [UInt8] = {
        var text = "# HELP batch_last_success_timestamp_seconds Last time.\n"
        text += "# TYPE batch_last_success_timestamp_seconds gauge\n"
        text += "batch_last_success_timestamp_seconds 1.7637612e+09\n"
        text += "# HELP batch_stage_duration_seconds Time.\n# TYPE batch_stage_duration_seconds gauge\n"
        for stage in ["extract", "clean", "join", "load", "report"] {
            text += "batch_stage_duration_seconds{stage=\"\(stage)\",region=\"eu-west-1\"} 12.345\(stage.count)\n"
        }
        text += "# HELP batch_records_total Records.\n# TYPE batch_records_total counter\n"
        for status in ["ok", "failed", "skipped", "late"] {
            text += "batch_records_total{status=\"\(status)\",table=\"orders\"} 1234\(status.count)\n"
        }
        text += "# HELP batch_query_duration_seconds Queries.\n# TYPE batch_query_duration_seconds histogram\n"
        for bound in ["0.01", "0.05", "0.1", "0.5", "1", "5", "10", "+Inf"] {
            text += "batch_query_duration_seconds_bucket{database=\"main\",le=\"\(bound)\"} 4\(bound.utf8.count)\n"
        }
        text += "batch_query_duration_seconds_sum{database=\"main\"} 45.125\n"
        text += "batch_query_duration_seconds_count{database=\"main\"} 44\n"
        return Array(text.utf8)
    }()

    static func numbers() {
        let texts = ["17", "12.345", "0.1234567890123", "1.7637612e+09", "123456789012345678901"].map { Array($0.utf8) }
        for text in texts {
            measure("parse \(String(decoding: text, as: UTF8.self))") {
                Int(truncatingIfNeeded: FloatText.parse(text)?.bitPattern ?? 0)
            }
        }
        var output: [UInt8] = []
        output.reserveCapacity(64)
        for value in [17, 12.345, 0.1234567890123, 1763761200, 0.1 + 0.2] as [Double] {
            measure("print \(value)") {
                output.removeAll(keepingCapacity: true)
                FloatText.append(value, .general, to: &output)
                return output.count
            }
        }
    }

    static func parsing() {
        let body = pushBody
        print("push body: \(body.count) bytes")
        measure("parse text push", bytes: body.count) { (try? TextParser.parse(body))?.count ?? 0 }
    }

    static func encoding() {
        guard let families = try? TextParser.parse(pushBody) else { return }
        var output: [UInt8] = []
        output.reserveCapacity(1 << 16)
        measure("write text, 20 series", bytes: pushBody.count) {
            output.removeAll(keepingCapacity: true)
            for family in families { TextEncoder.append(family, to: &output) }
            return output.count
        }
        measure("write OpenMetrics, 20 series", bytes: pushBody.count) {
            output.removeAll(keepingCapacity: true)
            for family in families { OpenMetricsEncoder.append(family, to: &output) }
            return output.count
        }
        measure("write protobuf, 20 series", bytes: pushBody.count) {
            output.removeAll(keepingCapacity: true)
            for family in families { ProtobufEncoder.append(family, to: &output) }
            return output.count
        }
        let metric = Metric(
            labels: ["instance", "job", "region", "stage"].map { LabelPair(ByteString($0), ByteString("value-" + $0)) },
            value: .gauge(12.345))
        measure("write one gauge of four labels as text") {
            output.removeAll(keepingCapacity: true)
            TextEncoder.appendMetric(metric, of: "batch_stage_duration_seconds", type: .gauge, to: &output)
            return output.count
        }
        let packed = Gzip.pack(pushBody)
        let reader = GzipReader()
        let limits = DecompressionLimits(maximumBytes: 1 << 24)
        measure("unpack gzip push", bytes: pushBody.count) {
            packed.withUnsafeBytes { (try? reader.unpackAll($0, limits: limits))?.count ?? 0 }
        }
    }

    static func reading() {
        let body = pushBody
        measure("read text entries, no labels", bytes: body.count) {
            body.withUnsafeBufferPointer { bytes in
                var reader = ExpositionReader(bytes, .text)
                var count = 0
                while let entry = try? reader.next() { count += entry == .series ? 1 : 0 }
                return count
            }
        }
        guard let families = try? TextParser.parse(body) else { return }
        var protobuf: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, to: &protobuf) }
        measure("parse protobuf push", bytes: protobuf.count) { (try? ProtobufParser.parse(protobuf))?.count ?? 0 }
        measure("read protobuf entries, no labels", bytes: protobuf.count) {
            protobuf.withUnsafeBytes { bytes in
                var reader = ProtobufReader(bytes)
                var count = 0
                while let entry = try? reader.next() { count += entry == .series ? 1 : 0 }
                return count
            }
        }
    }
}
