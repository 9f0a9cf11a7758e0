internal import Dispatch

/// Lets so many queries run at a time; the others wait, until their time is up.
final class QueryGate: Sendable {
    private let places: DispatchSemaphore

    init(limit: Int) { places = DispatchSemaphore(value: max(1, limit)) }

    /// Waits for a place.
    /// - Throws: ``QueryError/timedOut(during:)`` or ``QueryError/cancelled(during:)``, and then no place is held.
    func enter(_ control: QueryControl) throws(QueryError) {
        // Short waits, so that a cancelled query does not hold its thread until a place is free.
        while places.wait(timeout: .now() + .milliseconds(50)) == .timedOut { try control.check("query queue") }
        do throws(QueryError) {
            try control.check("query queue")
        } catch {
            places.signal()
            throw error
        }
    }

    /// Takes a place if one is free; whether it did.
    func enterAtOnce() -> Bool { places.wait(timeout: .now()) == .success }

    /// Gives the place back.
    func leave() { places.signal() }
}
