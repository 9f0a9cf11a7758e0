"""What every check needs: a list of them, and what holds on every page."""

CHECKS = []

# Elements that no page of ours has, and attributes that run scripts.
INJECTED = """(() => {
  const found = [...document.querySelectorAll("script:not([src]), iframe, object, embed, base, link[href^=javascript], img:not(.picture), video, marquee, math, xss, animate")].map((node) => node.outerHTML.slice(0, 80));
  for (const node of document.querySelectorAll("*")) for (const { name, value } of node.attributes) {
    if (name.startsWith("on") || name === "style" && !node.style.length || /^\\s*javascript:/i.test(value) && ["href", "src", "action"].includes(name)) found.push(`${node.tagName} ${name}`);
  }
  return found;
})()"""

# Controls without a name for those who do not see them.
NAMELESS = """[...document.querySelectorAll("a[href], button, input, select, textarea, [role=tab], [role=img]")].filter((node) =>
  !node.closest("[hidden]") && !(node.textContent.trim() || node.ariaLabel || node.title || node.labels?.length || node.alt)).map((node) => node.outerHTML.slice(0, 120))"""


class Failed(Exception):
    """What a page shows is not what it should show."""


def check(name, **how):
    """A check: a function of the stage and a fresh page. `how` is passed on to the page (size, scripts, dark)."""
    def add(function):
        CHECKS.append((name, how, function))
        return function
    return add


def expect(truth, what):
    if not truth:
        raise Failed(what)


def expect_text(page, *texts, selector="main"):
    shown = page.text(selector)
    for text in texts:
        expect(text in shown, f"{text!r} is not in: {shown[:600]!r}")


def sound(page, width=None):
    """What holds on every page, whatever it shows."""
    if page.scripted:
        expect(page.run("watched.alerts") == 0, "a text became a script")
        injected = page.run(INJECTED)
        expect(not injected, f"a text became markup: {injected[:3]}")
        nameless = page.run(NAMELESS)
        expect(not nameless, f"controls without a name: {nameless[:3]}")
        wide = page.run("document.documentElement.scrollWidth - innerWidth")
        expect(wide <= 0, f"the page is {wide} px wider than the window")
        shift = page.run("watched.shift")
        expect(shift < 0.1, f"the layout moved by {shift:.3f}")
        expect(page.run("document.querySelectorAll('h1').length") == 1, "a page has one h1")
        expect(page.run("document.documentElement.lang") == "en", "the page's language is not said")
    expect(not page.faults, f"errors in the console: {page.faults[:3]}")
