package import MetricModel

extension ScrapeAppender {
    /// What the configuration says about reading bodies.
    package struct Options: Sendable {
        package var honorsLabels = false
        package var honorsTimestamps = true
        package var tracksTimestampsStaleness = false
        package var rules: [RelabelRule] = []
        package var validation = NameValidation.utf8
        /// 0 for no limit.
        package var sampleLimit = 0
        /// Of native histograms; converted ones are held by them as well.
        package var histogramLimits = HistogramLimits()
        package var readsNativeHistograms = false
        package var keepsClassicHistograms = false
        package var convertsClassicHistograms = false
        /// Whether start times become zeros.
        package var addsStartZeros = false
        /// Whether start times are stored with the samples.
        package var storesStarts = false
        /// Whether the store is told the metadata of series.
        package var passesMetadata = false
        /// Whether series get the labels `__type__` and `__unit__`.
        package var addsTypeAndUnitLabels = false
        var limits = SeriesLimits()

        /// The defaults.
        package init() {}

        /// What `configuration` says for a target with `labels`, which may override it.
        package init(_ configuration: ScrapeConfiguration, target labels: Labels, features: ScrapeFeatures) {
            honorsLabels = configuration.honorsLabels
            honorsTimestamps = configuration.honorsTimestamps
            tracksTimestampsStaleness = configuration.tracksTimestampsStaleness
            rules = configuration.metricRelabelRules
            validation = configuration.nameValidation
            sampleLimit = Int(clamping: configuration.sampleLimit)
            histogramLimits = HistogramLimits(
                buckets: Int(clamping: configuration.nativeHistogramBucketLimit),
                minimumFactor: configuration.nativeHistogramMinimumBucketFactor)
            func flag(_ name: ByteString, _ otherwise: Bool) -> Bool {
                labels[name].flatMap(TargetLabels.boolean) ?? otherwise
            }
            readsNativeHistograms = flag(TargetLabels.nativeHistograms, configuration.scrapesNativeHistograms)
            keepsClassicHistograms = flag(TargetLabels.alwaysClassic, configuration.alwaysScrapesClassicHistograms)
            convertsClassicHistograms = flag(TargetLabels.convertsClassic, configuration.convertsClassicHistograms)
            addsStartZeros = features.addsStartZeros
            storesStarts = features.storesStarts
            passesMetadata = features.passesMetadata
            addsTypeAndUnitLabels = features.addsTypeAndUnitLabels
            limits = SeriesLimits(
                labels: Int(clamping: configuration.labelLimit),
                nameLength: Int(clamping: configuration.labelNameLengthLimit),
                valueLength: Int(clamping: configuration.labelValueLengthLimit))
        }

        /// Whether `_created` series are read as start times.
        var readsStarts: Bool { addsStartZeros || storesStarts }
    }
}

/// What flags switch on for all targets.
package struct ScrapeFeatures: Sendable, Hashable {
    /// `--enable-feature=created-timestamp-zero-ingestion`.
    package var addsStartZeros = false
    /// `--enable-feature=st-storage`.
    package var storesStarts = false
    /// `--enable-feature=metadata-wal-records`.
    package var passesMetadata = false
    /// `--enable-feature=type-and-unit-labels`.
    package var addsTypeAndUnitLabels = false
    /// Whether the end of the program marks series as ended. Off: a restart goes on where it stopped.
    package var marksStaleOnShutdown = false
    /// How far a scrape's time is moved to the exact interval, which the store compresses better.
    package var timestampTolerance: Duration = .milliseconds(2)
    /// How long changes found by discovery are gathered before they are acted on.
    package var discoveryInterval: Duration = .seconds(5)

    /// All off.
    package init() {}
}

extension Duration {
    /// Whole nanoseconds; the largest number for spans beyond three centuries.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLong ? .max : product &+ attoseconds / 1_000_000_000
    }
}
