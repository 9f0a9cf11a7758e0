internal import ByteCoding
package import Logging
internal import MetricModel

#if canImport(Glibc)
internal import Glibc
#endif

/// Writes log lines to standard error as the programs do that Narthex replaces, so that what reads their logs reads
/// ours.
///
/// Source: prometheus/common promslog/slog.go: Pushgateway uses the go-kit style there, Prometheus the slog style.
package struct PromslogHandler: LogHandler {
    /// `logfmt` or `json`.
    package enum Format: String, Sendable, CaseIterable {
        case logfmt
        case json
    }

    /// Which names the standard keys have.
    package enum Style: Sendable {
        /// `ts`, `caller`, `level` in lower case.
        case goKit
        /// `time`, `level` in upper case, `source`.
        case slog
    }

    /// The least that is written.
    package var logLevel: Logger.Level
    /// Written with each line.
    package var metadata: Logger.Metadata = [:]
    /// Gives more of it for each line.
    package var metadataProvider: Logger.MetadataProvider?
    private let format: Format
    private let style: Style
    private let write: @Sendable ([UInt8]) -> Void

    /// A handler.
    /// - Parameter write: Takes each line with its line feed; standard error if nil.
    package init(
        level: Logger.Level, format: Format, style: Style, write: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        logLevel = level
        self.format = format
        self.style = style
        self.write = write ?? Self.standardError
    }

    /// The level that `--log.level` calls so.
    package static func level(_ name: String) -> Logger.Level {
        switch name {
        case "debug": .debug
        case "warn": .warning
        case "error": .error
        default: .info
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var pairs: [(String, String)] = []
        let file = event.file.split(separator: "/").last.map(String.init) ?? event.file
        switch style {
        case .goKit:
            pairs.append(("ts", Self.timestamp()))
            pairs.append(("caller", "\(file):\(event.line)"))
            pairs.append(("level", Self.name(event.level)))
        case .slog:
            pairs.append(("time", Self.timestamp()))
            pairs.append(("level", Self.name(event.level).uppercased()))
            pairs.append(("source", "\(file):\(event.line)"))
        }
        pairs.append(("msg", event.message.description))
        let extra = metadata.merging(event.metadata ?? [:]) { _, new in new }
        // A dictionary has no order; the error goes last, as people expect it.
        for key in extra.keys.sorted(by: { ($0 == "err" ? 1 : 0, $0) < ($1 == "err" ? 1 : 0, $1) }) {
            if let value = extra[key] { pairs.append((key, "\(value)")) }
        }
        let line = format == .json ? Self.json(pairs) : Self.logfmt(pairs)
        write(Array(line.utf8))
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warn"
        case .error, .critical: "error"
        }
    }

    private static func timestamp() -> String {
        CivilTime.rfc3339(milliseconds: WallClock.nanoseconds() / 1_000_000)
    }

    private static func logfmt(_ pairs: [(String, String)]) -> String {
        pairs.map { key, value in "\(key)=\(needsQuotes(value) ? Quoting.quote(ByteString(value)) : value)" }
            .joined(separator: " ") + "\n"
    }

    /// Source: Go log/slog/text_handler.go (`needsQuoting`).
    private static func needsQuotes(_ value: String) -> Bool {
        value.isEmpty
            || value.unicodeScalars.contains {
                $0.value <= 0x20 || $0 == "\"" || $0 == "=" || $0.value == 0x7F || $0 == "\u{FFFD}"
            }
    }

    private static func json(_ pairs: [(String, String)]) -> String {
        var output: [UInt8] = [UInt8(ascii: "{")]
        for (index, pair) in pairs.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            JSONText.append(pair.0, to: &output)
            output.append(UInt8(ascii: ":"))
            JSONText.append(pair.1, to: &output)
        }
        output += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return String(decoding: output, as: UTF8.self)
    }

    private static let standardError: @Sendable ([UInt8]) -> Void = { line in
        line.withUnsafeBytes { raw in
            var offset = 0
            while offset < raw.count {
                let count = Glibc.write(2, raw.baseAddress.map { $0 + offset }, raw.count - offset)
                if count < 0, errno != EINTR { return }
                offset += max(count, 0)
            }
        }
    }
}
