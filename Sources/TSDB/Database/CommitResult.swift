/// What a commit took.
package struct CommitResult: Sendable, Hashable {
    /// Samples that are now stored.
    package var appended = 0
    /// Samples, among those appended, that are out of order.
    package var outOfOrder = 0
    /// Samples that another appender overtook between append and commit.
    package var rejected = 0

    /// Nothing.
    package init() {}
}
