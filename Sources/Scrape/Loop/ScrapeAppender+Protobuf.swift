internal import MetricModel

extension ScrapeAppender {
    func readProtobuf(_ bytes: UnsafeBufferPointer<UInt8>, _ batch: any SampleBatch) throws(ScrapeFailure) {
        throw ScrapeFailure("unsupported")
    }
}
