/// How an engine evaluates; the same for all of its queries.
package struct EngineOptions: Sendable {
    /// What the parser accepts.
    package var parser = Parser.Options()
    /// How far back an instant selector looks for a sample, in milliseconds, unless a query says otherwise.
    package var lookbackDelta: Int64 = 300_000
    /// How long a query may take, waiting included.
    package var timeout: Duration = .seconds(120)
    /// How many samples a query may hold at once.
    package var maximumSamples = 50_000_000
    /// How many queries are evaluated at the same time; more wait.
    package var maximumConcurrency = 20
    /// Cores that one query may use.
    package var workers = 2
    /// Whether metric names are removed at the end of a query instead of by each operation
    /// (`promql-delayed-name-removal`).
    package var delayedNameRemoval = false
    /// Whether a query may ask for statistics of each step (`promql-per-step-stats`).
    package var reportsStepStatistics = false
    /// Whether start timestamps take part in `rate` and its kin (`use-start-timestamps`).
    package var usesStartTimestamps = false
    /// Whether `__type__` and `__unit__` are kept and looked at (`type-and-unit-labels`).
    package var usesTypeAndUnitLabels = false
    /// The step of a subquery with the given range that names none; both in milliseconds.
    package var defaultSubqueryInterval: @Sendable (Int64) -> Int64 = { _ in 60_000 }

    /// The defaults of Prometheus' flags.
    package init() {}
}
