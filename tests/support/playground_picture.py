"""Makes the picture of the playground: python -m tests.support.playground_picture docs/playground.png.

It needs Chromium, and a font with emoji such as Debian's fonts-noto-color-emoji.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.support.browser import Browser, find_chromium
from tests.support.playground import Page, playground

WIDTH, HEIGHT = 1280, 860
COLOURS = 200


def main(path: Path) -> None:
    """Run a stack, let a few things happen, break Slack, and write what the page shows then."""
    program = find_chromium()
    assert program is not None, "Chromium is missing (apt-get install chromium)"
    with (
        tempfile.TemporaryDirectory() as folder,
        playground(Path(folder), scheduled=frozenset({"reconcile"})) as console,
    ):
        browser = Browser(program, Path(folder))
        try:
            page = Page(browser, console)
            page.open(WIDTH)
            set_the_scene(page)
            picture = Image.open(io.BytesIO(browser.screenshot(HEIGHT)))
        finally:
            browser.close()
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")  # noqa: T201 - a command line program


def set_the_scene(page: Page) -> None:
    """Close an issue after an answer, leave two open, and have Slack refuse the fourth one."""
    closed = page.open_issue("Export fails on an empty row")
    page.choose(closed)
    page.fill(actor="mona", comment="I can reproduce this on main.")
    page.act("comment")
    page.act("assign")
    page.wait_for_text("#messages .thread", "2 replies")
    page.act("close")
    page.wait_for_text("#messages .thread", "3 replies")
    page.fill(actor="octocat")
    page.open_issue("Login page is blank in Safari", labels="bug, p1")
    page.open_issue("Docs: say how to rotate the secret", labels="docs")
    page.wait_for_text("#messages", "rotate the secret")
    page.switch("slack", "429")
    page.choose(page.open_issue("Search is slow with many labels", labels="performance"))
    page.wait_for_text("#deliveries > li:first-child [data-level=retry]", "attempt 2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
