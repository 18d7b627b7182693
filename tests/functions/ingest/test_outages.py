"""While Pub/Sub or Secret Manager fails, ingest accepts no delivery; it recovers afterwards."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest
import requests

from local.secret_manager.server import SecretManagerServer
from tests.functions.ingest.rig import SECRET, IngestRig, headers, ingest, issue_body, sign, wait_for
from tests.support.pubsub import DEADLINE, Inbox, pubsub_process

Start = Callable[..., AbstractContextManager[IngestRig]]
BODY = issue_body()


def refused(answer: requests.Response, reason: str) -> None:
    """Assert that the delivery was not accepted, for this reason."""
    assert (answer.status_code, answer.json()["error"]) == (503, reason)
    assert answer.json()["message"] == "Not accepted; redeliver."


def post(rig: IngestRig, secret: bytes, body: bytes = BODY) -> requests.Response:
    """Post a delivery signed with `secret`."""
    return rig.post(body, headers(body, X_Hub_Signature_256=sign(body, secret)))


def test_recovery_after_pubsub_was_down(
    tmp_path: Path, secret_manager: tuple[SecretManagerServer, str]
) -> None:
    """While Pub/Sub is down no delivery is accepted. As soon as it is up again, deliveries are accepted."""
    with pubsub_process("builtin", tmp_path) as pubsub, ingest(tmp_path, pubsub, *secret_manager) as rig:
        assert rig.post(BODY).status_code == 202
        assert pubsub.child is not None
        pubsub.child.stop(kill=True)
        with ThreadPoolExecutor(2) as pool:
            for answer in pool.map(lambda _: rig.post(BODY), range(2)):
                refused(answer, "publish_failed")
        port = int(pubsub.host.rpartition(":")[2])
        with pubsub_process("builtin", tmp_path, port) as again:
            inbox: Inbox = again.new_topic(rig.inbox.topic.rpartition("/")[2])
            sent = headers(BODY)
            assert rig.post(BODY, sent).status_code == 202
            assert [message.data for message in inbox.until(sent["X-GitHub-Delivery"])] == [BODY]
            inbox.channel.close()


def test_recovery_after_pubsub_was_frozen(
    tmp_path: Path, secret_manager: tuple[SecretManagerServer, str]
) -> None:
    """A call that Pub/Sub does not answer fails in time, and the next one succeeds once it answers again."""
    with pubsub_process("google", tmp_path) as pubsub, ingest(tmp_path, pubsub, *secret_manager) as rig:
        assert rig.post(BODY).status_code == 202
        assert pubsub.child is not None
        pid = pubsub.child.pid
        os.killpg(pid, signal.SIGSTOP)
        # The threads stop one after another, and one of them could still answer. This waits for the last.
        wait_for(lambda: os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG))
        try:
            refused(rig.post(BODY), "publish_failed")
        finally:
            os.killpg(pid, signal.SIGCONT)
        sent = headers(BODY)
        assert rig.post(BODY, sent).status_code == 202
        assert all(message.data == BODY for message in rig.inbox.until(sent["X-GitHub-Delivery"]))


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED])
def test_recovery_after_secret_manager_failed(start: Start, code: grpc.StatusCode) -> None:
    """While the secret cannot be read no delivery is accepted, nor one signed with an empty key."""
    with start() as rig:
        rig.secret_manager.fail_with(code)
        try:
            for secret in (SECRET, b"", b"wrong"):
                refused(post(rig, secret), "secret_unreachable")
        finally:
            rig.secret_manager.fail_with(None)
        assert post(rig, b"").status_code == 401
        assert post(rig, SECRET).status_code == 202
        assert rig.published_since()[0].data == BODY


@pytest.mark.parametrize("blank", [b"", b"\n", b" \r\n"])
def test_a_blank_secret_accepts_nothing(start: Start, blank: bytes) -> None:
    """With a blank secret no delivery is accepted, whatever signs it. A good version fixes that at once."""
    with start(WEBHOOK_SECRET=(name := f"projects/test/secrets/blank-{blank.hex()}x")) as rig:
        rig.secret_manager.add_version(name, blank)
        for secret in (b"", blank, b" ", b"wrong"):
            refused(post(rig, secret), "secret_blank")
        rig.secret_manager.add_version(name, SECRET)
        assert post(rig, SECRET).status_code == 202
        assert post(rig, b"").status_code == 401
        assert len(rig.published_since()) == 1
        assert SECRET.decode() not in rig.function.output()


def test_a_missing_secret_accepts_nothing(start: Start) -> None:
    """With a secret that does not exist no delivery is accepted."""
    with start(WEBHOOK_SECRET="projects/test/secrets/missing") as rig:
        for secret in (b"", SECRET):
            refused(post(rig, secret), "secret_unreachable")


def test_secrets_can_be_rotated(start: Start) -> None:
    """Three secrets are accepted during a rotation, and a new one from the first delivery that it signs."""
    with start() as rig:
        calls = rig.secret_manager.calls
        calls.clear()
        for secret in (b"second", b"third"):
            rig.secret_manager.add_version(rig.secret, secret)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(rig, b"third"), range(8)))
        assert [answer.status_code for answer in answers] == [202] * 8
        assert len(calls) == 3
        assert [post(rig, secret).status_code for secret in (SECRET, b"second")] == [202] * 2
        assert len(calls) == 3

        rig.secret_manager.add_version(rig.secret, b"fourth")
        began = time.monotonic()
        accepted = [post(rig, secret).status_code for secret in (b"fourth", b"third", b"second")]
        assert accepted == [202] * 3
        assert [post(rig, SECRET).status_code for _ in range(20)] == [401] * 20
        reloads = 1 + int((time.monotonic() - began) / 30)
        assert 3 < len(calls) <= 3 + 3 * reloads


def test_disabled_and_destroyed_versions_are_skipped(start: Start) -> None:
    """Disabled and destroyed versions are skipped. A newline is removed, with one warning."""
    with start() as rig:
        for secret in (b"second", b"third\n", b"fourth"):
            rig.secret_manager.add_version(rig.secret, secret)
        rig.secret_manager.destroy(rig.secret, 2)
        rig.secret_manager.disable(rig.secret, 4)
        assert post(rig, b"third").status_code == 202
        for secret in (b"third\n", b"fourth", b"second", SECRET):
            assert post(rig, secret).status_code == 401
        warnings = [line for line in rig.function.log_lines() if line.get("reason") == "secret_unclean"]
        assert len(warnings) == 1
        assert f"{rig.secret}/versions/3 ends in a newline" in warnings[0]["message"]


def test_a_stopped_server_loses_no_accepted_delivery(start: Start) -> None:
    """When the function is stopped, every delivery that it has answered with 202 was published."""
    with start() as rig:
        assert rig.post(BODY).status_code == 202
        with ThreadPoolExecutor(4) as pool:
            sent = [headers(BODY) for _ in range(40)]
            posts = [pool.submit(rig.post, BODY, each) for each in sent]
            wait_for(lambda: any(each.done() for each in posts))
            os.killpg(rig.function.child.pid, signal.SIGTERM)
            accepted = [
                each["X-GitHub-Delivery"]
                for each, answer in zip(sent, posts, strict=True)
                if answer.exception(timeout=DEADLINE) is None and answer.result().status_code == 202
            ]
        assert accepted
        found = rig.inbox.until(accepted[-1])
        assert set(accepted) <= {message.attributes["delivery_id"] for message in found}
