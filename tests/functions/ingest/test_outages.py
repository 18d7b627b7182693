"""Neighbours that fail: ingest accepts nothing it cannot stand for, and recovers by itself."""

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
from tests.functions.ingest.world import (
    DEADLINE,
    SECRET,
    Inbox,
    World,
    headers,
    ingest,
    issue_body,
    pubsub_process,
    sign,
    wait_for,
)

Start = Callable[..., AbstractContextManager[World]]
BODY = issue_body()


def refused(answer: requests.Response, reason: str) -> None:
    """Assert that nothing was accepted, for this reason."""
    assert (answer.status_code, answer.json()["error"]) == (503, reason)
    assert answer.json()["message"] == "Not accepted; redeliver."


def post(world: World, secret: bytes, body: bytes = BODY) -> requests.Response:
    """Post a delivery signed with `secret`."""
    return world.post(body, headers(body, X_Hub_Signature_256=sign(body, secret)))


def test_pubsub_goes_and_comes_back(tmp_path: Path, secret_manager: tuple[SecretManagerServer, str]) -> None:
    """While Pub/Sub is away nothing is acknowledged; as soon as it is back, deliveries are accepted."""
    with pubsub_process("builtin", tmp_path) as pubsub, ingest(tmp_path, pubsub, *secret_manager) as world:
        assert world.post(BODY).status_code == 202
        assert pubsub.child is not None
        pubsub.child.stop(kill=True)
        refused(world.post(BODY), "publish_failed")
        refused(world.post(BODY), "publish_failed")
        port = int(pubsub.host.rpartition(":")[2])
        with pubsub_process("builtin", tmp_path, port) as again:
            inbox: Inbox = again.new_topic(world.inbox.topic.rpartition("/")[2])
            sent = headers(BODY)
            assert world.post(BODY, sent).status_code == 202
            assert [message.data for message in inbox.until(sent["X-GitHub-Delivery"])] == [BODY]
            inbox.channel.close()


def test_pubsub_stops_to_answer(tmp_path: Path, secret_manager: tuple[SecretManagerServer, str]) -> None:
    """A Pub/Sub that takes a call and is silent is given up on in time, and used again once it answers."""
    with pubsub_process("google", tmp_path) as pubsub, ingest(tmp_path, pubsub, *secret_manager) as world:
        assert world.post(BODY).status_code == 202
        assert pubsub.child is not None
        os.killpg(pubsub.child.pid, signal.SIGSTOP)
        try:
            refused(world.post(BODY), "publish_failed")
        finally:
            os.killpg(pubsub.child.pid, signal.SIGCONT)
        sent = headers(BODY)
        assert world.post(BODY, sent).status_code == 202
        assert all(message.data == BODY for message in world.inbox.until(sent["X-GitHub-Delivery"]))


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED])
def test_secret_manager_goes_and_comes_back(start: Start, code: grpc.StatusCode) -> None:
    """While the secret cannot be read nobody is let in, not by an empty key either; then all is well."""
    with start() as world:
        world.secret_manager.fail_with(code)
        try:
            for secret in (SECRET, b"", b"wrong"):
                refused(post(world, secret), "secret_unreachable")
        finally:
            world.secret_manager.fail_with(None)
        assert post(world, b"").status_code == 401
        assert post(world, SECRET).status_code == 202
        assert world.published_since()[0].data == BODY


@pytest.mark.parametrize("blank", [b"", b"\n", b" \r\n"])
def test_a_blank_secret(start: Start, blank: bytes) -> None:
    """A blank secret lets nobody in, whatever they sign with; a good version added mends it at once."""
    with start(WEBHOOK_SECRET=(name := f"projects/test/secrets/blank-{blank.hex()}x")) as world:
        world.secret_manager.add_version(name, blank)
        for secret in (b"", blank, b" ", b"wrong"):
            refused(post(world, secret), "secret_blank")
        world.secret_manager.add_version(name, SECRET)
        assert post(world, SECRET).status_code == 202
        assert post(world, b"").status_code == 401
        assert len(world.published_since()) == 1
        assert SECRET.decode() not in world.function.output()


def test_a_missing_secret(start: Start) -> None:
    """A secret that does not exist lets nobody in."""
    with start(WEBHOOK_SECRET="projects/test/secrets/missing") as world:
        for secret in (b"", SECRET):
            refused(post(world, secret), "secret_unreachable")


def test_rotation(start: Start) -> None:
    """Three secrets are accepted during a rotation, and a new one is found at the first delivery it signs."""
    with start() as world:
        calls = world.secret_manager.calls
        calls.clear()
        for secret in (b"second", b"third"):
            world.secret_manager.add_version(world.secret, secret)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(world, b"third"), range(8)))
        assert [answer.status_code for answer in answers] == [202] * 8
        assert len(calls) == 3
        assert [post(world, secret).status_code for secret in (SECRET, b"second")] == [202] * 2
        assert len(calls) == 3

        world.secret_manager.add_version(world.secret, b"fourth")
        began = time.monotonic()
        accepted = [post(world, secret).status_code for secret in (b"fourth", b"third", b"second")]
        assert accepted == [202] * 3
        assert [post(world, SECRET).status_code for _ in range(20)] == [401] * 20
        forced = 1 + int((time.monotonic() - began) / 30)
        assert 3 < len(calls) <= 3 + 3 * forced


def test_versions_disabled_and_destroyed(start: Start) -> None:
    """Disabled and destroyed versions are passed over; a newline is stripped, with one warning."""
    with start() as world:
        for secret in (b"second", b"third\n", b"fourth"):
            world.secret_manager.add_version(world.secret, secret)
        world.secret_manager.destroy(world.secret, 2)
        world.secret_manager.disable(world.secret, 4)
        assert post(world, b"third").status_code == 202
        for secret in (b"third\n", b"fourth", b"second", SECRET):
            assert post(world, secret).status_code == 401
        warnings = [line for line in world.function.log_lines() if line.get("reason") == "secret_unclean"]
        assert len(warnings) == 1
        assert f"{world.secret}/versions/3 ends in a newline" in warnings[0]["message"]


def test_a_server_that_is_stopped_mid_way(start: Start) -> None:
    """Deliveries under way when the function is told to stop are answered by what Pub/Sub has confirmed."""
    with start() as world:
        assert world.post(BODY).status_code == 202
        with ThreadPoolExecutor(4) as pool:
            sent = [headers(BODY) for _ in range(40)]
            posts = [pool.submit(world.post, BODY, each) for each in sent]
            wait_for(lambda: any(each.done() for each in posts))
            os.killpg(world.function.child.pid, signal.SIGTERM)
            accepted = [
                each["X-GitHub-Delivery"]
                for each, answer in zip(sent, posts, strict=True)
                if answer.exception(timeout=DEADLINE) is None and answer.result().status_code == 202
            ]
        assert accepted
        found = world.inbox.until(accepted[-1])
        assert set(accepted) <= {message.attributes["delivery_id"] for message in found}
