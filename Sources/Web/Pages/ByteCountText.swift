/// Numbers of bytes as pages show them.
package enum ByteCountText {
    /// In binary units: "812 B", "1.4 KiB", "120 MiB". The pages' scripts write the same.
    package static func binary(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(max(0, count))
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        if unit == 0 || value >= 100 { return "\(Int(value.rounded())) \(units[unit])" }
        return "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
