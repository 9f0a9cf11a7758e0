package import MetricModel

/// How much those groups may take up together that one rule selects.
///
/// Which groups count towards a quota is not written down: it follows from the rules, which are read anew at each start
/// (``GatewayStore/assignQuotas(_:)``).
package struct GroupQuota: Sendable, Hashable {
    /// Tells quotas apart; not 0, which stands for none.
    package let id: UInt32
    /// What the quota is for, as refusals name it: the selector of its rule.
    package let name: ByteString
    /// A push that would make one more group is refused.
    package let maximumGroups: Int
    /// A push is refused if the groups had more series after it.
    package let maximumSeries: Int

    /// A quota; without limits nothing is refused, but groups are counted.
    package init(id: UInt32, name: ByteString, maximumGroups: Int = .max, maximumSeries: Int = .max) {
        self.id = max(1, id)
        self.name = name
        self.maximumGroups = maximumGroups
        self.maximumSeries = maximumSeries
    }
}

/// What the groups of one quota take up.
package struct QuotaUse: Sendable, Hashable {
    /// Number of groups.
    package var groups = 0
    /// Number of their series, those of push times apart.
    package var series = 0

    /// So many groups with so many series.
    package init(groups: Int = 0, series: Int = 0) {
        self.groups = groups
        self.series = series
    }
}
