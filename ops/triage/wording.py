"""Rules and what they do, in words and as JSON (pure)."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from functions.triage.rules import Action, Decision, Rule
from metrics.wording import count
from pipeline.accounts import Accounts
from pipeline.events import Issue

COMMENT_SHOWN = 60
_PATTERN = re.compile(r"^/.*/i?$|\.[*+]|\\[bdsw]|^\^|\$$")  # what is hardly ever meant as it is
NO_RULE = "There is no rule, so triage does nothing."


def summary(rule: Rule) -> str:
    """Return what a rule is for and what it does, in one line; keys that are not set are left out."""
    labels = {"labels_any": rule.labels_any, "labels_all": rule.labels_all, "labels_none": rule.labels_none}
    author = rule.author if isinstance(rule.author, str) else ", ".join(rule.author or ())
    conditions = [
        f"repositories {', '.join(rule.repositories)}",
        f"events {', '.join(rule.events)}",
        *(f"{key} {_quoted(names)}" for key, names in labels.items() if names),
        *([f"words_any {_quoted(rule.words_any)}"] if rule.words_any else []),
        *([f"author {author}"] if author else []),
    ]
    does = [
        *([f"adds {_quoted(rule.add_labels)}"] if rule.add_labels else []),
        *([f"assigns {'one of ' if rule.assign[1:] else ''}{', '.join(rule.assign)}"] if rule.assign else []),
        *([f"comments {shortened(rule.comment)}"] if rule.comment else []),
        *([f"closes as {rule.close}"] if rule.close else []),
    ]
    dry = " (dry run)" if rule.dry_run else ""
    return f"{rule.name}: {'; '.join(conditions)} -> {'; '.join(does)}{dry}"


def warnings(rules: Sequence[Rule], team: Accounts) -> Iterator[str]:
    """Yield what is no problem of the file, and may still not be meant."""
    for rule in rules:
        if rule.assign and all(login.lower() in team.away for login in rule.assign):
            yield f"rule {rule.name!r}: assign: all of them are away by the team file, so it assigns no one"
        for word in filter(_PATTERN.search, rule.words_any):
            yield f"rule {rule.name!r}: words_any: {word!r} is taken as it is, not as a regular expression"


def phrase(action: Action) -> str:
    """Return what an action does, without its rule: adds 'bug'."""
    return {
        "add_label": f"adds {action.value!r}",
        "assign": f"assigns {action.value}",
        "comment": f"comments {shortened(action.value)}",
        "close": f"closes as {action.value}",
    }[action.what]


def is_present(action: Action, issue: Issue) -> bool:
    """Return whether the issue has the label or the assignee already, so that nothing is to be done."""
    has = {"add_label": issue.labels, "assign": issue.assignees}.get(action.what, ())
    return action.value.lower() in {name.lower() for name in has}


def explain_lines(decision: Decision, issue: Issue | None, rules: Sequence[Rule]) -> Iterator[str]:
    """Yield a line for each rule, and then one for each action."""
    if not rules:
        yield NO_RULE
    elif decision.ignored is not None:
        yield f"No rule applies: {decision.ignored.text}."
    else:
        for rule in rules:
            why = decision.unmatched.get(rule.name)
            yield f"matches   {rule.name}" if why is None else f"skips     {rule.name}: {why}"
        assert issue is not None
        for action in decision.actions:
            notes = [action.rule, *(["dry run"] if action.dry_run else [])]
            notes += ["the issue has it already"] if is_present(action, issue) else []
            yield f"{phrase(action)} ({', '.join(notes)})"
        if not decision.actions:
            yield "Nothing is done."


def explain_json(decision: Decision, issue: Issue | None, rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the explanation for scripts."""
    ignored = decision.ignored
    return {
        "ignored": ignored and ignored.reason,
        "why_ignored": ignored and ignored.text,
        "rules": [
            {
                "name": rule.name,
                "matches": rule.name in decision.matched,
                "why_not": decision.unmatched.get(rule.name),
            }
            for rule in rules
        ],
        "actions": [
            {**action_json(action), "present": issue is not None and is_present(action, issue)}
            for action in decision.actions
        ],
    }


def action_json(action: Action) -> dict[str, Any]:
    """Return an action for scripts."""
    return {"rule": action.rule, "what": action.what, "value": action.value, "dry_run": action.dry_run}


def shortened(text: str) -> str:
    """Return the beginning of a comment in quotes, and its length if it is longer."""
    line = " ".join(text.split())
    if len(line) <= COMMENT_SHOWN:
        return repr(line)
    return f"{line[:COMMENT_SHOWN].rstrip() + '...'!r} ({count(len(text), 'character')})"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
