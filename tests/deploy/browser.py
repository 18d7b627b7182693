"""A browser for GitHub's form: it opens the page that it is given, and comes back from GitHub with a code."""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, build_opener


class _Form(HTMLParser):
    action = manifest = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = values["action"]
        elif tag == "input":
            self.manifest = values["value"]


opener = build_opener(ProxyHandler({}))  # GitHub is reached by a proxy, and this machine is not
form = _Form()
form.feed(opener.open(sys.argv[1], timeout=10).read().decode())
state = parse_qs(urlsplit(form.action).query)["state"][0]
opener.open(f"{json.loads(form.manifest)['redirect_url']}?code=code-1&state={state}", timeout=60)
print("noise of a browser")  # noqa: T201 - as browsers do
