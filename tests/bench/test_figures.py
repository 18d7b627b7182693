"""The bench judges ratios to the floor, and allows for the noise of the machine."""

import pytest

from bench.figures import BEFORE, FLOOR, NOW, TWIN, Figure, Goal, Verdict, paired, ratios, relative_noise

LOW = Goal(name="cold", what="start", bar=2.0, aim=1.5)
HIGH = Goal(name="warm", what="requests/s", bar=1.0, aim=1.5, higher=True)


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (LOW, 1.5, Verdict.AIM),
        (LOW, 2.0, Verdict.KEPT),
        (LOW, 2.125, Verdict.NOISE),
        (LOW, 2.2, Verdict.MISSED),
        (HIGH, 1.5, Verdict.AIM),
        (HIGH, 1.0, Verdict.KEPT),
        (HIGH, 0.875, Verdict.NOISE),
        (HIGH, 0.85, Verdict.MISSED),
    ],
)
def test_a_bar_is_missed_beyond_the_noise(goal: Goal, value: float, verdict: Verdict) -> None:
    """A figure misses its bar only if it is worse by more than the noise, in the goal's direction."""
    assert Figure(goal=goal, values=[value], noise=0.125).verdict is verdict


def test_each_round_is_compared_with_its_own_floor() -> None:
    """A ratio is taken in each round, so that a slow moment of the machine changes both sides."""
    rounds = [{NOW: 2.0, FLOOR: 1.0}, {NOW: 20.0, FLOOR: 10.0}]
    assert ratios(rounds, NOW) == [2.0, 2.0]
    assert ratios(rounds, BEFORE) == []


@pytest.mark.parametrize(
    ("floors", "noise"),
    [
        ([1.0, 1.0, 1.0], 0.0),
        ([1.2, 1.2, 1.2], 0.2),  # the twin is always slower
        ([0.8, 1.0, 1.2], 0.1),  # it varies
        ([0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0], 0.0),  # but for outliers
    ],
)
def test_noise_is_what_two_floors_differ_by(floors: list[float], noise: float) -> None:
    """The noise is the twin's distance from the floor, or half of the middle half of their range."""
    assert relative_noise(floors) == pytest.approx(noise)


def test_a_figure_is_the_median_of_its_ratios() -> None:
    """A figure of pairs is the median ratio, its noise is in the same unit, and the floor is shown."""
    rounds = [{NOW: subject, BEFORE: 3.0, FLOOR: 0.1, TWIN: 0.11} for subject in (0.2, 0.2, 0.2, 0.9)]
    figure = paired(LOW, rounds, "ms", scale=1000)
    assert figure.value == pytest.approx(2.0)
    assert figure.value_before == pytest.approx(30.0)
    assert figure.noise == pytest.approx(0.2)
    assert figure.floor == "100 ms"


def test_the_lowest_process_counts() -> None:
    """A figure of CPU takes the process that needed least, because the others were disturbed."""
    figure = Figure(goal=LOW, values=[2.5, 1.9, 3.0], lowest=True)
    assert figure.value == 1.9
