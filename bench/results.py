"""The results as bench/RESULTS.md, as JSON, and in one sentence: pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Figure, Verdict
from bench.views import View, table

KEPT, MISSED, UNMEASURED = 0, 1, 2  # exit statuses

HEADER = """# Results

Written by `make bench`. Every ratio is to the floor in the same run: a bare function under
functions-framework that answers an empty string, for subscribers one that takes a CloudEvent and is sent the
same push. Subject and floor run in turn, and so does the floor's twin: the noise is how far the two differ. A
figure misses its bar only if it is worse by more than the noise. The values are medians, with
[lowest..highest]. Trust the ratios more than the times.

What is not imitated: there is no TLS and no authentication, everything is on loopback, and Pub/Sub, BigQuery,
Slack and Secret Manager are stubs that never fail. The load client and the stubs share the cores with the
function, so the functions, which wait for stubs, have less of them than the floor. The functions have the
environment that deploy/functions gives them, but all cores.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a run has found.

    `before` names the other checkout, if there was one. `failures` says why a measure has no figure.
    """

    machine: Sequence[str]
    before: str
    figures: Sequence[Figure]
    views: Sequence[View]
    failures: dict[str, str]

    @property
    def missed(self) -> list[str]:
        """Return what missed its bar."""
        figures = [figure.goal.what for figure in self.figures if figure.verdict is Verdict.MISSED]
        return figures + [f"view {view.name}" for view in self.views if view.verdict is Verdict.MISSED]

    @property
    def status(self) -> int:
        """Return the exit status."""
        return UNMEASURED if self.failures else MISSED if self.missed else KEPT

    def sentence(self) -> str:
        """Return the verdict in one sentence."""
        judged = len(self.figures) + len(self.views)
        parts = []
        if self.failures:
            parts.append(f"{', '.join(self.failures)} could not be measured")
        if self.missed:
            parts.append(f"{len(self.missed)} of {judged} figures missed their bar: {'; '.join(self.missed)}")
        elif judged:
            noisy = sum(figure.verdict is Verdict.NOISE for figure in self.figures)
            within = f", {noisy} of them within the noise" if noisy else ""
            parts.append(f"all {judged} figures kept their bar{within}")
        return ", and ".join(parts) + "."

    def markdown(self) -> str:
        """Return RESULTS.md."""
        parts = [HEADER, *(f"- {line}" for line in self.machine)]
        if self.figures:
            before = f" {self.before} |" if self.before else ""
            parts += [
                "",
                f"| what | figure | n |{before} bar | aim | verdict | floor | noise | also |",
                "|---|---|---|---|---|---|---|---|---|" + ("---|" if before else ""),
                *(row(figure, with_before=bool(self.before)) for figure in self.figures),
            ]
        if self.views:
            parts += ["", "## Views on the local BigQuery", "", table(list(self.views))]
        for name, failure in self.failures.items():
            parts += ["", f"{name} could not be measured:", "", "```", failure, "```"]
        return "\n".join([*parts, "", self.sentence(), ""])

    def json(self) -> str:
        """Return the machine form."""
        content = {
            "machine": self.machine,
            "figures": [_figure(figure) for figure in self.figures],
            "views": [
                {"name": view.name, "seconds": view.seconds, "growth": view.growth, "verdict": view.verdict}
                for view in self.views
            ],
            "failures": self.failures,
            "verdict": self.sentence(),
            "status": self.status,
        }
        return json.dumps(content, indent=2)


def row(figure: Figure, *, with_before: bool) -> str:
    """Return a figure as a row of the table."""
    goal, sign = figure.goal, ">=" if figure.goal.higher else "<="
    before = figure.value_before
    cells = [
        goal.what,
        _number(figure.value, goal.unit) + _spread(figure.values),
        str(len(figure.values)),
        *([_number(before, goal.unit) + _spread(figure.before) if before is not None else ""] * with_before),
        f"{sign} {_number(goal.bar, goal.unit)}",
        f"{sign} {_number(goal.aim, goal.unit)}",
        str(figure.verdict),
        figure.floor,
        f"{figure.noise:.2f}",
        figure.note,
    ]
    return f"| {' | '.join(cells)} |"


def _figure(figure: Figure) -> dict[str, object]:
    goal = figure.goal
    return {
        "name": goal.name,
        "what": goal.what,
        "unit": goal.unit or "ratio to the floor",
        "value": figure.value,
        "values": list(figure.values),
        "before": figure.value_before,
        "bar": goal.bar,
        "aim": goal.aim,
        "higher_is_better": goal.higher,
        "noise": figure.noise,
        "floor": figure.floor,
        "note": figure.note,
        "verdict": figure.verdict,
    }


def _number(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit == "MiB" and value > 20 else f"{value:.2f} {unit}".strip()


def _spread(values: Sequence[float]) -> str:
    return f" [{min(values):.2f}..{max(values):.2f}]" if len(values) > 1 else ""
