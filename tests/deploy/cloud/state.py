"""The state of the stand-in: one dictionary per kind of resource, by short name."""

import base64
import copy
import itertools
import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from local.github.state import GitHub

__all__ = ["State", "members_of"]

# The APIs of a new project.
_ENABLED_BY_DEFAULT: Final = (
    "bigquery.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
# Left out of a snapshot because they differ between two equal runs.
_VOLATILE = re.compile(r"etag|.*Time|creationTimestamp|resourceVersion|(created|updated)_at|storageSource")

type Resource = dict[str, Any]


class State:
    """One project and GitHub, as plain dictionaries in the form of their APIs."""

    def __init__(self, project: str, number: str, access_token: str) -> None:
        self.project = project
        self.number = number
        self.access_token = access_token
        self.billing_enabled = True
        self.enabled: set[str] = set(_ENABLED_BY_DEFAULT)
        self.policies: dict[str, Resource] = {}  # full resource name -> IAM policy
        self.accounts: dict[str, Resource] = {}  # email -> service account
        self.iam_delays: dict[str, int] = {}  # email -> how often IAM still reports it as unknown
        self.topics: dict[str, Resource] = {}
        self.subscriptions: dict[str, Resource] = {}
        self.backlog: dict[str, list[Resource]] = defaultdict(list)  # subscription -> messages
        self.seeks: list[tuple[str, Resource]] = []  # subscription and the body of the call
        self.scheduled: dict[str, Resource] = {}  # full name -> job of Cloud Scheduler
        self.secrets: dict[str, Resource] = {}
        self.versions: dict[
            str, list[Resource]
        ] = {}  # secret -> versions, oldest first, with payload (base64)
        self.functions: dict[str, Resource] = {}
        self.objects: dict[str, bytes] = {}  # uploads by bucket/object
        self.zips: dict[str, list[bytes]] = {}  # function -> sources of its deployments, oldest first
        self.failing_builds: dict[str, str] = {}  # function -> message of its next build
        self.operations: dict[str, Resource] = {}
        self.services: dict[str, Resource] = {}  # Cloud Run services, Knative shape
        self.revisions: dict[str, list[Resource]] = {}  # service -> revisions, oldest first
        self.datasets: dict[str, Resource] = {}
        self.tables: dict[str, Resource] = {}  # dataset.table -> table or view
        self.jobs: dict[str, Resource] = {}
        self.alerts: dict[str, Resource] = {}  # full name -> policy
        self.channels: dict[str, Resource] = {}  # full name -> notification channel
        self.time_series: list[Resource] = []
        self.github = GitHub("ghp_of-the-stand-in", self._deliver)
        self.slack_token = ""  # the bot token that Slack accepts
        self.slack_channels: set[str] = set()  # the channels that the app is in
        self.ping_status: int | None = (
            None  # None: the status that the function at the URL of the hook would answer
        )
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        """Return a number that was never returned before."""
        return next(self._numbers)

    def etag(self) -> str:
        """Return a new etag, in base64 as gcloud expects it."""
        return f"BwY{self.next_number():09d}"

    def function_at(self, host: str) -> str | None:
        """Return the name of the service at a *.run.app or *.cloudfunctions.net host; None without one."""
        for name, service in self.services.items():
            if f"https://{host}" in service["metadata"]["annotations"]["run.googleapis.com/urls"]:
                return name
        return None

    def is_public(self, service: str) -> bool:
        """Return whether anyone may call a Cloud Run service."""
        region = self.services[service]["metadata"]["labels"]["cloud.googleapis.com/location"]
        resource = f"projects/{self.project}/locations/{region}/services/{service}"
        return "allUsers" in members_of(self.policies.get(resource, {}), "roles/run.invoker")

    def knows_secret(self, function: str, secret: str) -> bool:
        """Return whether a value is an enabled version of the secret in a function's WEBHOOK_SECRET."""
        config = self.functions[function]["serviceConfig"]
        name = config.get("environmentVariables", {}).get("WEBHOOK_SECRET", "").rpartition("/")[2]
        return any(
            version["state"] == "ENABLED" and base64.b64decode(version["payload"]) == secret.encode()
            for version in self.versions.get(name, [])
        )

    def snapshot(self) -> dict[str, Any]:
        """Copy the state that a second run must not change: no times, etags, uploads, jobs or operations."""
        skipped = {
            "access_token",
            "slack_token",
            "slack_channels",
            "iam_delays",
            "objects",
            "zips",
            "operations",
            "jobs",
            "failing_builds",
            "github",
        }
        kept = {
            name: value
            for name, value in vars(self).items()
            if name not in skipped and not name.startswith("_")
        }
        kept["hooks"] = self.github.hooks.by_place
        return {name: _without_volatile(copy.deepcopy(value)) for name, value in kept.items()}

    def _deliver(self, hook: Resource, *_delivery: Any) -> int:
        """Return what ingest answers: it must exist, be public, and have the secret of the hook."""
        if self.ping_status is not None:
            return self.ping_status
        name = self.function_at(urlsplit(hook["config"]["url"]).netloc)
        if name is None:
            return 404
        if not self.is_public(name):
            return 403
        return 200 if self.knows_secret(name, hook["config"].get("secret", "")) else 401


def now() -> str:
    """Return the time as Google's APIs write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def members_of(policy: Resource, role: str) -> set[str]:
    """Return who has a role in a policy."""
    return {
        member
        for binding in policy.get("bindings", [])
        if binding["role"] == role
        for member in binding["members"]
    }


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_volatile(part)
            for name, part in value.items()
            if not (isinstance(name, str) and _VOLATILE.fullmatch(name))
        }
    return [_without_volatile(part) for part in value] if isinstance(value, list) else value
