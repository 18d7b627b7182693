"""A running stack with its playground, and a browser's hands on the page."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

from local.console.server import Console
from local.feed.feed import Feed
from local.stack.parts import Parts
from local.stack.stack import Options, running
from tests.support.browser import Browser

ROUTES = """
[[route]]
name = "everything"
channels = ["C0123456789"]

[[route]]
name = "docs"
channels = ["C0000000002"]
labels_any = ["docs"]
"""
# Those that the page reads: the others would take as long to create.
VIEWS = frozenset(
    {"issue_events", "issue_history", "issue_timelines", "issues", "issues_weekly", "waiting_on_us"}
)


@contextlib.contextmanager
def playground(folder: Path, *, scheduled: frozenset[str] = frozenset()) -> Iterator[Console]:
    """Run a stack with its playground; a part that ends is started again, as by make serve."""
    routes = folder / "routes.toml"
    routes.write_text(ROUTES)
    stopped = threading.Event()

    def restart(parts: Parts) -> None:
        while not stopped.wait(0.1):
            parts.restart_ended()

    options = Options(state=folder, routes=routes, pubsub="builtin", scheduled=scheduled, views=VIEWS)
    with running(options, lambda *_: None) as stack, Feed(stack) as feed, Console(stack, feed) as console:
        watcher = threading.Thread(target=restart, args=(Parts(stack, lambda *_: None),))
        watcher.start()
        try:
            yield console
        finally:
            stopped.set()
            watcher.join()


class Page:
    """The playground in a browser. What it does goes through the page's own controls."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self.browser = browser
        self._url = console.url

    def open(self, width: int = 1280, *, dark: bool = False) -> None:
        """Load the page, and return once it follows the stack."""
        self.browser.open(self._url, width, dark=dark)
        self.browser.wait_for("document.querySelector('#connection').dataset.state === 'live'")

    def fill(self, **values: str) -> None:
        """Type texts into fields; an id's hyphen is a low line here."""
        for name, value in values.items():
            self.browser.ask(
                f"(field => {{ field.value = {json.dumps(value)};"
                " field.dispatchEvent(new Event('input', {bubbles: true})) })"
                f"(document.getElementById('{name.replace('_', '-')}'))"
            )

    def click(self, selector: str) -> None:
        """Click an element once it is there and enabled."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.browser.wait_for(f"{element} !== null && {element}.ariaBusy !== 'true'")
        self.browser.ask(f"{element}.click()")

    def act(self, do: str) -> str:
        """Carry out an action of the simulator, and return what the page says of it."""
        self.browser.ask("document.querySelector('#result').textContent = ''")
        self.click(f"#simulator [value={do}]")
        return str(self.browser.wait_for("document.querySelector('#result').textContent"))

    def open_issue(self, title: str, **values: str) -> str:
        """Open an issue, and return its reference once the page lists it."""
        self.fill(title=title, **values)
        self.act("open")
        self.wait_for_text("#issues", title)
        return str(
            self.browser.ask(
                "[...document.querySelectorAll('#issues label')]"
                f".find(each => each.textContent.includes({json.dumps(title)})).querySelector('input').value"
            )
        )

    def choose(self, reference: str) -> None:
        """Choose an issue of the list."""
        self.click(f"#issues input[value='{reference}']")

    def switch(self, part: str, label: str) -> None:
        """Press the switch of a part."""
        self.click(f"#switches [data-key='{part}'] [data-key='{label}'] button")

    def settle(self, reference: str) -> None:
        """Return once the newest delivery is about this issue, and it is known what became of each."""
        self.wait_for_text("#deliveries > li:first-child", reference)
        self.browser.wait_for(
            "![...document.querySelectorAll('#deliveries .outcome .text')]"
            ".some(each => ['done', 'not handled yet'].includes(each.textContent))"
        )

    def content(self) -> tuple[str, str, list[str]]:
        """Return the messages, the deliveries, and the issues; those of one second have no order."""
        issues = self.browser.ask(
            "[...document.querySelectorAll('#issues label')].map(each => each.textContent)"
        )
        return self.text("#messages"), self.text("#deliveries"), sorted(issues)

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.browser.ask(f"document.querySelector({json.dumps(selector)}).textContent"))

    def wait_for_text(self, selector: str, text: str) -> None:
        """Return once an element has this text in it, with any space."""
        self.browser.wait_for(
            f"document.querySelector({json.dumps(selector)})?.textContent"
            f".replaceAll('\\u00a0', ' ').includes({json.dumps(text)})"
        )

    def cards(self, text: str) -> list[str]:
        """Return the texts of the cards with this text in them."""
        return list(
            self.browser.ask(
                "[...document.querySelectorAll('#messages > article')].map(each => each.textContent)"
                f".filter(each => each.includes({json.dumps(text)}))"
            )
        )
