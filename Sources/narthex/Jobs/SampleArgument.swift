/// A sample on the command line: `name=3.14` or `name{a="b"}=3.14`.
struct SampleArgument {
    /// Name and labels as they stand before the last `=`.
    let series: Substring
    let number: Substring

    /// nil where the text is not of that form: a name of the legacy character set, balanced braces, a number.
    /// Whether labels are well formed is for the gateway to say, which names the place.
    init?(_ text: String) {
        guard let equals = text.lastIndex(of: "=") else { return nil }
        let series = text[..<equals]
        let number = text[text.index(after: equals)...]
        let name = series.prefix { $0 != "{" }
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        guard name.utf8.allSatisfy(Self.isNameByte) else { return nil }
        guard name.endIndex == series.endIndex || series.hasSuffix("}") else { return nil }
        guard Double(number) != nil || ["+Inf", "-Inf", "Inf", "NaN"].contains(number) else { return nil }
        self.series = series
        self.number = number
    }

    /// The samples in the text format, those of one name together.
    /// - Parameter isAdded: They are to be added to what is stored, which makes them counters.
    static func body(_ samples: [SampleArgument], isAdded: Bool) -> [UInt8] {
        let sorted = samples.enumerated().sorted { left, right in
            let (a, b) = (left.element.series.prefix { $0 != "{" }, right.element.series.prefix { $0 != "{" })
            return a == b ? left.offset < right.offset : a < b
        }
        var body: [UInt8] = []
        var last: Substring?
        for (_, sample) in sorted {
            let name = sample.series.prefix { $0 != "{" }
            if isAdded, name != last { body += "# TYPE \(name) counter\n".utf8 }
            last = name
            body += "\(sample.series) \(sample.number)\n".utf8
        }
        return body
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
