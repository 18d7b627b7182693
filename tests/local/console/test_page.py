"""The playground in a real browser on one running stack: what it shows is what really happened."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.console.server import Console
from tests.support.browser import Browser, browser, find_chromium
from tests.support.page_checks import FOCUS, NAMELESS, OVERFLOW, PALE
from tests.support.playground import Page, playground
from tests.support.year import HOSTILE_TITLES

__all__ = ["browser"]

pytestmark = pytest.mark.stack

HOSTILE = '<img src=x onerror="window.owned=1"><script>window.owned=1</script> &lt; &amp;'
PANELS = {
    "github-column": ("simulate", "break"),
    "slack-column": (),
    "data-column": ("deliveries-panel", "issue-panel", "numbers-panel", "sql-panel"),
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Start one stack for all tests of this module."""
    with playground(tmp_path_factory.mktemp("playground")) as started:
        yield started


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    """Show the page; the browser must not complain, and nothing is loaded from elsewhere."""
    shown = Page(browser, console)
    shown.open()
    yield shown
    assert browser.errors == []
    assert {url for url in browser.requests if not url.startswith(console.url)} == set()


def test_an_empty_page_teaches(page: Page) -> None:
    """Before anything has happened the page has one button that begins, and one command."""
    assert page.browser.ask("document.querySelector('#welcome').checkVisibility()")
    assert "./issuewire send" in page.text("#welcome pre")
    page.click("#first")
    page.wait_for_text("#messages", "acme/app#")
    assert not page.browser.ask("document.querySelector('#welcome').checkVisibility()")


def test_an_issue_is_followed_from_its_opening_to_its_close(page: Page) -> None:
    """Its card appears without a reload; a close changes the card in place, the row, and the numbers."""
    page.browser.ask("window.sameLoad = true")
    reference = page.open_issue("Followed from start to end")
    page.wait_for_text("#messages", "Followed from start to end")
    key = page.browser.ask("document.querySelector('#messages > article:last-child').dataset.key")
    page.choose(reference)
    page.click("#issue-panel-tab")
    page.wait_for_text("#issue-panel .facts", "open")
    page.wait_for_text("#issue-panel table", "opened")
    page.click("#numbers-panel-tab")
    page.browser.wait_for("document.querySelectorAll('#numbers-panel svg').length === 2")
    numbers = page.text("#numbers-panel")
    page.act("close")
    page.wait_for_text(f"#messages > article[data-key='{key}'] > .body > .context", "closed as completed")
    page.wait_for_text(f"#messages > article[data-key='{key}'] .thread", "1 reply")
    assert len(page.cards("Followed from start to end")) == 1
    page.browser.wait_for(
        f"document.querySelector('#numbers-panel').textContent !== {json.dumps(numbers)}"
        " && document.querySelector('#numbers-panel svg') !== null"
    )
    page.click("#issue-panel-tab")
    page.wait_for_text("#issue-panel .facts", "closed")
    page.wait_for_text("#issue-panel table", "closed")
    assert page.browser.ask("window.sameLoad")


def test_while_slack_fails_retries_show_and_then_the_card_arrives_once(page: Page) -> None:
    """A switch breaks Slack; the delivery is tried again in sight; after the repair there is one card."""
    page.switch("slack", "errors")
    page.browser.wait_for("document.querySelector('[data-part=slack]').dataset.state === 'broken'")
    page.open_issue("While Slack fails")
    page.wait_for_text("#deliveries > li:first-child [data-level=retry]", "attempt 2")
    assert page.cards("While Slack fails") == []
    page.click("[data-part=slack] button")
    page.browser.wait_for("document.querySelector('[data-part=slack]').dataset.state === 'up'")
    page.wait_for_text("#messages", "While Slack fails")
    page.wait_for_text("#deliveries > li:first-child", "card posted")
    assert len(page.cards("While Slack fails")) == 1


def test_a_killed_function_is_started_again_and_nothing_is_lost(page: Page) -> None:
    """The page says that notify_slack has ended; what was sent meanwhile has its card afterwards."""
    page.switch("notify_slack", "kill")
    page.open_issue("While notify_slack is dead")
    page.wait_for_text("#messages", "While notify_slack is dead")
    page.browser.wait_for("document.querySelector('[data-part=notify_slack]').dataset.state === 'up'")
    assert len(page.cards("While notify_slack is dead")) == 1


def test_hostile_text_stays_text_everywhere(page: Page) -> None:
    """Markup in a title, a text or a label is shown as it is, in every place of the page."""
    reference = page.open_issue(HOSTILE, body=HOSTILE, labels=HOSTILE[:40])
    page.wait_for_text("#messages", HOSTILE)
    page.wait_for_text("#issues", HOSTILE)
    page.choose(reference)
    page.click("#issue-panel-tab")
    page.wait_for_text("#issue-panel", HOSTILE)
    page.fill(sql=f"SELECT title FROM issues WHERE issue_number = {reference.partition('#')[2]}")
    page.click("#sql-panel-tab")
    page.click("#sql-form button")
    page.wait_for_text("#sql-result", HOSTILE)
    page.click("#deliveries-panel-tab")
    page.click("#deliveries button")
    page.wait_for_text("#deliveries .detail pre", "onerror")
    page.click("#metadata")
    for title in HOSTILE_TITLES:
        page.open_issue(title)
        page.wait_for_text("#issues", title)
    page.wait_for_text("#deliveries", "stored")
    assert (
        page.browser.ask("document.querySelectorAll('main script, main img, main h1, main [onerror]').length")
        == 0
    )
    assert page.browser.ask("window.owned") is None
    assert page.browser.ask(OVERFLOW) <= 0


def test_the_sql_box_cannot_write(page: Page, console: Console) -> None:
    """A statement that would change something is refused with a sentence, and nothing has changed."""
    page.settle(page.open_issue("Stays where it is"))
    before = console.stack.query("SELECT COUNT(*) AS count FROM ${DATASET}.events")
    page.click("#sql-panel-tab")
    for sql in (
        "DELETE FROM github.events WHERE TRUE",
        "CREATE TABLE github.mine AS SELECT 1 AS x",
        "SELECT 1; DROP TABLE github.events",
    ):
        page.browser.ask("document.querySelector('#sql-result').replaceChildren()")
        page.fill(sql=sql)
        page.click("#sql-form button")
        page.browser.wait_for("document.querySelector('#sql-result .error-text')?.textContent")
    assert console.stack.query("SELECT COUNT(*) AS count FROM ${DATASET}.events") == before
    assert all("400" in error for error in page.browser.errors)  # Chromium reports every refusal
    page.browser.errors.clear()


def test_two_browsers_and_a_reload_show_the_same(page: Page, console: Console, tmp_path: Path) -> None:
    """A second browser sees what the first one does, and a reload shows what was there before it."""
    program = find_chromium()
    assert program is not None
    second = Browser(program, tmp_path)
    try:
        other = Page(second, console)
        other.open()
        reference = page.open_issue("Seen by both")
        for each in (page, other):
            each.wait_for_text("#messages", "Seen by both")
            each.settle(reference)
        shown = page.content()
        assert other.content() == shown
        page.open()
        page.settle(reference)
        assert page.content() == shown
    finally:
        second.close()


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    """Tab goes through the page and out of it; each stop is visible and has a name; arrows change tabs."""
    assert page.browser.ask(NAMELESS) == []
    seen = []
    page.browser.ask("document.body.focus()")
    for _ in range(120):
        page.browser.press("Tab")
        focus = page.browser.ask(FOCUS)
        if focus["tag"] == "BODY":
            break
        seen.append(focus)
    assert [each for each in seen if not each["visible"]] == []
    names = [each["name"] for each in seen]
    assert len(names) == len(seen) < 120
    for name in ("simulate-tab", "actor", "title", "metadata", "messages", "deliveries-panel-tab"):
        assert names.count(name) == 1
    assert "break-tab" not in names  # one stop for a list of tabs
    page.browser.ask("document.querySelector('#simulate-tab').focus()")
    page.browser.press("ArrowRight")
    assert page.browser.ask("document.querySelector('#break').checkVisibility()")
    assert page.browser.ask(FOCUS)["name"] == "break-tab"
    page.browser.press("Home")
    assert page.browser.ask("document.querySelector('#simulate').checkVisibility()")
    page.browser.ask("document.querySelector('#deliveries button').focus()")
    page.browser.press("ArrowDown")
    page.browser.press("Enter")
    page.browser.wait_for("document.querySelector('#deliveries > li:nth-child(2) .detail pre') !== null")
    page.browser.press(" ")
    page.browser.wait_for("!document.querySelector('#deliveries .detail')")


def test_enter_acts_where_it_is_pressed(page: Page) -> None:
    """Enter in a field does what the button after it does, and does not open an issue."""
    reference = page.open_issue("Gets a label")
    page.choose(reference)
    page.fill(label="from the keyboard")
    page.browser.ask("document.querySelector('#label').focus()")
    page.browser.press("Enter")
    page.wait_for_text(f"#issues [data-key='{reference}']", "from the keyboard")


def test_motion_can_be_reduced(page: Page) -> None:
    """What flashes after a change stays still for who prefers that."""
    flash = "(part => { part.classList.add('pulse'); return getComputedStyle(part).animationName })"
    assert page.browser.ask(f"{flash}(document.querySelector('.part'))") == "pulse"
    page.browser.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}]
    )
    assert page.browser.ask(f"{flash}(document.querySelector('.part'))") == "none"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast(page: Page, *, dark: bool) -> None:
    """In light and in dark mode every text, also of what is broken, has a contrast of at least 4.5."""
    page.open(dark=dark)
    page.switch("slack", "429")
    page.browser.wait_for("document.querySelector('[data-part=slack]').dataset.state === 'broken'")
    page.click("#metadata")
    pale = set()
    for tab in ("break", "simulate", "deliveries-panel", "issue-panel", "numbers-panel", "sql-panel"):
        page.click(f"#{tab}-tab")
        pale |= set(page.browser.ask(PALE))
    page.click("#break-tab")
    page.click("#heal-all")
    page.browser.wait_for("document.querySelector('[data-part=slack]').dataset.state === 'up'")
    assert pale == set()


@pytest.mark.parametrize("width", [360, 390, 800, 1280])
def test_every_panel_fits(page: Page, width: int) -> None:
    """At any width the page is as wide as the window; in a narrow one the columns are tabs."""
    page.open(width)
    for column, panels in PANELS.items():
        if width < 1020:
            page.click(f"#{column}-tab")
        for panel in panels or (None,):
            if panel:
                page.click(f"#{panel}-tab")
            assert page.browser.ask(f"document.querySelector('#{panel or column}').checkVisibility()")
            assert page.browser.ask(OVERFLOW) <= 0
    shown = page.browser.ask(
        "[...document.querySelectorAll('.column')].filter(each => each.checkVisibility()).length"
    )
    assert shown == (1 if width < 1020 else 3)


def test_lists_are_bounded(page: Page) -> None:
    """After 2,000 deliveries and messages the page keeps the newest ones only."""
    page.browser.ask("""
      import("/static/store.js").then(({take}) => {
        for (let each = 0; each < 2000; each += 1) {
          take.delivery({delivery_id: `made-up-${each}`, at: "2026-01-05T10:00:00Z", event: "issues.opened",
            repository: "acme/app", issue: each, status: 202, answer: "published", times: 1, functions: {}});
          take.message({channel: "C0123456789", ts: `${4000000000 + each}.000000`, thread_ts: null,
            metadata: null, edited: false,
            html: `<article><div class="body">made up ${each}</div></article>`});
        }
      })
    """)
    page.wait_for_text("#messages", "made up 1999")
    page.wait_for_text("#deliveries", "#1999")
    assert page.browser.ask("document.querySelectorAll('#deliveries > li').length") == 200
    assert page.browser.ask("document.querySelectorAll('#messages > article').length") == 100
    page.wait_for_text("#messages .older", "older messages")


def test_the_page_says_that_the_stack_has_stopped_and_goes_on(page: Page, console: Console) -> None:
    """When the server ends the page says so; when it is back on its port the page follows it again."""
    stack, feed = console.stack, console.feed
    with Console(stack, feed) as second:
        other = Page(page.browser, second)
        port = second.port
        other.open()
        other.browser.ask("window.sameLoad = true")
    other.wait_for_text("#connection", "Stopped")
    assert other.browser.ask("document.querySelector('#stopped').checkVisibility()")
    stack.options.ports["console"] = port
    try:
        with Console(stack, feed):
            other.wait_for_text("#connection", "Live")
            assert not other.browser.ask("document.querySelector('#stopped').checkVisibility()")
            assert other.browser.ask("window.sameLoad")
    finally:
        del stack.options.ports["console"]
    page.browser.requests.clear()
    page.browser.errors.clear()  # a server that has ended is one


def test_the_page_is_not_cached(console: Console) -> None:
    """A changed page is loaded again, and the scripts of the page may do no more than the policy allows."""
    with urllib.request.urlopen(console.url) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
