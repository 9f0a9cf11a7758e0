package import MetricModel

/// What becomes of the gateway's series on their way into the store: what a scrape of the gateway would make of them.
package struct BridgeRules: Sendable, Hashable {
    /// What a scrape does with the labels of a series.
    package struct Relabelling: Sendable, Hashable {
        let identity: String
        let apply: @Sendable (Labels) -> Labels?

        /// - Parameters:
        ///   - identity: Two of the same text do the same.
        ///   - apply: The labels to be stored, or nil for a series that is not. Empty labels are among those given.
        package init(identity: String, apply: @escaping @Sendable (Labels) -> Labels?) {
            self.identity = identity
            self.apply = apply
        }

        package static func == (left: Relabelling, right: Relabelling) -> Bool { left.identity == right.identity }

        package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
    }

    /// Native histograms are stored as such, not as their classic buckets.
    package var keepsNative: Bool
    /// Classic buckets are stored beside the native histogram.
    package var alwaysKeepsClassic: Bool
    /// Classic histograms become native ones with custom bucket bounds.
    package var convertsClassic: Bool
    /// How finely native histograms are stored. One that cannot be brought within them is left out, and counted.
    package var histogramLimits = HistogramLimits()
    /// Samples are stored with the start timestamps that were pushed.
    package var storesStarts = false
    /// The store is told the metadata of series.
    package var passesMetadata = false
    /// Series get the labels `__type__` and `__unit__`.
    package var addsTypeAndUnitLabels = false
    /// nil where labels are honoured and nothing is changed.
    package var relabelling: Relabelling?

    /// Rules; by default those of a scrape that honours labels, without native histograms.
    package init(
        keepsNative: Bool = false, alwaysKeepsClassic: Bool = false, convertsClassic: Bool = false,
        relabelling: Relabelling? = nil
    ) {
        self.keepsNative = keepsNative
        self.alwaysKeepsClassic = alwaysKeepsClassic
        self.convertsClassic = convertsClassic
        self.relabelling = relabelling
    }

    /// The labels under which a series is stored; nil if it is not.
    /// - Parameter pairs: Sorted or not, empty values among them.
    func labels(_ pairs: [(name: ByteString, value: ByteString)], _ metadata: MetricMetadata) -> Labels? {
        var pairs = pairs
        if addsTypeAndUnitLabels {
            pairs.removeAll { MetricMetadata.labelNames.contains($0.name) }
            pairs += metadata.labels
        }
        guard let relabelling else { return Labels(pairs) }
        return relabelling.apply(Labels(sorted: pairs.sorted { $0.name < $1.name }))
    }
}
