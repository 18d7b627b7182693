"""A stand-in on loopback for Google's APIs and GitHub, used by the unmodified gcloud, bq and curl."""

import threading
import traceback
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from tests.deploy.cloud.accounts import iam
from tests.deploy.cloud.bigquery import bigquery
from tests.deploy.cloud.certificates import Certificates, make_certificates
from tests.deploy.cloud.environment import make_environment
from tests.deploy.cloud.faults import Faults
from tests.deploy.cloud.functions import builds, functions, storage
from tests.deploy.cloud.github import github
from tests.deploy.cloud.loaded_tools import LoadedTools
from tests.deploy.cloud.log import Log
from tests.deploy.cloud.messages import Answer, ApiError, Request
from tests.deploy.cloud.monitoring import monitoring
from tests.deploy.cloud.projects import billing, resources, usage
from tests.deploy.cloud.proxy import Proxy
from tests.deploy.cloud.pubsub import pubsub
from tests.deploy.cloud.routes import Routes, check_access
from tests.deploy.cloud.run import application, run
from tests.deploy.cloud.scheduler import scheduler
from tests.deploy.cloud.secretmanager import secretmanager
from tests.deploy.cloud.slack import slack
from tests.deploy.cloud.state import State

__all__ = ["HOSTS", "Cloud"]

_TABLES: Final[Sequence[Routes]] = (
    *(application, bigquery, billing, builds, functions, github, iam, monitoring, pubsub, resources, run),
    *(scheduler, secretmanager, slack, storage, usage),
)
HOSTS: Final = (
    "*.googleapis.com",
    "api.github.com",
    "slack.com",
    "*.a.run.app",
    "*.us-central1.run.app",
    "*.cloudfunctions.net",
)


class Cloud:
    """Open while the `with` block runs; the state stays readable afterwards.

    certificates: by default new ones.
    environment: for subprocesses. requests: all requests, in order.
    refused: hosts that are not served, requests without a handler and crashes of the stand-in; a test of a
    deployment asserts that it is empty. zips: function -> the sources of its deployments, oldest first.
    """

    def __init__(self, folder: Path, certificates: Certificates | None = None) -> None:
        self.state = State("acme-issues", "123456789012", access_token="stand-in-access-token")
        self.faults = Faults(self.state)
        self.requests = Log()
        self.refused: list[str] = []
        self._folder = folder
        self._certificates = certificates
        self._tools: LoadedTools | None = None
        self._lock = threading.Lock()
        self._proxy: Proxy | None = None
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        certificates = self._certificates or make_certificates(self._folder, HOSTS)
        self._proxy = Proxy(certificates, HOSTS, self._answer, self._refuse)
        self._environment = make_environment(
            self._folder,
            port=self._proxy.port,
            authority=certificates.authority,
            project=self.state.project,
            token=self.state.access_token,
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._tools:
            self._tools.close()
        assert self._proxy is not None
        self._proxy.close()

    def load(self, *tools: str) -> None:
        """Load gcloud, or gcloud and bq, for many calls."""
        self._tools = LoadedTools(self._folder / "loaded", self._environment, tools)
        self._environment |= self._tools.variables

    @property
    def environment(self) -> dict[str, str]:
        """A copy of the variables, which the caller may change."""
        return dict(self._environment)

    @property
    def zips(self) -> dict[str, list[bytes]]:
        """The uploaded source of each deployment by function, oldest first."""
        return defaultdict(list, self.state.zips)

    def snapshot(self) -> dict[str, Any]:
        """Copy the state that a second run must not change."""
        with self._lock:
            return self.state.snapshot()

    def _refuse(self, what: str) -> None:
        with self._lock:
            self.refused.append(what)

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            fault = self.faults.take(request)
            return fault or self._route(request)

    def _route(self, request: Request) -> Answer:
        for table in _TABLES:
            if not table.serves(request.host):
                continue
            match = table.find(request)
            if match is None:
                continue
            try:
                if table.is_google:
                    check_access(self.state, request, match)
                result = match.handler(self.state, request, **match.parts)
            except ApiError as error:
                return Answer(status=error.status, body=match.render(error))
            except Exception:  # noqa: BLE001 -- a crash is recorded for the test, and the client must not hang
                self.refused.append(f"crash at {request.line}: {traceback.format_exc()}")
                return Answer(status=400, body={"error": {"code": 400, "message": "the stand-in crashed"}})
            return result if isinstance(result, Answer) else Answer(body=result)
        self.refused.append(request.line)
        message = f"the stand-in has no handler for {request.line}"
        # Not a 5xx, which gcloud would retry for half a minute.
        item = {"message": message, "domain": "global", "reason": "invalid"}
        return Answer(status=400, body={"error": {"code": 400, "message": message, "errors": [item]}})
