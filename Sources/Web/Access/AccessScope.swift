package import Gateway

/// Which groups a request may touch.
package enum AccessScope: Sendable, Hashable {
    /// All of them, and what belongs to none.
    case everything
    /// Those that one of the selectors selects.
    case groups([GroupSelector])

    /// Whether a group is within.
    package func includes(_ key: GroupingKey) -> Bool {
        switch self {
        case .everything: true
        case .groups(let selectors): selectors.contains { $0.selects(key) }
        }
    }
}
