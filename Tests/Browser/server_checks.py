"""The server's pages."""

import json
import urllib.parse

from checks import check, expect, expect_text, sound

PHONE = {"width": 320, "height": 640, "mobile": True}
RATE = "sum by (code) (rate(http_requests_total[5m]))"
LINES = "document.querySelectorAll('.chart .series').length"


def address(server, expression, **more):
    parameters = {"g0.expr": expression, **{f"g0.{name}": value for name, value in more.items()}}
    return f"{server.address}/query?{urllib.parse.urlencode(parameters)}"


def focus_editor(page):
    page.run("document.querySelector('textarea').focus()")


@check("an empty server says what to do", shot="query-empty")
def empty(stage, page):
    page.open(stage.bare.address + "/")
    expect(page.run("location.pathname") == "/query", "the root leads to the query page")
    page.wait("document.querySelector('.output .empty')")
    expect_text(page, "Type an expression")
    page.open(address(stage.bare, "up"))
    page.wait("document.querySelector('.output')?.innerText.includes('matches nothing')")
    page.open(stage.bare.address + "/targets")
    expect_text(page, "Nothing is scraped")


@check("a query is drawn, and its address says all of it", shot="query-lines")
def lines(stage, page):
    page.open(stage.server.address + "/query")
    page.wait("document.activeElement.tagName === 'TEXTAREA'")
    page.type(RATE)
    page.key("Escape")
    page.key("Enter")
    page.wait(f"{LINES} === 3")
    query = urllib.parse.parse_qs(page.run("location.search")[1:])
    expect(query["g0.expr"] == [RATE] and query["g0.tab"] == ["0"], f"address: {query}")
    colours = page.run("[...new Set([...document.querySelectorAll('.paint span')].map((one) => one.className))]")
    expect({"t-function", "t-keyword", "t-label", "t-metric", "t-number"} <= set(colours), f"painted: {colours}")
    stage.figures.append(f"query page: first paint {page.run('performance.getEntriesByName(`first-contentful-paint`)[0]?.startTime ?? 0'):.0f} ms")


@check("words are completed, with signatures and help")
def completion(stage, page):
    page.open(stage.server.address + "/query")
    page.wait("document.activeElement.tagName === 'TEXTAREA'")
    page.type("hist")
    page.wait("!document.querySelector('.completion').hidden")
    shown = page.text(".completion")
    expect("histogram_quantile" in shown and "instant-vector" in shown, shown[:300])
    while "histogram_quantile" not in page.text(".completion li[aria-selected=true]").split():
        page.key("ArrowDown")
    page.key("Tab")
    page.wait("document.querySelector('textarea').value === 'histogram_quantile()'")
    page.run("document.querySelector('textarea').value = ''")
    focus_editor(page)
    page.type("http_req")
    page.wait("document.querySelector('.completion').innerText.includes('http_requests_total')")
    page.key("Enter")
    page.type("{me")
    page.wait("document.querySelector('.completion').innerText.includes('method')")
    page.key("Enter")
    page.type('="')
    page.wait("document.querySelector('.completion').innerText.includes('POST')")
    page.key("ArrowDown")
    page.key("Enter")
    expect(page.run("document.querySelector('textarea').value").startswith('http_requests_total{method="'), "completed")


@check("an error is marked where it is", shot="query-error")
def error(stage, page):
    page.open(address(stage.server, "sum(rate(up[5m]) +)"))
    page.wait("document.querySelector('.note.bad')")
    expect_text(page, "bad_data", "parse error")
    expect(page.run("document.querySelector('.t-error')?.innerText") == ")", "the wrong bracket is underlined")


@check("a table shows labels and values, and copies", shot="query-table")
def table(stage, page):
    page.open(address(stage.server, "http_requests_total", tab="1"))
    page.wait("document.querySelectorAll('tbody tr').length === 4")
    expect_text(page, "method", "code", "POST", "Copy as text")


@check("stacked areas and heat maps of classic and native histograms", shot="query-heatmap")
def modes(stage, page):
    page.open(address(stage.server, RATE, display_mode="stacked"))
    page.wait("document.querySelectorAll('.chart .area').length === 3")
    page.open(address(stage.server, "sum by (le) (rate(request_seconds_bucket[5m]))", display_mode="heatmap"))
    page.wait("document.querySelectorAll('.heat path').length > 3")
    expect("≤ 0.1" in page.run("document.querySelector('.axis').textContent"), "rows are named")
    page.open(address(stage.server, "rate(request_native_seconds[5m])", display_mode="heatmap"))
    page.wait("document.querySelectorAll('.heat path').length > 3")


@check("a pointer reads all values, drags a range, and the way back leads out", shot="query-hover")
def pointer(stage, page):
    page.open(address(stage.server, RATE, range_input="1h"))
    page.wait(f"{LINES} === 3")
    left, top, width, height = page.run("(() => { const box = document.querySelector('.chart svg').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()")
    before = page.text(".legend")
    page.mouse("mouseMoved", left + width * 0.5, top + height / 2)
    page.wait("!document.querySelector('.tip').hidden")
    expect(page.text(".tip").count("code") == 3, page.text(".tip"))
    page.wait(f"document.querySelector('.legend').innerText !== {json.dumps(before)}")
    page.drag((left + width * 0.4, top + height / 2), (left + width * 0.6, top + height / 2))
    page.wait("/range_input=(9|1[0-4])m/.test(location.search) && location.search.includes('end_input')")
    page.wait(f"{LINES} === 3")
    page.run("history.back()")
    page.wait("location.search.includes('range_input=1h')")
    page.wait(f"{LINES} === 3")
    page.mouse("mouseMoved", left + width * 0.7, top + height / 2)


@check("the chart is read and zoomed by keyboard")
def keyboard(stage, page):
    page.open(address(stage.server, RATE, range_input="1h"))
    page.wait(f"{LINES} === 3")
    page.run("document.querySelector('.chart svg').focus()")
    for _ in range(3):
        page.key("ArrowRight")
    page.wait("!document.querySelector('.tip').hidden")
    page.wait("document.querySelector('.chart [role=status]').innerText.includes('code')")
    for _ in range(60):
        page.key("ArrowRight", modifiers=8)
    page.key("Enter")
    page.wait("/range_input=1[0-9]m/.test(location.search)")
    page.run("document.querySelector('[role=tab][aria-selected=true]').focus()")
    page.key("ArrowRight")
    page.wait("document.querySelector('.tree')")


@check("the legend isolates a series, and adds others")
def legend(stage, page):
    page.open(address(stage.server, RATE))
    page.wait(f"{LINES} === 3")
    page.click(".legend li:nth-child(2) button")
    page.wait(f"{LINES} === 1")
    page.click(".legend li:nth-child(2) button")
    page.wait(f"{LINES} === 3")


@check("exemplars are marked and told", shot="query-exemplars")
def exemplars(stage, page):
    page.open(address(stage.server, "http_requests_total", show_exemplars="1"))
    page.wait("document.querySelectorAll('.exemplar').length > 4")
    page.run("document.querySelector('.exemplar').focus()")
    page.wait("document.querySelector('.tip').innerText.includes('trace_id')")


@check("an expression is explained, part by part", shot="query-explain")
def explain(stage, page):
    page.open(address(stage.server, "histogram_quantile(0.9, sum by (le) (rate(request_seconds_bucket[5m])))", tab="2"))
    page.wait("document.querySelectorAll('.tree li').length === 5 && [...document.querySelectorAll('.tree small')].every((one) => one.innerText.includes('ms'))")
    expect_text(page, "9 results", "9 series, ", "aggregation", "request_seconds_bucket[5m]")


@check("several panels, history and the explorer", shot="query-panels")
def panels(stage, page):
    page.open(address(stage.server, RATE))
    page.wait(f"{LINES} === 3")
    page.click("#below button")
    page.wait("document.querySelectorAll('.panel').length === 2")
    page.type("memory_bytes")
    page.key("Escape")
    page.key("Enter")
    page.wait(f"{LINES} === 4")
    expect("Gi" in page.run("document.querySelectorAll('.axis')[1].textContent"), "bytes are written as bytes")
    expect("g1.expr=memory_bytes" in page.run("location.search"), "both are in the address")
    page.click("#toolbar button:nth-child(2)")
    page.wait("document.querySelector('dialog')?.innerText.includes('memory_bytes')")
    page.key("Escape")
    page.click("#toolbar button:nth-child(1)")
    page.wait("document.querySelector('dialog li')")
    page.type("request_nat")
    page.wait("document.querySelectorAll('dialog li').length === 1")
    # The first empties the field, the second closes the dialog.
    page.key("Escape")
    page.key("Escape")
    page.wait("!document.querySelector('dialog')")
    page.click(".statistics summary")
    page.wait("document.querySelector('.statistics').open")
    expect_text(page, "Samples read", "Most samples at once")


@check("thousands of series are drawn without a long pause", shot="query-wide")
def wide(stage, page):
    page.open(address(stage.server, "wide_metric", range_input="5m"))
    page.wait(f"{LINES} >= 1000", seconds=30)
    expect_text(page, "3,000 series")
    stage.figures.append(f"3,000 series: longest task {page.run('watched.longest'):.0f} ms")
    page.open(address(stage.server, "wide_metric", tab="1"))
    page.wait("document.querySelectorAll('tbody tr').length >= 500")
    expect_text(page, "Show more")


@check("hostile series stay texts in tables, legends, tips and completions", shot="query-hostile")
def hostile(stage, page):
    page.open(address(stage.server, "hostile", tab="1"))
    page.wait("document.querySelectorAll('tbody tr').length > 200")
    sound(page)
    page.open(address(stage.server, '{text="x"}', tab="1"))
    page.wait("document.querySelectorAll('tbody tr').length > 200")
    sound(page)
    page.open(address(stage.server, "hostile", range_input="1m"))
    page.wait(f"{LINES} > 200")
    page.run("document.querySelector('.chart svg').focus()")
    page.key("ArrowLeft")
    page.wait("!document.querySelector('.tip').hidden")
    sound(page)
    page.open(stage.server.address + "/query")
    page.wait("document.activeElement.tagName === 'TEXTAREA'")
    page.type('hostile{text="<')
    page.wait("document.querySelector('.completion').innerText.includes('<script>')")
    sound(page)
    page.key("Escape")
    page.click("#toolbar button:nth-child(1)")
    page.wait("document.querySelectorAll('dialog li').length > 100")


@check("a hostile expression stays a text", shot="query-hostile-error")
def hostile_expression(stage, page):
    for text in ("<img src=x onerror=alert(1)>", '"</textarea><script>alert(1)</script>"', "x{a=\"\\\"><script>alert(1)</script>\"} ?"):
        page.open(address(stage.server, text))
        page.wait("document.querySelector('.note.bad, .output .empty')")
        sound(page)


@check("targets say how they are, and what their pool is", shot="targets")
def targets(stage, page):
    stage.server.request("GET", "/targets")
    page.open(stage.server.address + "/targets")
    while "of 3 up" not in page.text() or "connection refused" not in page.text() or "1 of 3 up" not in page.text():
        page.open(stage.server.address + "/targets")
    expect_text(page, "down", "1 of 2 up", "<script>alert(1)</script>", '<img src=x onerror=alert(1)>')
    page.click("section:last-of-type details summary")
    expect_text(page, "job_name: itself")
    page.open(stage.server.address + "/targets?state=down&scrapePool=itself")
    expect(page.run("document.querySelectorAll('tbody tr').length") == 1, "one is down")


@check("discovery shows what was found and what each rule made of it", shot="discovery")
def discovery(stage, page):
    page.open(stage.server.address + "/service-discovery")
    expect_text(page, "2 kept, 1 dropped", '__address__="127.0.0.1:2"')
    page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    expect_text(page, "target_label", '{__address__="127.0.0.1:2"', "changes nothing", "dropped")
    page.run("new Promise((done) => setTimeout(done, 50)).then(() => { watched.shift = 0; })")
    page.click("#search")
    page.type("127.0.0.1:2")
    page.wait("document.querySelectorAll('section > .scroll > table > tbody > tr:not([hidden])').length === 1")


@check("configuration, flags, status and store are shown", shot="store")
def others(stage, page):
    page.open(stage.server.address + "/config")
    expect_text(page, "scrape_interval: 1s", "<img src=x onerror=alert(1)>")
    sound(page)
    page.open(stage.server.address + "/flags")
    page.click("#search")
    page.type("retention")
    expect_text(page, "--storage.tsdb.retention.time")
    sound(page)
    page.open(stage.server.address + "/status")
    expect_text(page, "storageRetention", "version")
    sound(page)
    page.open(stage.server.address + "/tsdb-status")
    expect_text(page, "wide_metric", "3000", "Series in the head")
    page.click("td a")
    page.wait("location.pathname === '/query' && document.querySelectorAll('tbody tr').length >= 500")


@check("old addresses lead to where things are now")
def old(stage, page):
    page.open(stage.server.address + "/graph?g0.expr=memory_bytes&g0.tab=0&g0.stacked=1")
    page.wait("location.pathname === '/query' && document.querySelectorAll('.chart .area').length === 1")
    for path in ("/rules", "/alerts", "/alertmanager-discovery"):
        page.open(stage.server.address + path)
        expect(page.status == 200, f"{path}: {page.status}")
        sound(page)


@check("a query is a picture", shot="graph-svg")
def picture(stage, page):
    page.scripted = False
    for more in ("", "&mode=stacked&theme=dark", "&exemplars=1&unit=bytes"):
        page.open(f"{stage.server.address}/api/v1/graph.svg?query=http_requests_total{more}")
        expect(page.status == 200, f"{page.status}")
        expect(page.run("document.querySelectorAll('svg path').length") >= 4, "lines are drawn")
    page.open(f"{stage.server.address}/api/v1/graph.svg?query=hostile&title=" + urllib.parse.quote("<script>alert(1)</script>"))
    expect(page.run("document.querySelectorAll('script').length") == 0, "no markup in a picture")
    page.open(f"{stage.server.address}/api/v1/graph.svg?query=" + urllib.parse.quote("rate(request_native_seconds[5m])"))
    expect(page.run("document.querySelectorAll('.heat path').length") > 5, "a heat map is drawn")


for size, how in (("phone", PHONE), ("4K", {"width": 3840, "height": 2160}), ("dark", {"dark": True})):
    @check(f"the server's pages fit: {size}", **how, shot=f"server-{size}")
    def fits(stage, page):
        for path in ("/targets", "/service-discovery", "/config", "/flags", "/status", "/tsdb-status"):
            page.open(stage.server.address + path)
            sound(page)
        page.open(address(stage.server, "hostile", tab="1"))
        page.wait("document.querySelectorAll('tbody tr').length > 200")
        sound(page)
        page.open(address(stage.server, RATE))
        page.wait(f"{LINES} === 3")


@check("the server's pages are readable without scripts", scripts=False, shot="server-no-scripts")
def no_scripts(stage, page):
    for path, text in (("/targets", "1 of 3 up"), ("/service-discovery", "2 kept, 1 dropped"), ("/config", "scrape_interval"),
                       ("/flags", "--storage.tsdb.path"), ("/status", "storageRetention"), ("/tsdb-status", "wide_metric")):
        page.open(stage.server.address + path)
        expect_text(page, text)
    page.open(stage.server.address + "/query?g0.expr=http_requests_total")
    expect(page.run("document.querySelector('noscript')?.textContent.includes('http_requests_total')"), "the form has the expression")
    page.open(stage.server.address + "/query?query=" + urllib.parse.quote("sum(wide_metric) by (zone) > </x>"))
    expect_text(page, "parse error")
    page.open(stage.server.address + "/query?query=http_requests_total&range=30m")
    expect_text(page, 'http_requests_total{code="404", job="shop", method="GET"}', "The last 30m")
    page.wait("document.querySelector('img.picture').naturalWidth > 100")


@check("a server that went away says so", shot="query-gone")
def gone(stage, page):
    page.open(stage.bare.address + "/query")
    page.wait("document.activeElement.tagName === 'TEXTAREA'")
    stage.bare.program.stop()
    page.type("up")
    page.key("Escape")
    page.key("Enter")
    page.wait("document.querySelector('.note.bad')?.innerText.includes('could not be reached')")
