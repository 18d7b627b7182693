"""Charts that count issues."""

import re

from metrics.charts import counts
from metrics.figures import AgeBucket


def test_age_bars_have_names_and_counts() -> None:
    """Each bar of the open issues' age has its name, its count, and how many are unanswered."""
    buckets = (
        AgeBucket(days=0, until=7, answered=2, unanswered=3, unknown=1),
        AgeBucket(days=365, until=None),
    )
    texts = re.findall("<text[^>]*>([^<]*)</text>", counts.ages(buckets, "Age of the open issues"))
    assert {"under 7 days", "over 1 year", "6 (3 unanswered)", "0"} <= set(texts)
