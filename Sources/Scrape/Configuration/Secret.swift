/// A value that must not be shown: printing, describing or dumping it gives `<secret>`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// What stands for a secret wherever it would be shown.
    package static let placeholder = "<secret>"

    /// Hides `value`.
    package init(_ value: String) { self.value = value }

    /// Whether there is nothing to hide.
    package var isEmpty: Bool { value.isEmpty }

    /// The value itself, for the one place that sends it.
    package var revealed: String { value }

    package var description: String { isEmpty ? "" : Self.placeholder }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
