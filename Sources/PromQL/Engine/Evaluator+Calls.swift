internal import MetricModel

extension Evaluator {
    /// Evaluates a function call.
    func evaluate(_ plan: CallPlan) throws -> [StepRow] {
        if let range = plan.rangeArgument { return try evaluateRange(plan, argument: range) }
        switch plan.function {
        case .labelReplace: return try labelReplace(plan)
        case .labelJoin: return try labelJoin(plan)
        case .info: return try info(plan)
        case .timestamp, .startTimestamp: return try timestamps(plan)
        case .time:
            return [
                StepRow(labels: .empty, first: 0, values: (0..<times.count).map { Double(times.time($0)) / 1000 })
            ]
        case .pi: return [constant(.pi)]
        case .vector: return [try scalar(plan.arguments[0])]
        case .scalar: return [toScalar(try evaluate(plan.arguments[0]))]
        case .absent:
            var builder = RowBuilder(capacity: times.count)
            for step in absentSteps(try evaluate(plan.arguments[0])) { builder.append(step, 1) }
            return builder.row(plan.absentLabels).map { [$0] } ?? []
        case .maxOf, .minOf:
            let left = try scalar(plan.arguments[0])
            let right = try scalar(plan.arguments[1])
            let combine = plan.function == .maxOf ? GoMath.max : GoMath.min
            return [
                StepRow(labels: .empty, first: 0, values: zip(left.values, right.values).map { combine($0, $1) })
            ]
        case .sort, .sortDesc, .sortByLabel, .sortByLabelDesc: return try sort(plan)
        case .clamp, .clampMin, .clampMax, .round: return try clampOrRound(plan)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            return try calendar(plan)
        case .histogramCount, .histogramSum, .histogramAvg, .histogramStddev, .histogramStdvar:
            return try histogramStatistics(plan)
        case .histogramQuantile, .histogramQuantiles, .histogramFraction:
            return try histogramInterpolation(plan)
        default:
            guard let function = FloatFunction(plan.function) else {
                throw QueryError.execution("unexpected function \(plan.function.rawValue)")
            }
            return try mapFloats(try evaluate(plan.arguments[0]), function.apply)
        }
    }

    /// Applies `body` to all numbers; histograms are left out, names dropped.
    func mapFloats(_ rows: [StepRow], _ body: (Double) -> Double) throws -> [StepRow] {
        try droppingNames(
            try rows.compactMap { row in
                try context.control.check()
                guard var row = withoutHistograms(row) else { return nil }
                for cell in row.values.indices { row.values[cell] = body(row.values[cell]) }
                return row
            })
    }

    /// The row's numbers alone; nil if there are none.
    func withoutHistograms(_ row: StepRow) -> StepRow? {
        guard row.hasHistograms else { return row }
        var row = row
        row.histograms = []
        for cell in row.kinds.indices where row.kinds[cell] == CellKind.histogram { row.kinds[cell] = CellKind.none }
        return row.isEmpty ? nil : row
    }

    /// The one number of each step, or NaN.
    private func toScalar(_ rows: [StepRow]) -> StepRow {
        var result = constant(.nan)
        var counts = [UInt8](repeating: 0, count: times.count)
        for row in rows {
            for step in row.first..<row.end where row.kind(step) == CellKind.float {
                result.values[step] = counts[step] == 0 ? row.value(step) : .nan
                counts[step] = counts[step] == 0 ? 1 : 2
            }
        }
        return result
    }

    private func timestamps(_ plan: CallPlan) throws -> [StepRow] {
        let wantsStart = plan.function == .startTimestamp
        if plan.looksAtSelector, let selector = plan.arguments[0].selector {
            return try droppingNames(try sampleTimes(selector, wantsStart: wantsStart))
        }
        var rows = try evaluate(plan.arguments[0])
        if wantsStart { return [] }
        for index in rows.indices {
            let row = rows[index]
            rows[index].histograms = []
            for step in row.first..<row.end where row.kind(step) != CellKind.none {
                rows[index].values[step - row.first] = Double(times.time(step)) / 1000
                if !row.kinds.isEmpty { rows[index].kinds[step - row.first] = CellKind.float }
            }
        }
        return try droppingNames(rows)
    }

    private func clampOrRound(_ plan: CallPlan) throws -> [StepRow] {
        let rows = try evaluate(plan.arguments[0])
        let arguments = try plan.arguments.dropFirst().map { try scalar($0) }
        let infinity = constant(.infinity)
        var minimum = constant(-.infinity)
        var maximum = infinity
        switch plan.function {
        case .clamp: (minimum, maximum) = (arguments[0], arguments[1])
        case .clampMin: minimum = arguments[0]
        case .clampMax: maximum = arguments[0]
        default:
            let inverse = arguments.first?.values.map { 1 / $0 }
            return try mapSteps(rows) { value, step in
                let factor = inverse?[step] ?? 1
                return (value * factor + 0.5).rounded(.down) / factor
            }
        }
        return try mapSteps(rows) { value, step in
            let (low, high) = (minimum.value(step), maximum.value(step))
            if high < low { return nil }
            return GoMath.max(low, GoMath.min(high, value))
        }
    }

    /// Applies `body` to all numbers, with their steps; what it gives nil for is left out.
    private func mapSteps(_ rows: [StepRow], _ body: (Double, Int) -> Double?) throws -> [StepRow] {
        try droppingNames(
            try rows.compactMap { row in
                try context.control.check()
                var builder = RowBuilder(capacity: row.values.count)
                for step in row.first..<row.end where row.kind(step) == CellKind.float {
                    if let value = body(row.value(step), step) { builder.append(step, value) }
                }
                return builder.row(row.labels, dropName: row.dropName)
            })
    }

    private func calendar(_ plan: CallPlan) throws -> [StepRow] {
        let part = CalendarPart(plan.function)
        guard let argument = plan.arguments.first else {
            let values = (0..<times.count).map { part.value(CivilTime(second: times.time($0) / 1000)) }
            return [StepRow(labels: .empty, first: 0, values: values)]
        }
        return try mapFloats(try evaluate(argument)) { value in
            part.value(CivilTime(second: GoMath.int64(value)))
        }
    }

    private func histogramStatistics(_ plan: CallPlan) throws -> [StepRow] {
        let rows = try evaluate(plan.arguments[0]).compactMap { row -> StepRow? in
            try context.control.check()
            guard row.hasHistograms else { return nil }
            var builder = RowBuilder(capacity: row.values.count)
            for step in row.first..<row.end {
                guard let histogram = row.histogram(step) else { continue }
                builder.append(step, HistogramStatistics.value(plan.function, histogram.value))
            }
            return builder.row(row.labels, dropName: row.dropName)
        }
        return try droppingNames(rows, onlyName: true)
    }

    private func sort(_ plan: CallPlan) throws -> [StepRow] {
        let rows = try evaluate(plan.arguments[0])
        if !times.isInstant { context.annotations.add(.sortInRangeQuery, at: plan.position) }
        let isDescending = plan.function == .sortDesc || plan.function == .sortByLabelDesc
        if plan.function == .sortByLabel || plan.function == .sortByLabelDesc {
            guard times.isInstant else { return rows }
            let names = plan.arguments.dropFirst().compactMap { argument in
                if case .string(let name) = argument { name } else { nil }
            }
            return LabelOrder(names: names, isDescending: isDescending).sorted(rows)
        }
        let floats = rows.compactMap { withoutHistograms($0) }
        guard times.isInstant else { return floats }
        return ValueOrder.sorted(floats.map { ($0.value(0), $0) }, isDescending: isDescending)
    }
}

/// Functions from number to number.
struct FloatFunction {
    let apply: (Double) -> Double

    init?(_ function: Function) {
        guard let apply = Self.body(function) else { return nil }
        self.apply = apply
    }

    private static func body(_ function: Function) -> ((Double) -> Double)? {
        switch function {
        case .abs: { $0.magnitude }
        case .ceil: { $0.rounded(.up) }
        case .floor: { $0.rounded(.down) }
        case .sqrt: { $0.squareRoot() }
        case .exp: FloatMath.exp
        case .ln: FloatMath.log
        case .log2: FloatMath.log2
        case .log10: FloatMath.log10
        case .sin: FloatMath.sin
        case .cos: FloatMath.cos
        case .tan: FloatMath.tan
        case .asin: FloatMath.asin
        case .acos: FloatMath.acos
        case .atan: FloatMath.atan
        case .sinh: FloatMath.sinh
        case .cosh: FloatMath.cosh
        case .tanh: FloatMath.tanh
        case .asinh: FloatMath.asinh
        case .acosh: FloatMath.acosh
        case .atanh: FloatMath.atanh
        case .rad: { $0 * .pi / 180 }
        case .deg: { $0 * 180 / .pi }
        case .sgn: { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
        default: nil
        }
    }
}

/// A part of a date, as a number.
struct CalendarPart {
    private let function: Function

    init(_ function: Function) { self.function = function }

    func value(_ date: CivilTime) -> Double {
        switch function {
        case .dayOfMonth: Double(date.day)
        case .dayOfWeek: Double(date.weekday)
        case .dayOfYear: Double(date.dayOfYear)
        case .daysInMonth: Double(date.daysInMonth)
        case .hour: Double(date.hour)
        case .minute: Double(date.minute)
        case .month: Double(date.month)
        default: Double(date.year)
        }
    }
}
