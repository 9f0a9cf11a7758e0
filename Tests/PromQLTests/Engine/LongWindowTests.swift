import Matching
import MetricModel
import PromQL
import Synchronization
import Testing

/// Windows of very many samples: they end with their query, and are sorted as short ones are.
@Suite struct LongWindowTests {
    /// One series with a sample each millisecond.
    private struct OneSeries: SeriesSource, SelectedSeries {
        let values: [Double]
        var labels: Labels { Labels(["__name__": "x"]) }
        /// Called when the samples were read.
        var afterRead: @Sendable () -> Void = {}

        func select(
            _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
        ) -> SeriesSelection { SeriesSelection(series: [self]) }

        func read(into columns: inout SampleColumns) {
            for (index, value) in values.enumerated() { columns.append(Timestamp(index + 1), value) }
            afterRead()
        }
    }

    private static func numbers(_ count: Int) -> [Double] {
        var state: UInt64 = 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40)
        }
    }

    private static func value(_ query: ByteString, _ source: OneSeries) throws -> Double? {
        let result = try Engine().evaluate(query, over: source, at: .instant(Timestamp(source.values.count)))
        guard case .vector(_, let samples) = result.value, case .float(let value)? = samples.first?.value else {
            return nil
        }
        return value
    }

    @Test(arguments: ["quantile_over_time(0.5, x[1h])", "mad_over_time(x[1h])"])
    func `a query that ends while a window is sorted gives no result`(query: ByteString) {
        let cancellation = QueryCancellation()
        // More than is sorted in one go, fewer than are taken in between two looks at the query.
        var source = OneSeries(values: Self.numbers(200_000))
        source.afterRead = { cancellation.cancel() }
        var settings = Engine.Settings()
        settings.cancellation = cancellation
        var options = EngineOptions()
        options.parser.experimentalFunctions = true
        do throws(QueryError) {
            _ = try Engine(options: options).evaluate(
                query, over: source, at: .instant(200_000), settings: settings)
            Issue.record("not cancelled")
        } catch {
            #expect(error.description.hasPrefix("query was canceled in "))
        }
    }

    @Test(arguments: ["changes(h[1h])", "resets(h[1h] anchored)", "rate(h[1h] smoothed)", "increase(h[1h] anchored)"])
    func `a query that ends while the histograms of one window are compared gives no result`(query: ByteString) {
        /// One series of histograms, which ends the query when it was read.
        struct Histograms: SeriesSource, SelectedSeries {
            let cancellation: QueryCancellation
            var labels: Labels { Labels(["__name__": "h"]) }

            func select(
                _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
            ) -> SeriesSelection { SeriesSelection(series: [self]) }

            func read(into columns: inout SampleColumns) {
                for index in 1...2000 {
                    columns.append(
                        Timestamp(index),
                        FloatHistogram(
                            schema: 0, count: Double(index), sum: 1, positiveSpans: [BucketSpan(offset: 0, length: 1)],
                            positiveBuckets: [Double(index)]))
                }
                cancellation.cancel()
            }
        }
        var settings = Engine.Settings()
        let cancellation = QueryCancellation()
        settings.cancellation = cancellation
        var options = EngineOptions()
        options.parser = .everything
        do throws(QueryError) {
            _ = try Engine(options: options).evaluate(
                query, over: Histograms(cancellation: cancellation), at: .instant(2000), settings: settings)
            Issue.record("not cancelled")
        } catch {
            #expect(error.description.hasPrefix("query was canceled in "))
        }
    }

    @Test func `a query that ends while a series is read gives no result`() {
        /// A series whose reader is told to end.
        struct Endless: SeriesSource, SelectedSeries {
            let cancellation: QueryCancellation
            var labels: Labels { Labels(["__name__": "x"]) }

            func select(
                _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
            ) -> SeriesSelection { SeriesSelection(series: [self]) }

            func read(into columns: inout SampleColumns) {}

            func read(into columns: inout SampleColumns, while goesOn: () -> Bool) {
                while goesOn() {
                    columns.append(Timestamp(columns.count + 1), 1)
                    if columns.count == 1000 { cancellation.cancel() }
                }
            }
        }
        for query in ["x", "timestamp(x)", "sum_over_time(x[1m])", "x[1m]"] as [ByteString] {
            var settings = Engine.Settings()
            let cancellation = QueryCancellation()
            settings.cancellation = cancellation
            do throws(QueryError) {
                _ = try Engine().evaluate(
                    query, over: Endless(cancellation: cancellation), at: .instant(1000), settings: settings)
                Issue.record("not cancelled")
            } catch {
                #expect(error.description.hasPrefix("query was canceled in "))
            }
        }
    }

    @Test(arguments: [1, 2, 65_536, 65_537, 131_072, 200_001, 400_000])
    func `a long window is sorted as a whole`(count: Int) throws {
        let values = Self.numbers(count)
        let sorted = values.sorted()
        let source = OneSeries(values: values)
        #expect(try Self.value("quantile_over_time(0, x[1h])", source) == sorted.first)
        #expect(try Self.value("quantile_over_time(1, x[1h])", source) == sorted.last)
        let (lower, upper) = (sorted[(count - 1) / 2], sorted[count / 2])
        #expect(try Self.value("quantile_over_time(0.5, x[1h])", source) == lower * 0.5 + upper * 0.5)
    }

    @Test func `of zeros with both signs a quantile is the one that stands first`() throws {
        let mixed = try #require(try Self.value("quantile_over_time(0, x[1h])", OneSeries(values: [0, -0.0, 0])))
        #expect(mixed.sign == .plus)
        let other = try #require(try Self.value("quantile_over_time(0, x[1h])", OneSeries(values: [-0.0, 0, 0])))
        // A weight of zero for the next sample adds a zero with a sign of its own.
        #expect(other == 0)
    }
}
