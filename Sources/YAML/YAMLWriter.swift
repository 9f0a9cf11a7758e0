internal import CYAML
package import MetricModel

/// A value to be written as YAML: block style, text quoted where it would otherwise mean something else.
package enum YAMLValue: Sendable, Equatable {
    case text(ByteString)
    /// A number or a Boolean: written without quotes.
    case literal(String)
    case sequence([YAMLValue])
    /// A sequence on one line: `[a, b]`.
    case flow([YAMLValue])
    case mapping([(key: ByteString, value: YAMLValue)])

    /// Text from a string.
    package static func text(_ string: String) -> YAMLValue { .text(ByteString(string)) }

    /// Equality of what would be written.
    package static func == (left: YAMLValue, right: YAMLValue) -> Bool {
        switch (left, right) {
        case (.text(let a), .text(let b)): a == b
        case (.literal(let a), .literal(let b)): a == b
        case (.sequence(let a), .sequence(let b)), (.flow(let a), .flow(let b)): a == b
        case (.mapping(let a), .mapping(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// The YAML text of the value, as go-yaml v2 lays it out.
    /// - Complexity: O(n).
    package var yaml: String { YAMLWriter().write(self) }
}

/// Feeds libyaml's emitter, which go-yaml's is a translation of.
private final class YAMLWriter {
    private var emitter = yaml_emitter_t()
    private var output: [UInt8] = []

    init() {
        yaml_emitter_initialize(&emitter)
    }

    deinit { yaml_emitter_delete(&emitter) }

    func write(_ value: YAMLValue) -> String {
        // SAFETY: `self` outlives the emitter's use of it, which ends with this call.
        yaml_emitter_set_output(
            &emitter,
            { context, buffer, size in
                guard let context, let buffer else { return 0 }
                let writer = Unmanaged<YAMLWriter>.fromOpaque(context).takeUnretainedValue()
                writer.output.append(contentsOf: UnsafeBufferPointer(start: buffer, count: size))
                return 1
            }, Unmanaged.passUnretained(self).toOpaque())
        yaml_emitter_set_unicode(&emitter, 1)
        var event = yaml_event_t()
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)
        yaml_emitter_emit(&emitter, &event)
        yaml_document_start_event_initialize(&event, nil, nil, nil, 1)
        yaml_emitter_emit(&emitter, &event)
        emit(value)
        yaml_document_end_event_initialize(&event, 1)
        yaml_emitter_emit(&emitter, &event)
        yaml_stream_end_event_initialize(&event)
        yaml_emitter_emit(&emitter, &event)
        yaml_emitter_flush(&emitter)
        return String(decoding: output, as: UTF8.self)
    }

    private func emit(_ value: YAMLValue) {
        var event = yaml_event_t()
        switch value {
        case .text(let text):
            scalar(text, style: Self.style(of: text))
        case .literal(let text):
            scalar(ByteString(text), style: YAML_PLAIN_SCALAR_STYLE)
        case .sequence(let items), .flow(let items):
            var style = YAML_BLOCK_SEQUENCE_STYLE
            if case .flow = value { style = YAML_FLOW_SEQUENCE_STYLE }
            yaml_sequence_start_event_initialize(&event, nil, nil, 1, style)
            yaml_emitter_emit(&emitter, &event)
            for item in items { emit(item) }
            yaml_sequence_end_event_initialize(&event)
            yaml_emitter_emit(&emitter, &event)
        case .mapping(let pairs):
            yaml_mapping_start_event_initialize(&event, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE)
            yaml_emitter_emit(&emitter, &event)
            for pair in pairs {
                emit(.text(pair.key))
                emit(pair.value)
            }
            yaml_mapping_end_event_initialize(&event)
            yaml_emitter_emit(&emitter, &event)
        }
    }

    private func scalar(_ text: ByteString, style: yaml_scalar_style_t) {
        var event = yaml_event_t()
        // Not UTF-8 cannot be written but as base64; the emitter refuses it, so it is shown with replacements.
        let bytes = text.isValidUTF8 ? text.bytes : Array(text.string.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            // SAFETY: libyaml copies the value.
            _ = yaml_scalar_event_initialize(
                &event, nil, nil, buffer.baseAddress, Int32(clamping: buffer.count), 1, 1, style)
        }
        yaml_emitter_emit(&emitter, &event)
    }

    private static func style(of text: ByteString) -> yaml_scalar_style_t {
        if text.bytes.contains(UInt8(ascii: "\n")) { return YAML_LITERAL_SCALAR_STYLE }
        let string = text.string
        if YAMLScalar(string) == .string, !YAMLScalar.isBase60(string) { return YAML_PLAIN_SCALAR_STYLE }
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE
    }
}
