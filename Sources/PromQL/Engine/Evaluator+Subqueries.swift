internal import MetricModel

extension Evaluator {
    /// What a subquery gives at its own steps, for all windows of this evaluator's steps.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`subqueryTimeRange`, `runSubquery`).
    func evaluateSubquery(_ plan: SubqueryPlan) throws -> (rows: [StepRow], times: StepTimes) {
        let steps = subqueryTimes(plan)
        // Where windows leave gaps between them, what was read for the gaps does not count.
        let hasGaps = times.count > 1 && plan.range < times.interval
        let inner = Evaluator(context: context, times: steps, tracksSteps: !counter.perStep.isEmpty || hasGaps)
        let rows = try inner.evaluate(plan.node)
        countRead(of: inner, offset: plan.offset, range: plan.range)
        return (rows, steps)
    }

    /// A subquery as the whole query: its samples count towards the only step.
    func evaluateOuterSubquery(_ plan: SubqueryPlan) throws -> (rows: [StepRow], times: StepTimes) {
        let steps = subqueryTimes(plan)
        let inner = Evaluator(context: context, times: steps, tracksSteps: false)
        let rows = try inner.evaluate(plan.node)
        let last = max(0, times.count - 1)
        counter.count(inner.counter.total, read: 0, step: last)
        counter.count(0, read: inner.counter.read, step: 0)
        return (rows, steps)
    }

    /// Counts what `inner` read towards the first steps that see it.
    ///
    /// Source: prometheus/prometheus util/stats/query_stats.go (`MergeSamplesReadFromSubquery`).
    private func countRead(of inner: Evaluator, offset: Int64, range: Int64) {
        guard times.count > 1, !inner.counter.readPerStep.isEmpty else {
            counter.count(0, read: inner.counter.read, step: 0)
            return
        }
        for (index, read) in inner.counter.readPerStep.enumerated() where read > 0 {
            let time = inner.times.time(index) &+ offset
            let step = min(times.firstStep(from: time), times.count - 1)
            if time > times.time(step) &- range { counter.count(0, read: read, step: step) }
        }
    }

    private func subqueryTimes(_ plan: SubqueryPlan) -> StepTimes {
        let interval = max(1, plan.step != 0 ? plan.step : context.options.defaultSubqueryInterval(plan.range))
        // With `@`, all steps see the same window.
        let first = (plan.at ?? times.start) &- plan.offset
        let last = (plan.at ?? times.time(max(0, times.count - 1))) &- plan.offset
        let beginning = first &- plan.range
        var start = beginning / interval * interval
        if start <= beginning { start = start &+ interval }
        return StepTimes(start: start, end: last, interval: interval)
    }
}
