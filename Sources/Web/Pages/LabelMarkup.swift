internal import ByteCoding
package import MetricModel

/// Label sets as pages show them: `{name="value", …}`, names coloured. Each value is kept apart from the text around it,
/// so that marks for right-to-left text in one do not turn the others around.
package enum LabelMarkup {
    /// A label set.
    package static func set(_ labels: some Sequence<LabelPair>) -> Markup {
        var pairs = Markup()
        var isFirst = true
        for label in labels {
            if !isFirst { pairs += ", " }
            isFirst = false
            pairs += "<span class=\"name\">\(name(label.name))</span>=<bdi>\(Quoting.quote(label.value))</bdi>"
        }
        return "<span class=\"labels\">{\(pairs)}</span>"
    }

    /// A label set.
    package static func set(_ labels: Labels) -> Markup { set(labels.pairs.map { LabelPair($0.name, $0.value) }) }

    /// The labels of a group, the job first: it is what people look for.
    package static func group(_ labels: some Sequence<LabelPair>) -> Markup {
        let all = Array(labels)
        return set(all.filter { $0.name == "job" } + all.filter { $0.name != "job" })
    }

    private static func name(_ name: ByteString) -> Markup {
        LegacyNames.isLabelName(name) ? "\(name)" : "<bdi>\(Quoting.quote(name))</bdi>"
    }
}
