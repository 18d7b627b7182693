"""How the local Slack starts, serves connections and stops."""

import http.client
import json
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from local.slack.server import SlackServer
from tests.support.slack_clients import CHANNEL, TOKEN, client, raw


def test_one_connection_carries_many_calls(slack):
    """HTTP/1.1 connections stay open."""
    connection = http.client.HTTPConnection(urlsplit(slack.console_url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(2):
        connection.request("POST", "/api/auth.test", b"", headers)
        first = connection.sock
        response = connection.getresponse()
        assert json.loads(response.read())["ok"] is True
        assert connection.sock is first
    connection.close()


def test_many_posts_at_once_are_all_stored(slack):
    """Twenty threads make twenty messages, each with its own ts."""
    post = client(slack).chat_postMessage
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: post(channel=CHANNEL, text=str(n)), range(20)))
    assert {answer["ts"] for answer in answers} == {message.ts for message in slack.messages}
    assert sorted(int(message.text) for message in slack.messages) == list(range(20))


def test_stop_leaves_nothing_behind():
    """Idle connections and hanging calls end, all threads are gone, and the port refuses connections."""
    before = set(threading.enumerate())
    slack = SlackServer()
    address = urlsplit(slack.start()).netloc
    idle = http.client.HTTPConnection(address, timeout=20)
    idle.request("GET", "/messages.json")
    idle.getresponse().read()
    slack.fail_next(hang=600)
    waiting = http.client.HTTPConnection(address, timeout=20)
    waiting.request("POST", "/api/auth.test", b"")
    while not slack.requests:  # until the call has arrived
        threading.Event().wait(0.01)
    slack.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=20)
    idle.close()
    waiting.close()


def test_a_restart_keeps_port_and_messages():
    """A client sees an outage of all of Slack, then the same address with the same messages."""
    slack = SlackServer()
    url = slack.start()
    post = client(slack).chat_postMessage
    post(channel=CHANNEL, text="before")
    slack.stop()
    slack.stop()
    with pytest.raises(urllib.error.URLError):
        post(channel=CHANNEL, text="lost")
    assert slack.start() == url
    try:
        post(channel=CHANNEL, text="after")
        with pytest.raises(RuntimeError, match="already running"):
            slack.start()
    finally:
        slack.stop()
    assert [message.text for message in slack.messages] == ["before", "after"]


def test_there_is_no_address_before_the_start():
    """Asking for one is a RuntimeError."""
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = SlackServer().url


def test_a_port_that_is_taken_is_an_oserror():
    """The program can then choose another port."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        SlackServer(other.getsockname()[1]).start()


def test_nothing_is_written_to_the_terminal(slack, capfd):
    """No request leaves a line there, not even a refused or malformed one or one without an answer."""
    raw(slack, "GET", "/")
    raw(slack, "PUT", "/api/auth.test", b"")
    with socket.create_connection(("127.0.0.1", urlsplit(slack.url).port), timeout=20) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100)
    slack.fail_next(drop=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        raw(slack, "POST", "/api/auth.test", b"")
    slack.stop()
    assert capfd.readouterr() == ("", "")


def test_a_body_that_ends_early_is_refused(slack):
    """It is a 400, and the call is not recorded."""
    with socket.create_connection(("127.0.0.1", urlsplit(slack.url).port), timeout=20) as connection:
        connection.sendall(b"POST /api/auth.test HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert slack.requests == []
