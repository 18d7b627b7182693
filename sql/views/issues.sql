-- Every issue once, with its present state: when it was answered, closed and reopened, how long it was open, and
-- whether it waits for the team.
--
-- An issue is identified by repository_id and issue_number; `repository` is the name in the repository's last event.
-- Pull requests are left out. `issue_history` says which events count, in which order, who is a bot and who the team.
-- Title, labels, author and the like are those of the last event that counts.
-- state: what the last event says. An issue that is deleted or transferred leaves for good: left_at is the event's
-- event_at. One that became a pull request is `transferred`. Where a repository is deleted, its open issues are
-- `deleted`, and its closed ones stay closed.
-- opened_at: created_at. entered_at: the same, except that an issue that came by a transfer entered when it came.
-- first_closed_at: the earliest close that any event shows. closed_at: the last close, while the issue is closed; of
-- an issue that left, as it was then.
-- close_reason: while closed_at is set, the state_reason of the last event that shows the issue closed: `completed`,
-- also when there is none, `not_planned`, `duplicate`, or another word of GitHub's.
-- open_hours: the sum of the open intervals from opened_at, until now or until left_at.
-- first_response_at: the first comment by neither the issue's author nor a bot; one that was edited or deleted later
-- counts. first_team_response_at: the first of these by the team.
-- response_unknown: no event up to the first response, or up to now, shows that the issue had no comments, so it may
-- have been answered before the first event: it is older than the webhook, or was answered before it was transferred.
-- Both responses are null then. `opened` without the number of comments shows none; so does a comment's own event
-- that counts none before it.
-- closed_unanswered: the issue is closed now, has not left, and is known to have no response.
-- waiting_on_us: the issue is open, its author is no bot, and the last word is by somebody outside the team. Words are
-- the opening, which is first and by the author whom the first event names, and the comments by their creation, those of
-- bots left out, also if they were deleted later. waiting_since: the first word after the team's last. Only the words
-- that were delivered count: the team may have answered in a comment from before the first event, which
-- response_unknown shows.
-- time_to_close_hours: of issues closed now; time_to_first_response_hours: of answered issues; both are null for
-- issues that left.
-- No span is negative, in this view and in all others: what ended before it began took no time. Imported issues are
-- closed or answered before they were created. The columns ending in _at and _since show GitHub's times as they are.
-- left_censored: there is no `opened` event; what happened before the first event is unknown.
-- history: what changed the number of open issues; issues_weekly counts these.
--
-- Cost: reads `issue_timelines` once, so one pass over `events`; a filter on repository does not prune. For a large
-- table, store this view's rows once an hour by a scheduled query and query those.

CREATE OR REPLACE VIEW `${DATASET}.issues` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT * EXCEPT (steps)
FROM `${DATASET}.issue_timelines`;
