"""The page's files, and the page as people meet it: in a browser, by keyboard, at two widths, light and dark."""

import re
import shutil
from pathlib import Path

import pytest

from http_server import Process
from shgat.web.page import HEADERS, Page
from shgat.web.problems import Problem

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STATIC = Path(__file__).parents[2] / "src/shgat/web/static"
CONFLICT = "status of 409"  # the demonstration trains meanwhile, and whoever moves a version may come too late
ASKED = "second chase on 2198, be firmer this time"


def test_files_are_known_by_name_alone():
    page = Page()
    assert page.file("index.html")[1].startswith("text/html")
    assert page.file("main.js")[1].startswith("text/javascript")
    for name in ("nothing.js", "../keys.py", "", "/etc/passwd"):
        with pytest.raises(Problem, match="has no file"):
            page.file(name)


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for file in STATIC.iterdir():
        text = file.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), file
        if file.suffix == ".html":
            assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*src=)", text)
        if file.suffix == ".js":
            assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", text), file


def test_the_policy_goes_with_every_file(asking):
    for name in ("", "main.js", "style.css", "icon.svg"):
        got = asking.get(f"/ui/{name}", key=None)
        assert got.status_code == 200
        assert got.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert asking.get("/", key=None).headers["location"] == "/ui/"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    with Process(tmp_path_factory.mktemp("demo"), "--demo", catalog=False) as server:
        yield server


@pytest.fixture(scope="module")
def browser(demo):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def view(demo, browser):
    """Opens the page at a width, in a scheme; at the end nothing may have been complained about."""
    said, contexts = [], []

    def open_one(width=1440, scheme="light", url=None):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                said.append(message.text) if message.type in ("error", "warning") and CONFLICT not in message.text else None
            ),
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(demo.told["page"] if url is None else url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert said == []


def rank(page):
    page.fill("#intent", ASKED)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#results summary")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "dark"),
        (1440, "light"),
        pytest.param(360, "light", marks=pytest.mark.slow),
        pytest.param(1440, "dark", marks=pytest.mark.slow),
    ],
)
def test_every_view_is_readable(view, width, scheme):
    page = view(width, scheme)
    rank(page)
    for name in ("play", "graph", "models", "learning", "live"):
        page.click(f"#tab-{name}")
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        assert page.evaluate(NARROWEST) >= 4.5, name
        cut = page.evaluate(CUT)
        assert cut == 0, name


# The lowest contrast of a visible text with what is behind it, as WCAG counts it.
NARROWEST = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  let least = 21;
  for (const e of document.querySelectorAll("main *, header *")) {
    if (e.closest("svg") || !e.offsetParent || e.disabled || !says(e)) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
}"""

CUT = """[...document.querySelectorAll("main button, header button")]
  .filter((b) => b.offsetParent && b.scrollWidth > b.clientWidth + 1).length"""

# What can be clicked or filled in, is shown, and belongs to no composite that arrow keys walk through.
CONTROLS = """[...document.querySelectorAll("button, input, select, textarea, summary, a[href]")]
  .filter((e) => e.offsetParent && !e.disabled && e.tabIndex >= 0 && !e.closest("dialog"))"""


@pytest.mark.parametrize("name", ["play", "graph", "models", "learning", "live"])
def test_every_control_is_reached_by_tab(view, name):
    page = view()
    page.wait_for_selector("#known option", state="attached")
    if name == "play":
        rank(page)
    page.click(f"#tab-{name}")
    page.wait_for_timeout(400)
    page.evaluate(f"window.reached = new Set(); document.activeElement.blur(); window.all = {CONTROLS}")
    for _ in range(page.evaluate("all.length") + 8):
        page.keyboard.press("Tab")
        page.evaluate("reached.add(document.activeElement)")
    assert page.evaluate("all.filter((e) => e.isConnected && !reached.has(e)).map((e) => e.outerHTML.slice(0, 90))") == []


def test_it_is_used_by_keyboard_alone(view):
    page = view()
    page.wait_for_selector("#known option", state="attached")
    rank(page)
    page.locator("#results summary").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#results .inside button")
    page.get_by_role("button", name="It worked").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=it counts from the next answer on")
    page.focus("#missing")
    page.keyboard.type("mail.send_message")
    page.keyboard.press("Enter")
    page.wait_for_selector("#because li")
    page.focus("#tab-play")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#picture g")
    page.fill("#sought", "cap.month_end")
    page.keyboard.press("Enter")
    page.wait_for_selector("#picture g.focus[data-id='cap.month_end']")
    page.focus("#picture g.focus")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    there = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#picture g.focus[data-id='{there}']")
    page.keyboard.press("Backspace")
    page.wait_for_selector("#picture g.focus[data-id='cap.month_end']")


def test_a_version_is_promoted_and_rolled_back(view, demo):
    page = view()
    page.click("#tab-models")
    for _ in range(30):  # visitors teach it; a second version makes a way back
        if page.locator("#versions .card").count() >= 2:
            break
        page.wait_for_timeout(1000)
        page.click("#tab-models")
    page.get_by_role("button", name=re.compile(r"Promote v\d+")).last.click()
    page.check("#force")
    page.click("#move-do")
    page.wait_for_selector("#move-error:has-text('say why')")
    page.fill("#why", "to look at it")
    page.click("#move-do")
    page.wait_for_selector("#move-dialog", state="hidden")
    page.wait_for_selector("#moves li:has-text('to look at it')")
    for _ in range(10):  # a training may put its own into production in between: then it is another move, and asked for anew
        page.click("#back")
        page.click("#move-do")
        page.wait_for_selector("#move-dialog:not([open]), #move-error:not(:empty)", state="attached")
        if page.locator("#move-dialog[open]").count() == 0:
            break
        page.keyboard.press("Escape")
    page.wait_for_selector("#moves .badge:has-text('rollback')")


def test_without_a_key_it_asks_for_one(view, demo):
    page = view(url=demo.told["page"].partition("#")[0])
    page.wait_for_selector("#key-dialog[open]")
    page.fill("#key-value", demo.told["key"])
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-dialog", state="hidden")
    rank(page)
    assert demo.told["key"] not in page.url
    assert demo.told["key"] not in page.content()


def test_themes_are_chosen_by_a_button(view):
    page = view(scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) == light
    page.click("#theme")
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate(ground) != light
