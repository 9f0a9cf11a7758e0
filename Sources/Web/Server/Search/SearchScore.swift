internal import MetricModel

/// How well names fit what somebody types: 1 for the best, nil for no fit.
///
/// Source of the numbers: prometheus/prometheus web/api/v1/search_filters.go, util/strutil/subsequence.go and
/// util/strutil/jarowinkler.go.
struct SearchScore: Sendable {
    /// How names are compared with a term.
    enum Algorithm: String, CaseIterable {
        /// The term's characters in their order, with anything in between.
        case subsequence
        /// The term as a part of the name, or a name that looks like it.
        case jaroWinkler = "jarowinkler"
    }

    private let terms: [[Unicode.Scalar]]
    private let algorithm: Algorithm
    /// 0 to 1.
    private let threshold: Double
    private let isCaseSensitive: Bool

    /// - Returns: nil where no term says anything: all names are wanted.
    init?(terms: [ByteString], algorithm: Algorithm, threshold: Double, isCaseSensitive: Bool) {
        let texts = terms.map(\.string).filter { !$0.isEmpty }
        if texts.isEmpty { return nil }
        self.terms = texts.map { Array((isCaseSensitive ? $0 : $0.lowercased()).unicodeScalars) }
        self.algorithm = algorithm
        self.threshold = threshold
        self.isCaseSensitive = isCaseSensitive
    }

    /// The best score of any term.
    /// - Complexity: O(terms × name²) at worst.
    func score(_ name: ByteString) -> Double? {
        let text = isCaseSensitive ? name.string : name.string.lowercased()
        let scalars = Array(text.unicodeScalars)
        var best: Double?
        for term in terms {
            guard let score = score(term, scalars) else { continue }
            best = max(best ?? 0, score)
            if score >= 1 { break }
        }
        return best
    }

    private func score(_ term: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Double? {
        switch algorithm {
        case .subsequence:
            if text.starts(with: term) { return 1 }
            let score = Self.subsequence(term, text)
            return score > 0 && score >= threshold ? score : nil
        case .jaroWinkler:
            if let score = Self.substring(term, text) { return score }
            guard threshold > 0 else { return nil }
            let score = Self.jaroWinkler(term, text)
            return score >= threshold ? score : nil
        }
    }

    /// 1 for a prefix, less the further behind the term stands.
    private static func substring(_ term: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Double? {
        guard text.count >= term.count else { return nil }
        let last = text.count - term.count
        for place in 0...last where text[place..<(place + term.count)].elementsEqual(term) {
            return place == 0 ? 1 : 1 - 0.9 * Double(place) / Double(last)
        }
        return nil
    }

    /// Squares of the lengths of unbroken runs, less what lies between them; from the start that scores best.
    private static func subsequence(_ term: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Double {
        guard term.count <= text.count else { return 0 }
        if term == text { return 1 }
        let unit = 1 / Double(text.count)
        var best = -1.0
        for start in 0...(text.count - term.count) where text[start] == term[0] {
            // Where the rest of the term is not found behind this start, it is not behind later ones.
            guard let score = run(term, text, from: start, unit) else { break }
            best = max(best, score)
        }
        return best < 0 ? 0 : best / Double(term.count * term.count) * 0.999
    }

    private static func run(
        _ term: [Unicode.Scalar], _ text: [Unicode.Scalar], from start: Int, _ unit: Double
    ) -> Double? {
        var score = 0.0
        var place = start
        var found = 0
        var end = 0
        while found < term.count {
            guard let first = text[place...].firstIndex(of: term[found]) else { return nil }
            var length = 0
            while found < term.count, first + length < text.count, text[first + length] == term[found] {
                length += 1
                found += 1
            }
            score -= Double(first - end) * unit
            score += Double(length * length)
            end = first + length
            place = end
        }
        return score - Double(text.count - end) * unit * 0.5
    }

    /// The similarity of Jaro, raised by a common prefix of up to four characters as Winkler does.
    private static func jaroWinkler(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Double {
        if left == right { return 1 }
        if left.isEmpty || right.isEmpty { return 0 }
        let (short, long) = left.count <= right.count ? (left, right) : (right, left)
        let reach = max(long.count / 2 - 1, 0)
        var isTaken = [Bool](repeating: false, count: long.count)
        var matched: [Unicode.Scalar] = []
        for (index, scalar) in short.enumerated() {
            let range = max(index - reach, 0)..<max(min(index + reach + 1, long.count), max(index - reach, 0))
            guard let place = range.first(where: { !isTaken[$0] && long[$0] == scalar }) else { continue }
            isTaken[place] = true
            matched.append(scalar)
        }
        if matched.isEmpty { return 0 }
        let others = long.indices.filter { isTaken[$0] }.map { long[$0] }
        let misplaced = Double(zip(matched, others).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) })
        let count = Double(matched.count)
        let jaro =
            (count / Double(short.count) + count / Double(long.count) + (count - misplaced * 0.5) / count) / 3
        let prefix = zip(short, long).prefix(4).prefix { $0.0 == $0.1 }.count
        return jaro + Double(prefix) * 0.1 * (1 - jaro)
    }
}
