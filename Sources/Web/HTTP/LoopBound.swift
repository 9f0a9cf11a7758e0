/// A reference that is used on its event loop only, carried through closures that may run elsewhere.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
    // SAFETY: whoever makes one uses `value` on the value's own event loop only.
    let value: Value
    init(_ value: Value) { self.value = value }
}
