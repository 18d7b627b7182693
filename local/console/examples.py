"""Questions to begin with, for the page's SQL box."""

from typing import Final

EXAMPLES: Final = {
    "Who waits for us?": """\
SELECT repository, issue_number, title, author, ROUND(waiting_hours, 1) AS waiting_hours
FROM waiting_on_us
ORDER BY waiting_hours DESC
LIMIT 20""",
    "How long until the first response?": """\
SELECT repository, n, ROUND(p50_hours, 2) AS p50_hours, ROUND(p90_hours, 2) AS p90_hours, unanswered
FROM time_to_first_response
ORDER BY repository""",
    "What happened last?": """\
SELECT received_at, event, action, repository, issue_number, sender, source
FROM issue_events
ORDER BY received_at DESC
LIMIT 20""",
    "Opened, closed and open, by week": """\
SELECT repository, week, opened, closed, reopened, backlog
FROM issues_weekly
ORDER BY week DESC, repository
LIMIT 30""",
    "Which labels are open the longest?": """\
SELECT label, COUNT(*) AS issues, ROUND(AVG(hours), 1) AS mean_hours, COUNTIF(open_since IS NOT NULL) AS now
FROM time_in_label
GROUP BY label
ORDER BY mean_hours DESC
LIMIT 20""",
}
