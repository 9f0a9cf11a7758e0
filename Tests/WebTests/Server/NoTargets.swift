import MetricModel
import Web

/// A server that scrapes nothing.
struct NoTargets: TargetDirectory {
    var poolNames: [String] { [] }
    var activeTargets: [TargetStatus] { [] }
    var droppedTargets: [DroppedTargetStatus] { [] }
    var droppedCounts: [String: Int] { [:] }
    func configuration(ofPool name: String) -> String? { nil }
    func relabelSteps(ofPool name: String, _ labels: Labels) -> [RelabelStepStatus]? { nil }
}
