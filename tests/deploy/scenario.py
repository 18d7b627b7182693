"""One deployment from nothing, driven by the real gcloud, bq and curl; it runs while other tests do."""

import copy
import itertools
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.cloud.cloud import Cloud
from tests.deploy.cloud.log import Log
from tests.deploy.cloud.monitoring import series
from tests.deploy.cloud.run import add_revision
from tests.support.checkout import CHANNEL, make_checkout

__all__ = ["SLACK_TOKEN", "DeployRig", "Run", "Scenario"]

PROJECT, REGION = "acme-issues", "us-central1"
DOMAIN = f"{PROJECT}.iam.gserviceaccount.com"
SLACK_TOKEN = "xoxb-never-shown"
RULES = '[[rule]]\nname = "bug"\nwords_any = ["crash"]\nadd_labels = ["bug"]\n'
BROWSER = Path(__file__).with_name("browser.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of deploy.sh: how it ended, what it requested, and the state of the cloud afterwards."""

    status: int
    out: str
    err: str
    requests: Log
    after: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class DeployRig:
    """A cloud, a checkout, and the runs so far by name."""

    cloud: Cloud
    checkout: Path
    runs: dict[str, Run] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def run(self, name: str, *arguments: str, stdin: str = "", **settings: str) -> Run:
        """Run deploy.sh with the cloud's environment and keep the result under a name."""
        environment = self.cloud.environment | {
            "PROJECT": PROJECT,
            "ISSUEWIRE_DEPLOY_RETRY_SECONDS": "0.2",
            "ISSUEWIRE_DEPLOY_SECRET_READ_SECONDS": "0",
            "GITHUB_TOKEN": self.cloud.state.github.token,
            **settings,
        }
        requested = len(self.cloud.requests)
        self.process = subprocess.Popen(
            [self.checkout / "deploy.sh", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = self.process.communicate(stdin, timeout=600)
        self.runs[name] = Run(
            status=self.process.returncode,
            out=out,
            err=err,
            requests=Log(self.cloud.requests[requested:]),
            after=self.cloud.snapshot(),
        )
        return self.runs[name]


def backlog(subscription: str, messages: int) -> dict[str, Any]:
    """Return a time series: how many messages a subscription holds."""
    metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    return series(metric, "pubsub_subscription", {"subscription_id": subscription}, messages)


def age(subscription: str, seconds: int) -> dict[str, Any]:
    """Return a time series: the age of a subscription's oldest message."""
    metric = "pubsub.googleapis.com/subscription/oldest_unacked_message_age"
    return series(metric, "pubsub_subscription", {"subscription_id": subscription}, seconds)


class Scenario:
    """Starts at once in the background; `deployed` and `operated` wait for one half of it each.

    deployed: a first run in which several calls fail, its repetition, and a run with nothing to do.
    operated: a copy of the cloud after the second run; a function is added, and all other commands run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rigs: list[DeployRig] = []
        self._is_closed = False
        self._executor = ThreadPoolExecutor(2)
        self._copied: Future[None] = Future()
        self._deployed = self._executor.submit(self._deploy)
        self._operated = self._executor.submit(self._operate)

    def deployed(self) -> DeployRig:
        """Return the first rig after its runs."""
        return self._deployed.result()

    def operated(self) -> DeployRig:
        """Return the second rig after its runs."""
        return self._operated.result()

    def close(self) -> None:
        """Stop the runs that are active."""
        self._is_closed = True
        for rig in self._rigs:
            if rig.process is not None and rig.process.poll() is None:
                rig.process.terminate()
        self._executor.shutdown()

    def _rig(self, name: str, cloud: Cloud) -> DeployRig:
        rig = DeployRig(cloud=cloud, checkout=make_checkout(self._folder / name))
        self._rigs.append(rig)
        return rig

    def _deploy(self) -> DeployRig:
        try:
            with Cloud(self._folder / "cloud-1") as cloud:
                cloud.load("gcloud", "bq")
                rig = self._rig("1", cloud)
                self._first_runs(rig)
                self._copied.set_result(None)
                if not self._is_closed:
                    rig.run("third", "all")
                return rig
        finally:
            if not self._copied.done():
                self._copied.cancel()

    def _first_runs(self, rig: DeployRig) -> None:
        faults = rig.cloud.faults
        rig.cloud.state.github.host("acme/app")
        rig.run("secrets", "secrets")
        rig.run("slack", "secrets", "slack", stdin=f"{SLACK_TOKEN}\n")
        faults.delay_iam(f"issuewire-ingest@{DOMAIN}", 1)
        faults.inject("GET", "pubsub.googleapis.com", "/topics$", 503)
        faults.inject("POST", "run.googleapis.com", "services/stream-bq:setIamPolicy", 403)
        faults.fail_build("notify-slack", "Build failed: injected")
        rig.run("first", "all")
        rig.run("second", "all")

    def _operate(self) -> DeployRig:
        while not self._copied.done() and not self._is_closed:
            time.sleep(0.1)
        self._copied.result(timeout=0)
        with Cloud(self._folder / "cloud-2") as cloud:
            cloud.load("gcloud", "bq")
            rig = self._rig("2", cloud)
            for name, value in vars(self._rigs[0].cloud.state).items():
                if not name.startswith("_") and name != "github":
                    setattr(cloud.state, name, copy.deepcopy(value))
            cloud.state.github.host("acme/app")
            cloud.state._numbers = itertools.count(100_000)
            self._commands(rig)
            return rig

    def _commands(self, rig: DeployRig) -> None:
        state = rig.cloud.state
        hold = "github-events-dead-hold"
        state.time_series = [backlog(name, 0) for name in (hold, "notify-slack", "stream-bq")]
        state.slack_token, state.slack_channels = SLACK_TOKEN, {CHANNEL}
        rig.run("webhook", "webhook", "acme/app")
        rig.run("status", "status")
        rig.run("alerts", "alerts")
        rig.run("alerts again", "alerts")
        rig.run("rotate", "secrets", "rotate", "acme/app")
        rig.run("app", "app", "acme", BROWSER=f"{sys.executable} {BROWSER} %s")
        (rig.checkout / "deploy.env").write_text("GITHUB_SOURCES=acme/app\nTRIAGE_MODE=act\n")
        (rig.checkout / "config/triage.toml").write_text(RULES)
        rig.run("optional", "all")
        add_revision(state, REGION, "ingest", state.functions["ingest"]["serviceConfig"])
        rig.run("rollback", "rollback", "ingest")
        state.time_series = [backlog(hold, 3), backlog("notify-slack", 7), age("notify-slack", 1000)]
        state.slack_channels = set()
        (hook,) = state.github.hooks.by_place["acme/app"].values()
        hook["active"] = False
        policy = f"projects/{PROJECT}/locations/{REGION}/services/stream-bq"
        kept = state.policies.pop(policy)
        rig.run("status again", "status", "acme/app")
        state.policies[policy] = kept
        rig.run("destroy", "destroy", "--data", "--yes")
