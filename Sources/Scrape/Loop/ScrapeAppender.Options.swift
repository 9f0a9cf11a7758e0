package import MetricModel

extension ScrapeAppender {
    /// What the configuration says about reading bodies.
    package struct Options: Sendable {
        /// Labels that the target gives win over the target's own.
        package var honorsLabels = false
        /// Times that the target gives are kept.
        package var honorsTimestamps = true
        /// Series with times of their own are marked when they end, too.
        package var tracksTimestampsStaleness = false
        /// What is done with series before they are stored.
        package var rules: [RelabelRule] = []
        /// Which names are sound.
        package var validation = NameValidation.utf8
        /// 0 for no limit.
        package var sampleLimit = 0
        /// Of native histograms; converted ones are held by them as well.
        package var histogramLimits = HistogramLimits()
        /// They are stored; else only the classic part of such a histogram.
        package var readsNativeHistograms = false
        /// The classic part of a native histogram is stored as well.
        package var keepsClassicHistograms = false
        /// Classic histograms become native ones with custom buckets.
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
            sampleLimit = Int(clamping: configuration.limits.samples)
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
                labels: Int(clamping: configuration.limits.labels),
                nameLength: Int(clamping: configuration.limits.labelNameLength),
                valueLength: Int(clamping: configuration.limits.labelValueLength))
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
