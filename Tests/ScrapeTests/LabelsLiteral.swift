public import MetricModel

extension Labels: ExpressibleByDictionaryLiteral {
    /// `["name": "value"]`, as tests write label sets.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { (ByteString($0.0), ByteString($0.1)) })
    }
}
