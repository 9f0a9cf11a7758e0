package import MetricModel

/// A value of a YAML document, with where it stands.
package struct YAMLNode: Sendable {
    /// What the value is.
    package enum Content: Sendable {
        /// Text; `isPlain` if it was written without quotes, so that it may mean a number, a Boolean or null.
        case scalar(ByteString, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Pair])
    }

    /// One entry of a mapping.
    package struct Pair: Sendable {
        /// Any node, though most are text.
        package var key: YAMLNode
        /// What it holds.
        package var value: YAMLNode

        /// An entry.
        package init(key: YAMLNode, value: YAMLNode) {
            self.key = key
            self.value = value
        }
    }

    /// A scalar, a list or pairs.
    package var content: Content
    /// The explicit tag in its long form, or nil.
    package var tag: String?
    /// From 1.
    package var line: Int
    /// From 1.
    package var column: Int

    /// A node; `line` and `column` are 0 where it was not read from a document.
    package init(_ content: Content, tag: String? = nil, line: Int = 0, column: Int = 0) {
        self.content = content
        self.tag = tag
        self.line = line
        self.column = column
    }

    /// What a scalar means by YAML 1.1, as go-yaml v2 resolves it; a sequence or a mapping is itself.
    package var resolved: YAMLScalar {
        guard case .scalar(let text, let isPlain) = content else { return .string }
        if let tag, tag != "!" {
            switch tag {
            case YAMLTag.string, YAMLTag.binary: return .string
            default: break
            }
        } else if !isPlain || tag == "!" {
            return .string
        }
        return YAMLScalar(text.string)
    }

    /// Whether the node is null: nothing, `~` or `null` without quotes.
    package var isNull: Bool {
        if tag == YAMLTag.null { return true }
        guard case .scalar(let text, true) = content, tag == nil else { return false }
        return YAMLScalar.nulls.contains(text.string)
    }

    /// The short form of the node's tag, as messages show it: `!!str`, `!!seq`.
    package var shortTag: String {
        if let tag, tag != "!" {
            let prefix = YAMLTag.prefix
            return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
        }
        switch content {
        case .sequence: return "!!seq"
        case .mapping: return "!!map"
        case .scalar: return resolved.shortTag
        }
    }
}

/// The long tags of YAML 1.1 that matter here.
enum YAMLTag {
    static let prefix = "tag:yaml.org,2002:"
    static let string = "tag:yaml.org,2002:str"
    static let binary = "tag:yaml.org,2002:binary"
    static let null = "tag:yaml.org,2002:null"
    static let float = "tag:yaml.org,2002:float"
}
