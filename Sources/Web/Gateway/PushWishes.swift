package import Gateway
internal import MetricModel

/// What a push asks for beside its metrics, by its method, its query and its header fields; a client that knows only
/// Pushgateway asks for nothing but the mode.
package struct PushWishes: Sendable, Hashable {
    /// `PUT`, `POST` or `PATCH`.
    package var mode: Push.Mode
    /// `?lifetime=` or `Narthex-Lifetime`; nil if the request does not say.
    package var lifetime: Lifetime?
    /// `?gauges=`; nil if the request does not say.
    package var gaugeRule: GaugeRule?

    /// No wishes but the mode.
    package init(mode: Push.Mode) { self.mode = mode }

    /// What the head of a request asks for.
    /// - Throws: ``PushTarget/Invalid``: 400 with a sentence.
    package init(_ head: HTTPRequestHead, mode: Push.Mode) throws(PushTarget.Invalid) {
        self.mode = mode
        if let text = head["narthex-lifetime"] { lifetime = try Self.lifetime(text) }
        guard let query = head.rawQuery else { return }
        let parameters = QueryParameters(query)
        if let text = parameters["lifetime"] {
            let wanted = try Self.lifetime(text)
            if let other = lifetime, other != wanted {
                throw PushTarget.Invalid(
                    description: "the query and the field Narthex-Lifetime ask for different lifetimes")
            }
            lifetime = wanted
        }
        if let text = parameters["gauges"] { gaugeRule = try Self.gaugeRule(text) }
    }

    private static func lifetime(_ text: String) throws(PushTarget.Invalid) -> Lifetime {
        do throws(InvalidWish) { return try Lifetime(text: text) } catch {
            throw PushTarget.Invalid(description: error.description)
        }
    }

    private static func gaugeRule(_ text: String) throws(PushTarget.Invalid) -> GaugeRule {
        do throws(InvalidWish) { return try GaugeRule(text: text) } catch {
            throw PushTarget.Invalid(description: error.description)
        }
    }

    /// Whether a `PATCH` says what its body is, or anything else that only Narthex knows. One that does not is
    /// answered like upstream answers it, which does not serve `PATCH`; see docs/gateway-api.md.
    static func isMeant(_ head: HTTPRequestHead) -> Bool {
        head.range(of: "content-type") != nil || head.rawQuery != nil || head.range(of: "idempotency-key") != nil
            || head.range(of: "narthex-lifetime") != nil
    }
}

/// How a push is taken: what the request asks for, and what a policy says where the request does not.
struct PushTerms: Sendable {
    /// What happens to what the group already has.
    var mode: Push.Mode
    /// How long the group stays from now on.
    var lifetime: Lifetime
    /// For gauges of an accumulating push.
    var gaugeRule: GaugeRule
    /// The policy that is for the group.
    var policy: PolicyBook.Entry?
    /// Whether the policy's rules for gauges of some names hold.
    var usesNamedGaugeRules = false

    /// Why the push comes too soon after others; nil if it does not. Counts the push.
    func rateRefusal() -> Refusal? {
        guard let policy, let limiter = policy.limiter, !limiter.allow() else { return nil }
        let rate = policy.policy.limits.pushesPerSecond ?? 0
        return .limit("the policy for \(policy.policy.match) allows \(rate) pushes a second; try again later")
    }

    /// The command.
    func push(_ group: GroupingKey, _ families: [MetricFamily], check: Push.Check, time: Int64) -> Push {
        var push = Push(
            group: group, families: families, mode: mode, check: check, time: time, lifetime: lifetime,
            gaugeRule: gaugeRule)
        push.quota = policy?.quota
        if usesNamedGaugeRules, mode == .accumulate {
            push.gaugeRules = policy?.policy.gaugeRules(for: families) ?? [:]
        }
        return push
    }
}

extension GatewayService {
    /// Settles how a push to `group` is taken: the one place where wishes of requests and policies become commands.
    ///
    /// What a request asks for goes before what a policy says, but that a policy accumulates holds for every client.
    func terms(_ wishes: PushWishes, for group: GroupingKey) -> PushTerms {
        guard let entry = policies?.entry(for: group) else {
            return PushTerms(
                mode: wishes.mode, lifetime: wishes.lifetime ?? .forever, gaugeRule: wishes.gaugeRule ?? .last)
        }
        let policy = entry.policy
        return PushTerms(
            mode: policy.accumulates ? .accumulate : wishes.mode,
            lifetime: wishes.lifetime ?? policy.lifetime ?? .forever,
            gaugeRule: wishes.gaugeRule ?? policy.gaugeRule ?? .last, policy: entry,
            usesNamedGaugeRules: wishes.gaugeRule == nil)
    }
}
