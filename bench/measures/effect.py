"""triage on the local stack: from GitHub's webhook until the issue has the label at GitHub."""

import statistics
import time
from pathlib import Path

from bench.figures import Figure
from bench.functions import WrongAnswer
from bench.goals import EFFECT
from local.stack.options import Options
from local.stack.stack import Stack, running
from ops.send.payload_spec import PayloadSpec

REPOSITORY = "acme/app"
RULES = """
[[rule]]
name = "measured"
add_labels = ["measured"]
"""
APART_SECONDS = 1.2  # GitHub takes 80 changes a minute
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.01


def effect(folder: Path, issues: int) -> list[Figure]:
    """Return the 95th percentile over so many issues. Raises WrongAnswer if one has no effect."""
    (folder / "triage.toml").write_text(RULES)
    options = Options(
        pubsub="builtin", state=folder / "stack", triage=folder / "triage.toml", views=frozenset()
    )
    with running(options, lambda *_: None) as stack:
        seconds = _measure(stack, issues)
    slowest = max(seconds)
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    note = f"{issues} issues, p50 {statistics.median(seconds):.2f} s, slowest {slowest:.2f} s"
    return [Figure(goal=EFFECT, values=[p95], note=note)]


def _measure(stack: Stack, issues: int) -> list[float]:
    """Open the issues one by one; return the seconds until each has its label."""
    stack.github.github.host(REPOSITORY)
    began: dict[int, float] = {}
    found: dict[int, float] = {}
    first = time.monotonic()
    until = first + APART_SECONDS * issues + PATIENCE_SECONDS
    while len(found) < issues:
        now = time.monotonic()
        if len(began) < issues and now >= first + APART_SECONDS * len(began):
            number = len(began) + 1
            began[number] = now
            stack.github.act(PayloadSpec(repository=REPOSITORY, number=number))
        for number in began.keys() - found.keys():
            if stack.github.github.repository(REPOSITORY).issues[number]["labels"]:
                found[number] = now - began[number]
        if now > until:
            raise WrongAnswer(
                f"triage has changed {len(found)} of {issues} issues; its log is in {stack.folder}"
            )
        time.sleep(POLL_SECONDS)
    return list(found.values())
