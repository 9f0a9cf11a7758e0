import Bridge
import Exposition
import Gateway
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct PushBridgeTests {
    private let gauge = #"{__name__="g", job="a"}"#
    private let counter = #"{__name__="c_total", job="a"}"#

    @Test func `each push is stored at its time, and groups again at each refresh`() throws {
        let driver = try BridgeDriver()
        try driver.push("g 1\n")
        driver.now += 100
        try driver.push("g 2\n")
        driver.now += 900
        driver.bridge.refresh()
        driver.now += 1000
        driver.bridge.refresh()
        #expect(try driver.samples("g") == [gauge: "0=1.0 100=2.0 1000=2.0 2000=2.0"])
        let times = try driver.samples("push_time_seconds")
        #expect(
            times == [
                #"{__name__="push_time_seconds", job="a"}"#:
                    "0=1700000000.0 100=1700000000.1 1000=1700000000.1 2000=1700000000.1"
            ])
    }

    @Test func `of pushes within one millisecond the later counts for the next`() throws {
        let driver = try BridgeDriver()
        for value in 1...3 { try driver.push("g \(value)\n") }
        #expect(try driver.samples("g") == [gauge: "0=1.0 1=2.0 2=3.0"])
    }

    @Test func `of pushes that come too fast the latest is stored within milliseconds`() throws {
        let driver = try BridgeDriver()
        for value in 0..<1500 { try driver.push("g \(value)\n") }
        #expect(try driver.samples("g") == [gauge: "0=0.0 1=1.0 2=2.0 3=1499.0"])
        #expect(driver.bridge.counts.crowded == 1497)
        driver.now += 10
        for value in 0..<10 {
            driver.now += 1
            try driver.push("g \(value)\n")
        }
        #expect(try driver.samples("g")[gauge]?.hasSuffix(" 18=7.0 19=8.0 20=9.0") ?? false)
        driver.now += 100
        driver.bridge.refresh()
        #expect(try driver.samples("g")[gauge]?.hasSuffix(" 20=9.0 120=9.0") ?? false)
    }

    @Test func `what fast pushes bring and take away is stored together`() throws {
        let driver = try BridgeDriver()
        for value in 0..<4 { try driver.push("g \(value)\nx 1\n", mode: .replaceFamilies) }
        try driver.push("# TYPE c_total counter\nc_total 5\n", mode: .replaceGroup)
        try driver.push("y 1\n", mode: .replaceFamilies)
        try driver.push("x 2\n", mode: .replaceFamilies)
        let (x, y) = (#"{__name__="x", job="a"}"#, #"{__name__="y", job="a"}"#)
        #expect(
            try driver.samples("[a-z]|c_total") == [
                gauge: "0=0.0 1=1.0 2=2.0 3=stale", x: "0=1.0 1=1.0 2=1.0 3=2.0", y: "3=1.0",
                counter: "2=0.0 3=5.0",
            ])
        try driver.push("x 3\n", mode: .replaceFamilies)
        driver.delete()
        #expect(try driver.samples("x") == [x: "0=1.0 1=1.0 2=1.0 3=2.0 4=stale"])
        #expect(driver.bridge.owned.count == 0)
    }

    @Test func `a new counter begins at zero, just before its first push, and no later one does`() throws {
        let driver = try BridgeDriver()
        driver.now += 10
        try driver.push("# TYPE c_total counter\nc_total 5\n# TYPE g gauge\ng 5\n")
        driver.now += 10
        try driver.push("# TYPE c_total counter\nc_total 7\n# TYPE g gauge\ng 7\n")
        #expect(try driver.samples("c_total") == [counter: "9=0.0 10=5.0 20=7.0"])
        #expect(try driver.samples("g") == [gauge: "10=5.0 20=7.0"])
    }

    @Test func `a counter that says when it began is zero then`() throws {
        let driver = try BridgeDriver()
        driver.now += 5000
        try driver.push(
            "# TYPE c counter\nc_total 5\nc_created 1700000003.5\n# EOF\n", isOpenMetrics: true)
        #expect(try driver.samples("c_total") == [counter: "3500=0.0 5000=5.0"])
    }

    @Test func `a created gauge beside a counter or histogram in the text format counts as well`() throws {
        let driver = try BridgeDriver()
        driver.now += 5000
        try driver.push(
            """
            # TYPE c_total counter
            c_total{x="1"} 5
            # TYPE c_created gauge
            c_created{x="1"} 1700000002
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="+Inf"} 2
            h_sum 3
            h_count 2
            # TYPE h_created gauge
            h_created 1700000001

            """)
        #expect(try driver.samples("c_total") == [#"{__name__="c_total", job="a", x="1"}"#: "2000=0.0 5000=5.0"])
        #expect(try driver.samples("h_count") == [#"{__name__="h_count", job="a"}"#: "1000=0.0 5000=2.0"])
        #expect(
            try driver.samples("h_bucket") == [
                #"{__name__="h_bucket", job="a", le="1.0"}"#: "1000=0.0 5000=1.0",
                #"{__name__="h_bucket", job="a", le="+Inf"}"#: "1000=0.0 5000=2.0",
            ])
    }

    @Test func `what a push drops ends, and what a deletion drops ends at once`() throws {
        let driver = try BridgeDriver()
        try driver.push("g 1\nx 1\n")
        driver.now += 10
        try driver.push("g{y=\"1\"} 2\n", mode: .replaceFamilies)
        #expect(
            try driver.samples("g|x") == [
                gauge: "0=1.0 10=stale", #"{__name__="g", job="a", y="1"}"#: "10=2.0",
                #"{__name__="x", job="a"}"#: "0=1.0",
            ])
        driver.now += 10
        try driver.push("x 3\n")
        driver.now += 10
        driver.delete()
        #expect(
            try driver.samples("g|x") == [
                gauge: "0=1.0 10=stale", #"{__name__="g", job="a", y="1"}"#: "10=2.0 20=stale",
                #"{__name__="x", job="a"}"#: "0=1.0 20=3.0 30=stale",
            ])
        #expect(driver.bridge.owned.count == 0)
        driver.now += 1000
        driver.bridge.refresh()
        #expect(try driver.samples("x").values.first == "0=1.0 20=3.0 30=stale")
    }

    @Test func `a counter that is deleted and pushed again counts from zero`() throws {
        let driver = try BridgeDriver()
        driver.now += 10
        try driver.push("# TYPE c_total counter\nc_total 5\n")
        driver.delete()
        try driver.push("# TYPE c_total counter\nc_total 7\n")
        #expect(try driver.samples("c_total") == [counter: "9=0.0 10=5.0 11=stale 12=0.0 13=7.0"])
    }

    @Test func `a histogram whose buckets change goes on with its sum and count`() throws {
        let driver = try BridgeDriver()
        driver.now += 10
        try driver.push("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n")
        driver.now += 10
        try driver.push("# TYPE h histogram\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n")
        #expect(
            try driver.samples("h_.*") == [
                #"{__name__="h_bucket", job="a", le="1.0"}"#: "9=0.0 10=1.0 20=stale",
                #"{__name__="h_bucket", job="a", le="2.0"}"#: "19=0.0 20=2.0",
                #"{__name__="h_bucket", job="a", le="+Inf"}"#: "9=0.0 10=2.0 20=3.0",
                #"{__name__="h_count", job="a"}"#: "9=0.0 10=2.0 20=3.0",
                #"{__name__="h_sum", job="a"}"#: "9=0.0 10=3.0 20=4.0",
            ])
    }

    @Test func `groups of another process are taken up, without zeros for what the store knows`() throws {
        let disk = SimulatedDisk(seed: 1)
        let database = try Database.open("data", fileSystem: disk)
        let bridge = PushBridge(now: { 1_700_000_010_000 * 1_000_000 })
        let store = GatewayStore()
        func push(_ text: String, job: String) throws {
            let families = try Array(text.utf8).withUnsafeBufferPointer { try TextParser.parse($0) }
            let push = Push(
                group: GroupingKey(["job": job]), families: families, mode: .replaceGroup,
                time: 1_700_000_005_000 * 1_000_000)
            store.submit(.push(push)) { _ in }
        }
        try push("# TYPE c_total counter\nc_total 5\n", job: "known")
        try push("# TYPE c_total counter\nc_total 6\n", job: "lost")
        let appender = database.appender()
        _ = try appender.append(
            .none, labels: Labels(["__name__": "c_total", "job": "known"]), timestamp: 1_700_000_005_000, value: 5)
        _ = try appender.commit(.relaxed)
        bridge.open(from: store)
        bridge.open(into: database)
        bridge.flush()
        #expect(
            try BridgeDriver.samples(of: database, "c_total") == [
                #"{__name__="c_total", job="known"}"#: "5000=5.0 10000=5.0",
                #"{__name__="c_total", job="lost"}"#: "4999=0.0 5000=6.0 10000=6.0",
            ])
        bridge.close()
    }

    @Test func `a store that is full keeps nothing from coming back`() throws {
        let disk = SimulatedDisk(seed: 1)
        let driver = try BridgeDriver(disk: disk)
        try driver.push("g 1\n")
        driver.bridge.flush()
        var faults = SimulatedDisk.Faults()
        faults.capacity = 0
        disk.faults = faults
        driver.now += 10
        try driver.push("g 2\n")
        driver.bridge.flush()
        disk.faults = SimulatedDisk.Faults()
        driver.now += 10_000
        try driver.database.maintain(now: driver.now)
        driver.bridge.refresh()
        let text = try #require(try driver.samples("g")[gauge])
        #expect(text.hasSuffix("10010=2.0"))
    }
}
