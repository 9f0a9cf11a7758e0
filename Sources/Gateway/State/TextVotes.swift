internal import MetricModel

/// Which of several texts (help strings, units) the members of a family carry, and how many each.
struct TextVotes: Sendable {
    private var texts: [(text: ByteString, votes: Int32)] = []
    private var free: [Int32] = []
    /// Only kept when a list would take long to search.
    private var numbers: [ByteString: Int32]?

    static let none: Int32 = -1

    /// Votes for `text` and yields its number; nil votes for nothing.
    mutating func add(_ text: ByteString?) -> Int32 {
        guard let text else { return TextVotes.none }
        if let number = number(of: text) {
            texts[Int(number)].votes += 1
            return number
        }
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            texts[Int(number)] = (text, 1)
        } else {
            texts.append((text, 1))
            number = Int32(truncatingIfNeeded: texts.count - 1)
        }
        if numbers == nil, texts.count > 8 {
            numbers = [:]
            for (index, entry) in texts.enumerated() where entry.votes > 0 { numbers?[entry.text] = Int32(index) }
        }
        numbers?[text] = number
        return number
    }

    /// Takes a vote back.
    mutating func remove(_ number: Int32) {
        guard number != TextVotes.none else { return }
        texts[Int(number)].votes -= 1
        guard texts[Int(number)].votes == 0 else { return }
        numbers?[texts[Int(number)].text] = nil
        texts[Int(number)].text = ""
        free.append(number)
    }

    /// The text of a number.
    subscript(number: Int32) -> ByteString? { number == TextVotes.none ? nil : texts[Int(number)].text }

    /// The text with the most votes, of several the least by bytes; nil if there is none.
    /// - Complexity: O(texts).
    var winner: ByteString? {
        var best: (text: ByteString, votes: Int32)?
        for entry in texts where entry.votes > 0 {
            guard let current = best else {
                best = entry
                continue
            }
            if entry.votes > current.votes || (entry.votes == current.votes && entry.text < current.text) {
                best = entry
            }
        }
        return best?.text
    }

    private func number(of text: ByteString) -> Int32? {
        if let numbers { return numbers[text] }
        for (index, entry) in texts.enumerated() where entry.votes > 0 && entry.text == text {
            return Int32(truncatingIfNeeded: index)
        }
        return nil
    }
}
