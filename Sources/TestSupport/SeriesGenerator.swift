/// Random series as `load` commands of upstream's test-script language: every kind of sample, with gaps, staleness
/// markers, counter resets, NaN and infinities, start timestamps; about 20 minutes of them.
package struct SeriesGenerator {
    private var random: SeededGenerator

    /// The generator of `seed`.
    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// What queries over these series may use.
    package static var vocabulary: QueryGenerator.Vocabulary {
        var vocabulary = QueryGenerator.Vocabulary()
        vocabulary.metrics = [
            "requests_total", "requests_total", "temperature", "temperature", "gaps", "wild", "latency_bucket",
            "sizes", "sizes", "gauge_sizes", "mixed", "custom", "other_total", "with é", "build_info", "one",
            "many", "typed_total", "sizes", "custom", "hinted", "bad_bucket",
        ]
        vocabulary.buckets = ["latency_bucket", "odd_bucket", "bad_bucket"]
        vocabulary.histograms = ["sizes", "gauge_sizes", "mixed", "custom", "latency", "hinted"]
        vocabulary.infoMetrics = ["target_info", "build_info"]
        vocabulary.labels = ["job", "instance", "le", "env", "__name__", "number", "__type__"]
        vocabulary.values = ["a", "b", "1", "2", "3", "+Inf", "0.1", ""]
        vocabulary.moments = ["600", "0", "-60", "600.5", "1200.123", "333"]
        vocabulary.hasExperimentalSyntax = true
        vocabulary.hasUTF8Names = true
        return vocabulary
    }

    /// The commands.
    package mutating func script() -> String {
        "load \(pick(["15s", "15s", "10s", "17s"]))\n" + numbers() + "\n"
            + "load_with_nhcb \(pick(["15s", "30s"]))\n" + classicHistograms() + "\n"
            + "load \(pick(["15s", "20s"]))\n" + nativeHistograms() + "\n"
            + "load 1m\n" + information() + "\n"
    }

    // MARK: Numbers

    private mutating func numbers() -> String {
        var text = ""
        for job in ["a", "b"] {
            for instance in ["1", "2", "3"] {
                let labels = "job=\"\(job)\",instance=\"\(instance)\""
                let count = Int.random(in: 60...90, using: &random)
                if chance(0.5) {
                    text += "  requests_total{\(labels)}@st \(startTimestamps(count))\n"
                }
                text += "  requests_total{\(labels)} \(counter(count))\n"
                if chance(0.6) { text += "  other_total{\(labels), env=\"x\"} \(counter(count))\n" }
                text += "  temperature{\(labels)} \(values(count) { "\(($0.unit() - 0.3) * 40)" })\n"
                text += "  gaps{\(labels)} \(gaps(count))\n"
                text += "  wild{\(labels)} \(values(count) { $0.wild() })\n"
                text += "  {\"with é\", \(labels), \"lä bel\"=\"x\"} \(values(count) { "\(Int($0.unit() * 10))" })\n"
            }
        }
        for number in 0..<40 {
            text +=
                "  many{number=\"\(number)\", job=\"\(pick(["a", "b"]))\"} \(values(70) { "\(Int($0.unit() * 50))" })\n"
        }
        for type in ["counter", "gauge", "histogram"] {
            text += "  typed_total{__type__=\"\(type)\", __unit__=\"\(pick(["s", "bytes"]))\"} \(counter(70))\n"
        }
        // Bounds that are no numbers, are written in several ways, or stand twice.
        for bound in ["0.1", "0.10", "1e0", "1", "Inf", "+Inf", "-Inf", "NaN", "x", ""].filter({ _ in chance(0.6) }) {
            text += "  bad_bucket{le=\"\(bound)\", job=\"\(pick(["a", "b"]))\"} \(counter(60))\n"
        }
        for value in [#"a\"b"#, #"a\\b"#, #"a\nb"#, "\u{e9}", "a"] {
            text += "  temperature{job=\"\(value)\"} \(values(70) { "\(Int($0.unit() * 5))" })\n"
        }
        return text + "  one 1+1x70\n"
    }

    private mutating func startTimestamps(_ count: Int) -> String {
        var items: [String] = []
        while items.count < count {
            switch Int.random(in: 0..<5, using: &random) {
            case 0: items.append("_")
            case 1: items.append("-\(Int.random(in: 1...20, using: &random))s")
            case 2: items.append("-\(items.count * 15)s")
            case 3: items.append("0s")
            default: items.append("-15s")
            }
        }
        return items.joined(separator: " ")
    }

    private mutating func counter(_ count: Int) -> String {
        var value = Double(Int.random(in: 0...100, using: &random))
        return values(count) { generator in
            value = generator.chance(0.04) ? 0 : value + Double(Int.random(in: 0...9, using: &generator.random))
            return generator.chance(0.03) ? "_" : "\(value)"
        }
    }

    private mutating func gaps(_ count: Int) -> String {
        values(count) { generator in
            switch Int.random(in: 0..<12, using: &generator.random) {
            case 0: "stale"
            case 1, 2, 3, 4, 5: "_"
            case 6: "NaN"
            default: "\(Int.random(in: 0...5, using: &generator.random))"
            }
        }
    }

    private mutating func wild() -> String {
        pick([
            "NaN", "Inf", "-Inf", "0", "-0", "1e308", "-1e308", "5e-324", "1", "1e16", "-1e16", "3", "0.1",
            "0.30000001",
            "\(Double.random(in: -1e6...1e6, using: &random))", "1e-9", "123456789",
        ])
    }

    // MARK: Histograms

    private mutating func classicHistograms() -> String {
        var text = ""
        for (name, bounds) in [("latency", ["0.1", "1", "10", "+Inf"]), ("odd", ["-1", "0", "2"])] {
            for job in ["a", "b"] {
                let count = 40
                let isProper = name == "latency"
                var rows = bounds.map { _ in "" }
                var totals = bounds.map { _ in 0 }
                var counts = ""
                var sums = ""
                for _ in 0..<count {
                    if chance(0.03) { totals = totals.map { _ in 0 } }
                    var growth = 0
                    for index in bounds.indices {
                        growth += Int.random(in: 0...3, using: &random)
                        totals[index] += isProper || chance(0.9) ? growth : 0
                        rows[index] += " \(totals[index])"
                    }
                    counts += " \(totals.last ?? 0)"
                    sums += " \(Double(totals.first ?? 0) * 1.5)"
                }
                for (bound, row) in zip(bounds, rows) {
                    text += "  \(name)_bucket{job=\"\(job)\", le=\"\(bound)\"}\(row)\n"
                }
                guard isProper else { continue }
                text += "  \(name)_count{job=\"\(job)\"}\(counts)\n  \(name)_sum{job=\"\(job)\"}\(sums)\n"
            }
        }
        // A classic histogram that is not cumulative cannot be converted, so the odd one has no native counterpart.
        let odd = text.split(separator: "\n").filter { $0.contains("odd_") }.joined(separator: "\n")
        let proper = text.split(separator: "\n").filter { !$0.contains("odd_") }.joined(separator: "\n")
        return proper + "\n\nload 30s\n" + odd + "\n"
    }

    private mutating func nativeHistograms() -> String {
        var text = ""
        for job in ["a", "b"] {
            for instance in ["1", "2"] {
                let labels = "{job=\"\(job)\", instance=\"\(instance)\"}"
                text += "  sizes\(labels) \(histograms(hint: "", custom: false))\n"
                text += "  gauge_sizes\(labels) \(histograms(hint: " counter_reset_hint:gauge", custom: false))\n"
                text += "  hinted\(labels) \(histograms(hint: " counter_reset_hint:?", custom: chance(0.3)))\n"
                text += "  custom\(labels) \(histograms(hint: "", custom: true))\n"
                text += "  mixed\(labels) \(histograms(hint: "", custom: chance(0.3), mixed: true))\n"
            }
        }
        return text
    }

    private mutating func histograms(hint: String, custom: Bool, mixed: Bool = false) -> String {
        var counts = (0..<4).map { _ in Int.random(in: 0...5, using: &random) }
        var below = [0, 1]
        var zero = 0
        var schema = Int.random(in: -1...3, using: &random)
        let bounds = pick(["1 2 5", "1 2 5", "0.5 2 5", "1 3 5", "-2 0 1", "1 2 5 10 20"])
        let widths = pick(["0.001", "0.001", "0.001 0.001 0.01 1", "0.5"]).split(separator: " ").map(String.init)
        return values(60) { generator in
            if generator.chance(0.1) { return "_" }
            if generator.chance(0.02) { return "stale" }
            if mixed, generator.chance(0.4) { return "\(Int(generator.unit() * 20))" }
            let resets = !hint.isEmpty || generator.chance(0.03)
            for index in counts.indices {
                counts[index] = (resets ? 0 : counts[index]) + Int.random(in: 0...3, using: &generator.random)
            }
            for index in below.indices {
                below[index] = (resets ? 0 : below[index]) + Int.random(in: 0...1, using: &generator.random)
            }
            zero = resets ? 0 : zero + Int.random(in: 0...1, using: &generator.random)
            if generator.chance(0.03) { schema = Int.random(in: -1...3, using: &generator.random) }
            let text = counts.map(String.init).joined(separator: " ")
            let total = counts.reduce(0, +)
            // Observations of NaN are in no bucket.
            let unbucketed = generator.chance(0.02) ? 3 : 0
            let isOdd = unbucketed == 0 && generator.chance(0.02)
            let sum =
                unbucketed > 0
                ? "NaN"
                : isOdd ? generator.pick(["NaN", "Inf", "-Inf", "0"]) : "\(Double(total) * 1.25 + generator.unit())"
            let hint = hint.hasSuffix("?") ? generator.hint() : hint
            if custom {
                return "{{schema:-53 sum:\(sum) count:\(total + unbucketed) custom_values:[\(bounds)] "
                    + "buckets:[\(text)]\(hint)}}"
            }
            let all = total + below.reduce(0, +) + zero + unbucketed
            let width = generator.pick(widths)
            return "{{schema:\(schema) sum:\(sum) count:\(all) z_bucket:\(zero) z_bucket_w:\(width) "
                + "buckets:[\(text)] n_buckets:[\(below.map(String.init).joined(separator: " "))] n_offset:1\(hint)}}"
        }
    }

    private mutating func hint() -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: " counter_reset_hint:reset"
        case 1, 2, 3: " counter_reset_hint:not_reset"
        case 4: " counter_reset_hint:gauge"
        default: ""
        }
    }

    // MARK: Information

    private mutating func information() -> String {
        var text = ""
        for job in ["a", "b"] {
            for instance in ["1", "2"] {
                text += "  target_info{job=\"\(job)\", instance=\"\(instance)\", version=\"v\(instance)\"} 1x25\n"
                text += "  build_info{job=\"\(job)\", instance=\"\(instance)\", env=\"\(pick(["prod", "dev", ""]))\"} "
                text += pick(["1x25", "1x10 stale", "_x5 1x20"]) + "\n"
            }
        }
        if chance(0.2) { text += "  target_info{job=\"a\", instance=\"1\", version=\"v9\"} _x10 1x10\n" }
        return text
    }

    // MARK: Pieces

    private mutating func values(_ count: Int, _ value: (inout Self) -> String) -> String {
        var items: [String] = []
        for _ in 0..<count { items.append(value(&self)) }
        return items.joined(separator: " ")
    }

    private mutating func unit() -> Double { Double.random(in: 0..<1, using: &random) }

    private mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    private mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
}
