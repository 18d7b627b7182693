"""A run of deploy.sh may fail, hang, be interrupted, or start while another one is active."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("call", "step"),
    [
        ("gcloud services enable *", "enable the APIs"),
        ("gcloud iam service-accounts list *", "check that what exists is ours"),
        ("gcloud iam service-accounts create issuewire-push *", "service accounts: one per function"),
        ("gcloud pubsub topics list *", "check that what exists is ours"),
        ("gcloud pubsub subscriptions list *", "check that what exists is ours"),
        ("gcloud pubsub subscriptions create notify-slack *", "subscriptions, which keep"),
        ("gcloud secrets list *", "check that what exists is ours"),
        ("bq *ls --datasets*", "check that what exists is ours"),
        ("bq *query*", "BigQuery: dataset github"),
        (
            "gcloud secrets add-iam-policy-binding slack-token *",
            "access: roles/secretmanager.secretAccessor on secret/slack-token for serviceAccount:issuewire-n",
        ),
        ("bq *add-iam-policy-binding*", "access: roles/bigquery.dataEditor on table/events for service"),
        ("gcloud projects get-iam-policy *", "access: each account"),
        ("gcloud secrets versions list *", "access: each account"),
        ("gcloud functions list *", "check that what exists is ours"),
        ("gcloud functions deploy ingest *", "function ingest"),
    ],
)
def test_a_failed_call_is_the_last_call(sandbox, call, step):
    """A failed call ends the run with the tool's message, the step and the command to run again."""
    sandbox.answer(call, "", "ERROR: injected\n", status=1)
    outcome = sandbox.run("ingest")
    assert outcome.status == 1
    *_, error, failed, advice = outcome.err.splitlines()
    assert error == "ERROR: injected"
    assert failed.startswith(f"deploy.sh: failed while: {step}")
    assert advice.endswith("Fix the cause and run again: ./deploy.sh ingest")
    pattern = re.escape(call).replace(r"\*", ".*")
    assert re.fullmatch(pattern, sandbox.lines[-1])


def test_a_call_that_hangs_is_ended(sandbox):
    """No call lasts longer than its limit; its child processes are ended, too."""
    sandbox.answer_with_script("gcloud services enable *", 'echo $$ >"$SANDBOX/pid"; sleep 60')
    outcome = sandbox.run("setup", ISSUEWIRE_DEPLOY_CALL_SECONDS="4")
    assert outcome.status == 1
    assert "no answer within 4 s: gcloud services enable" in outcome.err
    assert not is_alive(int((sandbox.folder / "pid").read_text()))


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(
    ("sent", "step"),
    [
        (signal.SIGINT, "gcloud services enable *"),
        (signal.SIGTERM, "gcloud functions deploy *"),
        (signal.SIGHUP, "bq *query*"),
        (signal.SIGINT, "gcloud functions deploy *"),
    ],
)
def test_a_signal_ends_every_child_process(sandbox, sent, step):
    """Ctrl-C at any step leaves no process and no file behind, and says what to run again."""
    sandbox.answer_with_script(step, 'echo $$ >"$SANDBOX/pid.$$"; sleep 60')
    process = sandbox.start("all")
    needed = 2 if "functions" in step else 1
    until(lambda: len([p for p in sandbox.folder.glob("pid.*") if p.read_text().endswith("\n")]) == needed)
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does
    else:
        process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + sent
    assert "deploy.sh: stopped while: " in err
    assert err.endswith("Run again: ./deploy.sh all\n")
    assert [is_alive(int(path.read_text())) for path in sandbox.folder.glob("pid.*")] == [False] * needed
    assert list(sandbox.temporary.iterdir()) == []
    assert sandbox.find("functions deploy ingest") == []


def test_two_runs_exclude_each_other(sandbox):
    """A second run in the same checkout stops at once; commands that only read are allowed."""
    sandbox.answer_with_script("gcloud services enable *", 'touch "$SANDBOX/busy"; sleep 60')
    process = sandbox.start("setup")
    try:
        until((sandbox.folder / "busy").exists)
        second = sandbox.run_concurrently("alerts")
        assert (second.status, "another ./deploy.sh is running" in second.err) == (1, True)
        assert sandbox.run_concurrently("check").status == 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert sandbox.run("secrets show").status == 0
