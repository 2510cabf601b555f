"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import re
import shutil

import pytest
from cli import rollouts as make
from report.pages import a_run, measured, talk

from inward.report import write_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)"),
]
HOSTILE = [
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>",
    "</script><script>window.ran = 1</script><!--",
    "<iframe src='https://example.org'></iframe><style>*{display:none}</style>",
    "javascript:window.ran=1 <a href='javascript:window.ran=1'>x</a>",
    "left \u202eright-to-left override\u202c \u2066isolate \u200b zero",
    "bell \x07 null \x00 escape \x1b[31m red \x9b \ufeff",
    "\u0300" * 5000 + "Z" + "\u0335\u0489" * 3000,
    "W" * 300_000,
    "مرحبا بالعالم " * 200,
    "\udc00 half a character \ud800",
    r"$\href{javascript:window.ran=1}{x}$ $\htmlData{a=b}{y}$ $\includegraphics{https://a.b/c}$"
    r" $\def\a{\a\a}\a$ $" + "{" * 700 + "$",
    "=HYPERLINK(\"https://example.org\") {{7*7}} ${7*7} %s %n",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    # Here and not above: every suite collects this file, and only the browser's has Playwright.
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the browser group")
    with sync_api.sync_playwright() as playwright, playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox"]
    ) as launched:  # fmt: skip
        yield launched


class Opened:
    """A page, and what it did that it must not."""

    def __init__(self, browser, file, hash="", **options):
        self.context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 800}, **options}
        )  # fmt: skip
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.address = file.resolve().as_uri()
        self.go(hash)

    def go(self, hash):
        self.page.goto(f"{self.address}{hash}")
        self.page.wait_for_selector("main .page")

    def rows(self):
        return self.page.locator(".grid-body .row")

    def told(self):
        return self.page.locator("[role=status]").inner_text()

    def column(self, number):
        return [row.locator(".cell").nth(number).inner_text() for row in self.rows().all()]

    def until(self, expression):
        """Waits; asked by the debugger, since the page's own policy forbids to evaluate text."""
        for _ in range(400):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never true: {expression}")

    def until_told(self, text):
        self.until(f"document.querySelector('[role=status]').innerText.startsWith('{text}')")

    def check(self):
        """Nothing ran or failed, nothing was asked for, and nothing is wider than the window."""
        assert self.said == []
        assert {url for url in self.asked if not url.startswith("data:image/")} == {self.address}
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0


@pytest.fixture
def opened(browser):
    found = []

    def open_page(*args, **options):
        found.append(Opened(browser, *args, **options))
        return found[-1]

    yield open_page
    for one in found:
        one.check()
        one.context.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(a_run(tmp_path_factory.mktemp("run")))


def test_overview_and_the_way_to_the_rollouts(report, opened):
    page = opened(report).page
    assert "0.500" in page.locator(".tiles").inner_text()
    assert "pass@k" in page.locator("body").inner_text()
    assert "upstream" in page.locator("body").inner_text()
    assert page.locator("svg.plot").count() == 2
    page.get_by_text("failed", exact=True).click()
    page.wait_for_selector(".grid-body .row")
    assert "view=errored" in page.url
    assert page.locator(".grid-body .row").count() == 1


def test_sort_filter_and_search(report, opened):
    one = opened(report, "#rollouts")
    heads = [head.rstrip(" ▴▾") for head in one.page.locator(".head").all_inner_texts()]
    tokens = heads.index("tokens")
    one.page.get_by_role("button", name="tokens").click()
    shown = [int(text) for text in one.column(tokens) if text != "–"]
    assert shown == sorted(shown)
    one.page.get_by_role("button", name="tokens").click()
    shown = [int(text) for text in one.column(tokens) if text != "–"]
    assert shown == sorted(shown, reverse=True)
    assert "sort=-tokens" in one.page.url
    one.page.fill("#where", "tokens >= 130")
    assert one.told().startswith("4 of 17")
    one.page.fill("#where", "nonsense")
    assert "no condition" in one.told()
    one.page.fill("#where", "")
    one.page.get_by_role("button", name="never called the tool").click()
    assert one.told().startswith("4 of 17")
    one.page.get_by_role("button", name="all", exact=True).click()
    # Of the texts, not of the table's columns.
    one.page.fill("#search", "be RIGHT")
    one.until_told("17 of 17")
    one.page.fill("#search", "answer 3 of 2")
    one.until_told("1 of 17")


def test_a_view_is_a_link(report, opened):
    one = opened(report, "#rollouts?view=errored")
    assert one.told().startswith("1 of 17")
    one = opened(report, "#rollout/t0-2.0-agent")
    one.page.wait_for_selector(".conversation")
    text = one.page.locator("main").inner_text()
    assert "Answer 2 of 0" in text
    assert "Why this reward" in text
    one.page.get_by_text("group of 4").click()
    one.page.wait_for_selector("table.group")
    assert "advantage" in one.page.locator("table.group").inner_text()
    one.go("#rollout/nobody")
    one.page.reload()
    assert "holds no rollout" in one.page.locator("main").inner_text()


def test_everything_by_keyboard(report, opened):
    one = opened(report)
    press = one.page.keyboard.press
    press("r")
    one.page.wait_for_selector(".row.at")
    press("j")
    press("ArrowDown")
    assert one.page.locator(".row.at").get_attribute("aria-rowindex") == "3"
    press("End")
    assert one.page.locator(".row.at").get_attribute("aria-rowindex") == "17"
    press("Home")
    press("Enter")
    one.page.wait_for_selector(".conversation")
    first = one.page.url
    press("j")
    one.until(f"location.href !== '{first}'")
    press("k")
    one.until(f"location.href === '{first}'")
    one.page.wait_for_selector(".conversation")
    press("g")
    one.page.wait_for_selector("table.group")
    press("/")
    one.until("document.activeElement.id === 'search'")
    press("Escape")
    press("?")
    one.page.wait_for_selector("dialog[open]")


def test_a_key_that_comes_before_the_page_of_the_last_one(report, opened):
    """The news of a new address reach a page later: here both keys come before them."""
    one = opened(report, "#rollout/t0-0.0-agent")
    one.page.wait_for_selector(".conversation")
    made = "new KeyboardEvent('keydown', {key, bubbles: true})"

    def press(*keys):
        each = f"{list(keys)}.forEach(key => document.body.dispatchEvent({made}))"
        one.page.evaluate(each)

    press("j", "k")
    assert one.page.evaluate("location.hash") == "#rollout/t0-0.0-agent"
    one.until("document.querySelector('main').innerText.includes('Answer 0 of 0')")
    press("j", "/")
    one.until("document.activeElement.id === 'search'")


def test_dark_light_and_the_button_between(report, opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(245, 246, 248)", "rgb(18, 21, 26)"
    one = opened(report, color_scheme="dark")
    assert one.page.evaluate(ground) == dark
    one.page.get_by_role("button", name="light or dark").click()
    assert one.page.evaluate(ground) == light
    assert opened(report, color_scheme="light").page.evaluate(ground) == light


@pytest.mark.parametrize("hash", ["", "#rollouts", "#rollout/t0-3.0-agent", "#group/t0-3.0-agent"])
def test_a_phone(report, opened, hash):
    """`check` measures the width."""
    one = opened(report, hash, viewport={"width": 390, "height": 844})
    one.page.wait_for_timeout(200)
    assert one.page.locator("main .page").bounding_box()["width"] <= 390


def test_of_ten_thousand_rows_those_in_sight_are_in_the_page(tmp_path, opened):
    folder = make.write(
        tmp_path / "run",
        *(make.episode(n, reward=n % 7 / 7, messages=talk(f"reply {n}")) for n in range(10_000)),
    )
    one = opened(write_report(folder), "#rollouts")
    assert one.told() == "10,000 of 10,000 rollouts"
    assert one.rows().count() < 60
    one.page.keyboard.press("End")
    one.until("document.querySelector('.grid-body').innerText.includes('9,999')")
    assert one.rows().count() < 60
    one.page.fill("#search", "reply 4321")
    one.until_told("1 of")
    one.rows().first.click()
    one.page.wait_for_selector(".conversation")
    assert "reply 4321" in one.page.locator("main").inner_text()


def test_what_a_policy_wrote_is_shown_and_never_executed(tmp_path, opened):
    episodes = []
    for n, text in enumerate(HOSTILE):
        episode = measured(
            make.episode(
                n, messages=talk(text, thinking=text, calls=[text], result=text, question=text)
            ),
            9,
            note=text[:200],
        )
        episode["task"]["data"]["id"] = episode["traces"][0]["task"]["data"]["id"] = text[:300]
        episode["traces"][0]["stop_condition"] = text[:100]
        episode["traces"][0]["metrics"] = {text[:40]: 1.0, "m": float(n)}
        episodes.append(episode)
    failed = make.episode(
        99, ok=False, messages=talk(), errors=[make.error(HOSTILE[0], HOSTILE[1] + HOSTILE[4])]
    )
    one = opened(write_report(make.write(tmp_path / "run", *episodes, failed)), "#rollouts")
    pages = ["", "#rollouts"]
    for row in one.rows().all():
        own = row.get_attribute("href")
        pages += [own, own.replace("rollout", "group")]
    assert len(pages) == 2 + 2 * (len(HOSTILE) + 1)
    for hash in pages:
        one.page.evaluate("hash => { location.hash = hash }", hash or "#overview")
        one.page.wait_for_timeout(60)
        one.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        one.check()
        assert one.page.evaluate("window.ran") is None
        assert one.page.locator("main iframe, main script, main style, main object").count() == 0
        assert one.page.locator("main a:not([href^='#'])").count() == 0
    one.go("#rollout/t4-0.0-agent")
    one.page.wait_for_selector(".conversation .mark")
    marks = set(one.page.locator(".mark").all_inner_texts())
    assert {"U+202E", "U+202C", "U+2066", "U+200B"} <= marks
    one.page.evaluate("location.hash = '#rollout/t5-0.0-agent'")
    one.until("document.querySelector('main').innerText.includes('U+0007')")
    one.page.evaluate("location.hash = '#rollout/t7-0.0-agent'")
    one.page.wait_for_selector("button.more")
    assert len(one.page.locator("main").inner_text()) < 60_000
    one.page.locator("button.more").last.click()
    assert len(one.page.locator("main").inner_text()) > 40_000


def test_formulas_are_rendered_and_reasoning_is_apart(tmp_path, opened):
    text = r"<think>First $x^2$.</think>It is \(\frac{1}{2}\), costs $5 or $6, and $$\sqrt{2}$$"
    report = write_report(make.write(tmp_path / "run", make.episode(0, messages=talk(text))))
    one = opened(report, "#rollout/t0-0.0-agent")
    one.page.wait_for_selector(".conversation math", state="attached")
    assert one.page.locator(".answer > .text math").count() == 2
    assert "costs $5 or $6" in one.page.locator(".answer").inner_text()
    assert one.page.locator(".answer details .reasoning math").count() == 1
    assert re.search("reasoning", one.page.locator(".answer summary").inner_text())
