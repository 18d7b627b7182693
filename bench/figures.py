"""What is measured, its bar and its aim, and the verdict: pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

NOW, BEFORE, FLOOR, TWIN = "now", "before", "floor", "twin"  # who takes part in a round

type Round = Mapping[str, float]  # what each of them needed in one round


class Verdict(StrEnum):
    """How a figure stands to its bar and its aim."""

    AIM = "aim reached"
    KEPT = "kept"
    NOISE = "kept within the noise"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure's bar, which it must keep, and its aim; both are limits unless `higher` is better."""

    name: str
    what: str
    bar: float
    aim: float
    unit: str = ""
    higher: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The values of one figure, one for each round, and of the other checkout.

    `noise` is in the unit of the figure. `floor` is the floor's own figure, and `note` what else was seen.
    """

    goal: Goal
    values: Sequence[float]
    before: Sequence[float] = ()
    noise: float = 0.0
    floor: str = ""
    note: str = ""
    lowest: bool = field(default=False)  # whether the lowest value counts, and not the median

    @property
    def value(self) -> float:
        """Return the value that is judged."""
        return self._of(self.values)

    @property
    def value_before(self) -> float | None:
        """Return that of the other checkout, None if there is none."""
        return self._of(self.before) if self.before else None

    @property
    def verdict(self) -> Verdict:
        """Judge the figure: it misses its bar only if it is worse by more than the noise."""
        if self._worse_than(self.goal.bar) > self.noise:
            return Verdict.MISSED
        if self._worse_than(self.goal.bar) > 0:
            return Verdict.NOISE
        return Verdict.KEPT if self._worse_than(self.goal.aim) > 0 else Verdict.AIM

    def _worse_than(self, limit: float) -> float:
        return limit - self.value if self.goal.higher else self.value - limit

    def _of(self, values: Sequence[float]) -> float:
        return min(values) if self.lowest else statistics.median(values)


def ratios(rounds: Sequence[Round], subject: str) -> list[float]:
    """Return the subject's ratio to the floor in each round; none if it took no part."""
    return [round_[subject] / round_[FLOOR] for round_ in rounds if subject in round_]


def relative_noise(floor_ratios: Sequence[float]) -> float:
    """Return the noise of a ratio, from the ratios of one floor to its twin, which would be 1 without noise.

    It is the distance of their median from 1, or half of the range that holds the middle half of them,
    whichever is larger.
    """
    first, median, third = statistics.quantiles(floor_ratios, n=4, method="inclusive")
    return max(abs(median - 1), (third - first) / 2)


def paired(
    goal: Goal, rounds: Sequence[Round], floor_unit: str, *, scale: float = 1.0, note: str = ""
) -> Figure:
    """Return the figure of our ratios to the floor; `scale` turns a measurement into `floor_unit`."""
    values = ratios(rounds, NOW)
    floor = statistics.median(round_[FLOOR] for round_ in rounds) * scale
    return Figure(
        goal=goal,
        values=values,
        before=ratios(rounds, BEFORE),
        noise=relative_noise(ratios(rounds, TWIN)) * statistics.median(values),
        floor=f"{floor:,.3g} {floor_unit}" if floor < 100 else f"{floor:,.0f} {floor_unit}",
        note=note,
    )
