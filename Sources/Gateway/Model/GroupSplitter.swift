package import MetricModel

/// Splits one body into groups by labels of its series.
package enum GroupSplitter {
    /// Why a body cannot be split.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// The families of each group, in the order in which the groups come first.
    ///
    /// A label of `names` that a series does not have, or has empty, is left out of its group's key.
    /// - Parameters:
    ///   - families: As parsed.
    ///   - names: The grouping labels; `job` is one of them, asked for or not.
    /// - Throws: ``Failure`` if a series has no `job`.
    /// - Complexity: O(series × labels).
    package static func split(
        _ families: [MetricFamily], by names: [ByteString]
    ) throws(Failure) -> [(key: GroupingKey, families: [MetricFamily])] {
        let job: ByteString = "job"
        let names = names.contains(job) ? names : [job] + names
        var groups: [(key: GroupingKey, families: [MetricFamily])] = []
        var numbers: [[ByteString]: Int] = [:]
        for family in families {
            // Where in each group this family stands.
            var places: [Int: Int] = [:]
            for metric in family.metrics {
                let values = names.map { name in metric.labels.first { $0.name == name }?.value ?? "" }
                guard values[names.firstIndex(of: job) ?? 0] != "" else {
                    throw Failure(
                        description: "a series of \(Quoting.quote(family.name)) has no job label: each series must "
                            + "say which group it belongs to")
                }
                let number: Int
                if let known = numbers[values] {
                    number = known
                } else {
                    number = groups.count
                    numbers[values] = number
                    let labels = zip(names, values).filter { $0.1 != "" }.map { LabelPair($0.0, $0.1) }
                    groups.append((GroupingKey(labels), []))
                }
                if let place = places[number] {
                    groups[number].families[place].metrics.append(metric)
                } else {
                    var part = family
                    part.metrics = [metric]
                    places[number] = groups[number].families.count
                    groups[number].families.append(part)
                }
            }
        }
        return groups
    }
}
