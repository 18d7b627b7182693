"""What the bench prints and returns."""

import json

import pytest

from bench.figures import Figure, Goal
from bench.results import KEPT, MISSED, UNMEASURED, Results
from bench.views import View

KEEPS = Figure(goal=Goal(name="cold", what="cold start", bar=2.0, aim=1.5), values=[1.6, 1.7, 1.8])
MISSES = Figure(
    goal=Goal(name="warm", what="requests/s", bar=1.0, aim=1.5, higher=True),
    values=[0.4],
    before=[0.3],
    noise=0.05,
    floor="1,000 requests/s",
)
SLOW_VIEW = View(name="issues", small=[1.0], large=[11.0], rows=7)


def results(*figures: Figure, views: tuple[View, ...] = (), before: str = "", **failures: str) -> Results:
    """Return the results of a run."""
    return Results(machine=["2 cores"], before=before, figures=figures, views=views, failures=failures)


@pytest.mark.parametrize(
    ("found", "status", "sentence"),
    [
        (results(KEEPS), KEPT, "all 1 figures kept their bar."),
        (results(KEEPS, MISSES), MISSED, "1 of 2 figures missed their bar: requests/s."),
        (results(KEEPS, views=(SLOW_VIEW,)), MISSED, "1 of 2 figures missed their bar: view issues."),
        (
            results(KEEPS, warm="status 500"),
            UNMEASURED,
            "warm could not be measured, and all 1 figures kept their bar.",
        ),
    ],
)
def test_the_last_line_is_the_verdict(found: Results, status: int, sentence: str) -> None:
    """The exit status is 0 if all bars are kept, 1 if one is missed, 2 if a measure failed."""
    assert (found.status, found.sentence()) == (status, sentence)
    assert found.markdown().splitlines()[-1] == sentence


def test_a_row_has_the_figure_and_its_goal() -> None:
    """A row of the table shows the figure with its spread, n, bar, aim, verdict, floor and noise."""
    assert (
        "| cold start | 1.70 [1.60..1.80] | 3 | <= 2.00 | <= 1.50 | kept |  | 0.00 |  |"
        in results(KEEPS).markdown()
    )


def test_another_checkout_has_a_column() -> None:
    """With --against the table has a column with the figures of the other checkout."""
    table = [line for line in results(KEEPS, MISSES, before="486b5d3").markdown().splitlines() if "|" in line]
    assert table[0].startswith("| what | figure | n | 486b5d3 | bar |")
    assert {line.count("|") for line in table} == {11}
    assert "| 0.40 | 1 | 0.30 | >= 1.00 |" in table[3]


def test_json_has_every_value() -> None:
    """--json prints the values of each round and the verdict."""
    found = json.loads(results(MISSES, cold="no server").json())
    assert found["status"] == UNMEASURED
    assert found["failures"] == {"cold": "no server"}
    assert found["figures"][0]["values"] == [0.4]
    assert found["figures"][0]["verdict"] == "MISSED"
