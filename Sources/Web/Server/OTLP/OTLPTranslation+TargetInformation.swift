internal import MetricModel
internal import Scrape

/// `target_info`: what a resource says of itself.
extension OTLPTranslation {
    /// Appends `target_info` for the time that the points of `resource` cover, often enough for queries to find it.
    mutating func appendTargetInfo(
        _ resource: OTLPMessage.Resource, _ context: Context, _ range: (earliest: UInt64, latest: UInt64)
    ) throws(Problem) {
        let identifying: Set<ByteString> = [Self.name, Self.namespace, Self.instance]
        let others = resource.attributes.filter { !identifying.contains($0.key) }
        guard !others.isEmpty, !context.job.isEmpty || !context.instance.isEmpty else { return }
        var bare = context
        bare.promoted = []
        let attributes = settings.keepsIdentifyingAttributes ? resource.attributes : others
        let labels = try labels(attributes, bare, "target_info")
        let step = max(1, options.lookbackDelta / 2)
        let latest = Self.milliseconds(range.latest)
        var time = Self.milliseconds(range.earliest)
        // More points than a day's worth of them are nobody's honest request.
        var left = 10_000
        while time < latest, left > 0 {
            try appendTargetInfo(labels, at: time)
            time += step
            left -= 1
        }
        try appendTargetInfo(labels, at: latest)
    }

    private mutating func appendTargetInfo(_ labels: Labels, at time: Timestamp) throws(Problem) {
        guard seen.insert(TargetInfo(labels: labels, time: time)).inserted else { return }
        var point = OTLPMessage.Point()
        point.time = UInt64(clamping: time) &* 1_000_000
        try append(1, point, labels)
    }
}
