"""Reads which webhooks are ours, and what GitHub lists for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from clients.github.hook_deliveries import APP, Attempt, Hook, is_same_url
from clients.github.webhooks import Webhooks
from pipeline.errors import Unavailable

from . import problems
from .plan import Window
from .problems import Problem
from .settings import Settings
from .time_limit import TimeLimit

HIDDEN = {"hooks_forbidden", "app_not_installed", "app_suspended"}  # of one source


@dataclass(slots=True, kw_only=True)
class Listed:
    """Our webhooks by source, their attempts, what is wrong with them, and the sources that are hidden."""

    sources: dict[str, list[Hook]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failures: list[Unavailable] = field(default_factory=list)


class Listing:
    """What one run lists."""

    def __init__(self, webhooks: Webhooks, settings: Settings, window: Window, limit: TimeLimit) -> None:
        self._webhooks = webhooks
        self._settings = settings
        self._window = window
        self._limit = limit

    def read(self) -> Listed:
        """Read every source. Raises Unavailable for a failure that is not about one source."""
        listed = Listed()
        app = self._webhooks.app_hook()
        app_hooks = self._ours([app] if app else [])
        if app_hooks:
            self._add(listed, APP, app_hooks)
        for source in self._settings.sources:
            try:
                hooks = self._hooks(source, is_covered=bool(app_hooks))
            except Unavailable as error:
                if error.reason not in HIDDEN:
                    raise
                listed.failures.append(error)  # the other sources are not hidden
                continue
            if hooks or not app_hooks:
                self._add(listed, source, hooks)
            else:
                listed.sources[source] = []
        return listed

    def _add(self, listed: Listed, source: str, hooks: list[Hook]) -> None:
        attempts = self._attempts(hooks)
        listed.sources[source] = hooks
        listed.attempts += attempts
        listed.problems += problems.of_source(source, hooks, attempts)

    def _hooks(self, source: str, *, is_covered: bool) -> list[Hook]:
        """Return our webhooks of a source; they may be hidden if the App's webhook covers the source."""
        try:
            return self._ours(self._webhooks.hooks(source))
        except Unavailable as error:
            if is_covered and error.reason == "hooks_forbidden":
                return []
            raise

    def _ours(self, hooks: Iterable[Hook]) -> list[Hook]:
        urls = self._settings.ingest_urls
        return [hook for hook in hooks if any(is_same_url(hook.url, url) for url in urls)]

    def _attempts(self, hooks: Sequence[Hook]) -> list[Attempt]:
        attempts = []
        for hook in hooks:
            for attempt in self._webhooks.attempts(hook, self._window.start):
                self._limit.check()
                attempts.append(attempt)
        return attempts
