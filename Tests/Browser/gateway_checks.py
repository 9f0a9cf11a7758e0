"""The gateway's pages."""

import hashlib
import json

from checks import check, expect, expect_text, sound
import corpus

PHONE = {"width": 320, "height": 640, "mobile": True}
LIVE = "document.querySelector('#groups[data-live]') !== null"


def rows(page):
    return page.run("[...document.querySelectorAll('.group-row')].map((row) => row.innerText.replace(/\\s+/g, ' '))")


@check("an empty gateway says how to push")
def empty(stage, page):
    page.open(stage.empty.address + "/")
    page.wait(LIVE)
    expect_text(page, "Nothing has been pushed yet", f"curl --data-binary @- {stage.empty.address}/metrics/job/my_job", "0 groups")
    page.open(stage.empty.address + "/refused")
    expect_text(page, "No push has been refused")


@check("the list shows groups with times, counts and state")
def listing(stage, page):
    page.open(stage.gateway.address + "/")
    page.wait(LIVE)
    shown = rows(page)
    expect(len(shown) == 8, f"{len(shown)} rows")
    expect('{job="backup", instance="db-1"}' in shown[0] and "ago" in shown[0] or "just now" in shown[0], shown[0])
    failed = page.run("[...document.querySelectorAll('.group-row')].filter((row) => row.querySelector('.badge.bad')).map((row) => row.innerText)")
    expect(len(failed) == 1 and "asia" in failed[0], f"failed: {failed}")
    expect_text(page, "2 pushes were refused")


@check("the list finds as one types, keeps it in the address, and sorts")
def search(stage, page):
    page.open(stage.gateway.address + "/")
    page.wait(LIVE)
    page.click("#search")
    page.type("IMPORT_rows")
    page.wait("document.querySelector('#group-count').innerText.startsWith('2 of 8')")
    expect(len(rows(page)) == 2, "two groups have the family")
    expect(page.run("location.search") == "?search=IMPORT_rows", "the search is in the address")
    page.open(stage.gateway.address + "/?search=FILES-1")
    page.wait(LIVE + " && document.querySelectorAll('.group-row').length === 1")
    page.open(stage.gateway.address + "/")
    page.wait(LIVE)
    page.click("[data-sort=series]")
    page.wait("document.querySelector('.group-row').innerText.includes('backup')")
    expect(page.run("document.querySelector('[aria-sort=descending]').innerText").startswith("Metrics"), "sorted by metrics")
    page.click("[data-sort=labels]")
    page.click("[data-sort=labels]")
    page.wait("document.querySelector('.group-row').innerText.includes('nightly-report')")


@check("a group's page draws histograms and summaries, and gives lines for the shell")
def group(stage, page):
    page.open(stage.gateway.address + "/group/job/import/shard/eu")
    expect_text(page, "last push succeeded", "import_batch_seconds", "How long a batch took.", "91823",
                f"curl -X DELETE '{stage.gateway.address}/metrics/job/import/shard/eu'", "sum 62.9, count 191")
    expect(page.run("document.querySelectorAll('svg.distribution').length") == 2, "two charts")
    expect(page.run("document.querySelectorAll('svg.distribution')[0].querySelectorAll('.bar').length") == 8, "a bar a bucket")
    page.run("document.querySelector('details:not(.family)').open = true")
    expect_text(page, "0.1 to 0.25", "79")
    text = page.run("fetch(document.querySelector('#as-text').href).then((answer) => answer.text())")
    expect("import_batch_seconds_bucket" in text and "# TYPE import_lag_seconds summary" in text, text[:300])


@check("from a series to its graph in one click")
def graph_link(stage, page):
    page.open(stage.gateway.address + "/group/job/backup/instance/db-1")
    page.click(".family:last-of-type a.graph")
    page.wait("location.pathname === '/query' && document.querySelector('.chart svg')")
    expect_text(page, 'backup_last_success_time_seconds{instance="db-1", job="backup"}')


@check("a group is deleted after a question, by keyboard, and the list follows")
def delete(stage, page):
    stage.gateway.push([("job", "to-delete")], "a 1\n")
    page.open(stage.gateway.address + "/group/job/to-delete")
    page.wait("!document.querySelector('#delete').hidden")
    page.run("document.querySelector('#delete').focus()")
    page.key("Enter")
    page.wait("document.querySelector('dialog')?.open")
    expect(page.run("document.activeElement.innerText") == "Keep", "the harmless answer has the focus")
    page.key("Escape")
    page.wait("!document.querySelector('dialog')")
    expect(page.run("document.activeElement.id") == "delete", "focus goes back")
    page.key("Enter")
    page.wait("document.querySelector('dialog')?.open")
    page.click("dialog .danger")
    page.wait("location.pathname === '/' && " + LIVE)
    expect(not any("to-delete" in row for row in rows(page)), "the group is gone")
    page.open(stage.gateway.address + "/group/job/to-delete")
    expect(page.status == 404, "404")
    expect_text(page, "No such group")


@check("what the search shows is deleted, and nothing else")
def delete_shown(stage, page):
    for number in range(30):
        stage.gateway.push([("job", "sweep"), ("n", str(number))], "a 1\n")
    page.open(stage.gateway.address + "/?search=sweep")
    page.wait(LIVE + " && !document.querySelector('#delete-shown').hidden")
    page.click("#delete-shown")
    page.wait("document.querySelector('dialog')?.innerText.includes('Delete 30 groups')")
    page.click("dialog .danger")
    page.wait("!document.querySelector('dialog')")
    page.wait("document.querySelector('#group-count').innerText.startsWith('0 of 8')")


@check("a deletion that the gateway refuses is told, and nothing is gone", shot="gateway-refuses")
def delete_refused(stage, page):
    secret = hashlib.sha256(b"reader").hexdigest()
    rights = f"anyone: [{{rights: [push]}}]\ntokens: [{{name: reader, token: 'sha256:{secret}', grants: [{{rights: [read]}}]}}]\n"
    gateway = stage.start_gateway("--gateway.access-file={folder}/access.yml", files={"access.yml": rights})
    gateway.push([("job", "kept")], "a 1\n")
    page.send("Network.setExtraHTTPHeaders", headers={"Authorization": "Bearer reader"})
    page.open(gateway.address + "/group/job/kept")
    page.wait("!document.querySelector('#delete').hidden")
    page.click("#delete")
    page.wait("document.querySelector('dialog')?.open")
    page.click("dialog .danger")
    page.wait("document.querySelector('dialog').innerText.includes('refused (403): reader may not delete')")
    page.open(gateway.address + "/group/job/kept")
    expect(page.status == 200, "the group is still there")


@check("everything is wiped where that is allowed, and only there")
def wipe(stage, page):
    page.open(stage.gateway.address + "/")
    page.wait(LIVE)
    expect(not page.run("document.querySelector('#wipe')"), "no button without --web.enable-admin-api")
    stage.empty.push([("job", "x")], "a 1\n")
    page.open(stage.empty.address + "/")
    page.wait(LIVE + " && !document.querySelector('#wipe').hidden")
    page.click("#wipe")
    page.wait("document.querySelector('dialog')?.open")
    page.click("dialog .danger")
    page.wait("document.querySelector('#group-count').innerText === '0 groups'")


@check("refused pushes say when, from where, which group and why", shot="gateway-refused")
def refused(stage, page):
    page.open(stage.gateway.address + "/refused")
    expect_text(page, "127.0.0.1:", '{job="backup", instance="db-2"}', 'expected float as value, got "notanumber"', "400", "is not a COUNTER")
    page.click("#search")
    page.type("asia")
    page.wait("document.querySelectorAll('tbody tr:not([hidden])').length === 1")


@check("the status page draws the gateway's health", shot="gateway-status")
def status(stage, page):
    page.open(stage.gateway.address + "/status")
    page.wait("document.querySelectorAll('.spark path').length > 0")
    expect_text(page, "Ready", "Uptime", "Pushes a second", "Journal", "Memory", "MiB", "--web.listen-address", "goVersion")


@check("many groups are a list that scrolls, with few rows in the document", shot="gateway-many")
def many(stage, page):
    page.open(stage.many.address + "/")
    page.wait(LIVE)
    total = stage.many_count
    expect(page.run("Number(document.querySelector('#groups').getAttribute('aria-rowcount'))") == total + 1, "all are counted")
    page.run("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait(f"[...document.querySelectorAll('.group-row')].some((row) => row.getAttribute('aria-rowindex') === '{total + 1}' && row.querySelector('a'))")
    expect(page.run("document.querySelectorAll('.group-row').length") < 100, "rows out of view do not exist")
    page.run("scrollTo(0, 0)")
    page.wait("document.querySelector('.group-row[aria-rowindex=\"2\"] a')")
    page.run("document.querySelector('.group-row a').focus()")
    for _ in range(30):
        page.key("Tab")
    expect(page.run("document.activeElement.closest('.group-row')?.getAttribute('aria-rowindex')") == "32", "Tab goes from row to row")
    page.click("#search")
    page.type("host-000777")
    page.wait("document.querySelectorAll('.group-row').length === 1")
    paint = page.run("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    stage.figures.append(f"{total} groups: first paint {paint:.0f} ms, longest task {page.run('watched.longest'):.0f} ms")


@check("hostile texts stay texts in the list", shot="gateway-hostile")
def hostile_list(stage, page):
    page.open(stage.hostile.address + "/")
    page.wait(LIVE)
    for part in range(12):
        page.run(f"scrollTo(0, {part * 900})")
        page.wait("[...document.querySelectorAll('.group-row')].every((row) => row.querySelector('a'))")
        sound(page)
    page.click("#search")
    page.type("<img src=x onerror=alert(1)>")
    page.wait("/^[1-9]\\d* of/.test(document.querySelector('#group-count').innerText)")
    page.click("#delete-shown")
    page.wait("document.querySelector('dialog')?.innerText.includes('<img src=x onerror=alert(1)>')")


@check("hostile texts stay texts on a group's page, in refusals and in titles", shot="gateway-hostile-group")
def hostile_group(stage, page):
    page.open(stage.hostile.address + "/group/job/all")
    expect(page.run("document.querySelectorAll('.family').length") >= len(corpus.TEXTS), "every text is there")
    expect_text(page, "<script>alert(1)</script>")
    sound(page)
    data = stage.hostile.json("groups", search="onerror", limit=5)
    for one in data["groups"]:
        page.open(f"{stage.hostile.address}/{one['page']}")
        sound(page)
    page.open(stage.hostile.address + "/refused")
    expect_text(page, "<script>")


@check("hostile texts do not widen a phone's page", **PHONE, shot="gateway-hostile-phone")
def hostile_phone(stage, page):
    for path in ("/", "/group/job/all", "/refused"):
        page.open(stage.hostile.address + path)
        sound(page)


for size, how in (("phone", PHONE), ("4K", {"width": 3840, "height": 2160}), ("dark", {"dark": True})):
    @check(f"the gateway's pages fit: {size}", **how, shot=f"gateway-{size}")
    def fits(stage, page):
        for path in ("/refused", "/status", "/group/job/import/shard/eu", "/"):
            page.open(stage.gateway.address + path)
            sound(page)


@check("the gateway's pages are readable without scripts", scripts=False, shot="gateway-no-scripts")
def no_scripts(stage, page):
    page.open(stage.gateway.address + "/")
    expect_text(page, '{job="backup", instance="db-1"}', "8 groups", "failed")
    page.open(stage.gateway.address + "/?search=asia")
    expect_text(page, "1 of 8 groups")
    page.open(stage.many.address + "/?sort=series&order=desc&offset=50")
    expect_text(page, "Previous", "Next", "51 to 100")
    page.open(stage.gateway.address + "/group/job/import/shard/eu")
    expect_text(page, "import_lag_seconds", "curl -X DELETE")
    expect(page.run("document.querySelectorAll('svg.distribution').length") == 2, "charts are drawn by the server")
    page.open(stage.gateway.address + "/status")
    expect_text(page, "Ready", "Memory", "MiB", "--web.listen-address")


@check("a gateway that went away is told from one that refuses", shot="gateway-gone")
def gone(stage, page):
    gateway = stage.start_gateway()
    gateway.push([("job", "x")], "a 1\n")
    page.open(gateway.address + "/group/job/x")
    page.wait("!document.querySelector('#delete').hidden")
    other = stage.browser.page()
    other.open(gateway.address + "/")
    other.wait(LIVE)
    health = stage.browser.page()
    health.open(gateway.address + "/status")
    health.wait("document.querySelectorAll('.spark path').length > 0")
    gateway.program.stop()
    page.front()
    page.click("#delete")
    page.wait("document.querySelector('dialog')?.open")
    page.click("dialog .danger")
    page.wait("document.querySelector('dialog').innerText.includes('could not be reached')")
    other.front()
    other.click("#reload")
    other.wait("document.querySelector('#group-count').innerText.includes('could not be reached')")
    expect(len(rows(other)) == 1, "what was read stays readable")
    health.front()
    health.wait("document.querySelector('.tiles.stale')")
    for one in (other, health):
        one.close()
