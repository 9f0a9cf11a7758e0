internal import MetricModel

extension Evaluator {
    /// What a subquery gives at its own steps, for all windows of this evaluator's steps.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`subqueryTimeRange`, `runSubquery`).
    func evaluateSubquery(_ plan: SubqueryPlan) throws -> (rows: [StepRow], times: StepTimes) {
        let steps = subqueryTimes(plan)
        let inner = Evaluator(context: context, times: steps, tracksSteps: false)
        let rows = try inner.evaluate(plan.node)
        counter.read &+= inner.counter.read
        return (rows, steps)
    }

    /// A subquery as the whole query: its samples count towards the only step.
    func evaluateOuterSubquery(_ plan: SubqueryPlan) throws -> (rows: [StepRow], times: StepTimes) {
        let steps = subqueryTimes(plan)
        let inner = Evaluator(context: context, times: steps, tracksSteps: false)
        let rows = try inner.evaluate(plan.node)
        counter.count(inner.counter.total, read: inner.counter.read, step: max(0, times.count - 1))
        return (rows, steps)
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
