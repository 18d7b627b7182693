"""The view issues_by_week_opened says what became of the issues of each week."""

from datetime import date
from typing import Any

from tests.sql.cases import BOT, KIM, MONA, Case, at


def cohorts(case: Case, **options: Any) -> dict[date, tuple[Any, ...]]:
    """Return the columns of each week: opened, within 24 and 72 hours, closed, still open, p50."""
    rows = case.ask("issues_by_week_opened", **options)
    return {row["week"]: tuple(row.values())[3:] for row in rows}


def test_two_weeks(case: Case) -> None:
    """What happens later counts in the week of the opening; a week without an opening has no row."""
    day, days, late, gone = (case.issue(number) for number in range(4))
    new, bots = case.issue(10, created_at=at(days=15)), case.issue(11, author=BOT, created_at=at(days=16))
    case.store(
        *(issue.opened() for issue in (day, days, late, gone, new, bots)),
        day.commented(MONA, at(hours=24), "Here."),
        days.commented(MONA, at(hours=60), "Here."),
        late.commented(KIM, at(days=20), "Here."),
        day.closed(MONA, at(days=2), "not_planned"),
        days.closed(MONA, at(days=9)),
        (gone.deleted(MONA, at(days=3)), at(days=3)),
    )
    assert cohorts(case) == {
        date(2026, 1, 5): (4, 1, 2, 2, 1, (2 + 9) * 12.0),
        date(2026, 1, 19): (2, 0, 0, 0, 2, None),
    }


def test_an_arrival(case: Case) -> None:
    """An issue that came by a transfer counts in the week in which it came, and in its first week there."""
    issue = case.issue()
    opened = issue.opened()
    leaves, arrives, _ = issue.moved(MONA, at(days=8), case.other, 5)
    case.store(opened, (leaves, at(days=8)))
    case.insert(case.delivered(arrives, "there"))
    assert cohorts(case) == {date(2026, 1, 5): (1, 0, 0, 0, 0, None)}
    assert cohorts(case, repository=case.other) == {date(2026, 1, 12): (1, 0, 0, 0, 1, None)}
