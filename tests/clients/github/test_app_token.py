"""A GitHub App signs for itself, and gets and renews the tokens of its installations."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from clients.github.responses import Forbidden
from local.github.server import TOKEN
from tests.clients.github.app_rig import AppRig
from tests.support.messages import an_issue

REPOSITORY = "/repos/acme/app"


@pytest.fixture
def rig(tmp_path: Path) -> AppRig:
    """Return GitHub with acme/app, on which the App is installed."""
    return AppRig(tmp_path)


def pem(key: Any) -> str:
    """Return a private key as a file has it."""
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *form).decode()


def rsa_key() -> str:
    """Return a new key, which is that of another App."""
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def other_key() -> str:
    """Return a private key that is not an RSA key."""
    return pem(ec.generate_private_key(ec.SECP256R1()))


def test_an_installation_has_one_token_until_five_minutes_before_its_end(rig: AppRig) -> None:
    """Requests share a token, which is renewed before GitHub refuses it; none is asked for without need."""
    client = rig.client()
    for seconds in (0, 1, 54 * 60):
        rig.advance(seconds)
        assert client.get(REPOSITORY)[0]["name"] == "app"
    assert rig.tokens_created() == 1
    rig.advance(60)
    client.get(REPOSITORY)
    assert rig.tokens_created() == 2
    assert len(rig.server.targets("/installation$")) == 1


def test_a_token_that_github_refuses_is_renewed_once(rig: AppRig) -> None:
    """A token that was revoked costs one more request; a second refusal is the error of a wrong token."""
    client = rig.client()
    client.get(REPOSITORY)
    rig.github.app.tokens.clear()
    assert client.get(REPOSITORY)[0]["name"] == "app"
    assert rig.tokens_created() == 2
    rig.server.fail_until_cleared(status=401, message="Bad credentials", target=f"^{REPOSITORY}$")
    before = len(rig.server.targets(f"^{REPOSITORY}$"))
    assert rig.error().reason == "token_refused"
    assert len(rig.server.targets(f"^{REPOSITORY}$")) == before + 2


def test_a_permission_that_is_granted_later_has_effect_with_the_next_request(rig: AppRig) -> None:
    """A token has the permissions of its creation, so one that was refused is not kept for its hour."""
    client = rig.client()
    client.get("/repos/acme/app")
    rig.server.fail_next(status=403, message="Resource not accessible by integration")
    with pytest.raises(Forbidden):
        client.get("/repos/acme/app")
    client.get("/repos/acme/app")
    assert rig.tokens_created() == 2


def test_each_request_has_the_right_credential(rig: AppRig) -> None:
    """The App's own paths get its signature; repositories, their pages and new names get a token."""
    hosted = rig.github.host("acme/app")
    for number in range(1, 102):
        hosted.record(an_issue(number=number).opened())
    rig.github.users.add("mona")
    client = rig.client()
    assert client.get("/users/mona")[0]["login"] == "mona"
    assert client.get("/app")[0]["id"] == 12345
    page = client.page(f"{REPOSITORY}/issues", {"state": "all"})
    assert page.next is not None
    assert "/repositories/" in page.next
    assert len(client.page(page.next, {}).items) == 1
    assert len(client.page("/orgs/acme/repos", {}).items) == 1
    number = hosted.repository.id
    for target, suffix in (("acme/old/installation", "/installation"), ("acme/old$", "")):
        location = f"/repositories/{number}{suffix}"
        rig.server.fail_next(status=301, headers={"Location": location}, target=target)
    assert client.get("/repos/acme/old")[0]["full_name"] == "acme/app"


def test_a_signature_is_used_until_a_minute_before_its_end(rig: AppRig) -> None:
    """Signing takes longer than many requests, so one signature serves for eight minutes."""
    client = rig.client()
    for seconds in (0, 479, 1, 0):
        rig.advance(seconds)
        client.get("/app")
    used = [request.headers["authorization"] for request in rig.server.requests]
    assert used[0] == used[1] != used[2] == used[3]


def test_two_accounts_have_two_installations(rig: AppRig) -> None:
    """Each account's installation has its own token; a token of one cannot read the other's repositories."""
    rig.github.host("mona/own")
    rig.github.app.install("mona")
    client = rig.client()
    for path in (REPOSITORY, "/repos/mona/own", REPOSITORY):
        assert client.get(path)[0]["full_name"] == path.removeprefix("/repos/")
    assert rig.tokens_created() == 2


def test_the_key_s_file_is_read_for_every_signature(rig: AppRig) -> None:
    """A key that is rotated is used from the next signature on; a file that holds none is named."""
    client, key = rig.client(), rig.key_file.read_text()
    rig.key_file.write_text("none")
    with pytest.raises(Exception, match="GITHUB_APP_KEY_FILE holds more than one private key, or is not a"):
        client.get("/app")
    rig.key_file.write_text(f"\n{key}\n\n")
    assert client.get("/app")[0]["slug"] == "issuewire"
    rig.key_file.write_text(rsa_key())
    with pytest.raises(Exception, match="GITHUB_APP_KEY_FILE holds no key of the GitHub App"):
        client.get("/app")


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        (lambda rig: rig.key_file.write_text(""), "github_app_key_malformed", "is empty; store the private"),
        (lambda rig: rig.key_file.write_text(TOKEN), "github_app_key_malformed", "is not a private key"),
        (lambda rig: rig.key_file.write_text(other_key()), "github_app_key_malformed", "no RSA private key"),
        (
            lambda rig: rig.key_file.write_text(
                rig.key_file.read_text()[:600] + "\n-----END RSA PRIVATE KEY-----"
            ),
            "github_app_key_malformed",
            "store the .pem file",
        ),
        (lambda rig: rig.key_file.unlink(), "github_app_key_unreadable", "cannot be read"),
        (lambda rig: rig.github.app.installations.clear(), "app_not_installed", "not installed on acme/app"),
        (
            lambda rig: setattr(rig.installation, "repositories", {"acme/other"}),
            "app_not_installed",
            "install it from its page",
        ),
        (
            lambda rig: setattr(rig.installation, "suspended_at", "2026-03-01T00:00:00Z"),
            "app_suspended",
            "unsuspend the GitHub App",
        ),
        (
            lambda rig: setattr(rig, "skew", timedelta(minutes=5)),
            "app_clock_off",
            "GitHub's shows 2026-03-04 12:00",
        ),
        (lambda rig: setattr(rig, "skew", -timedelta(minutes=11)), "app_clock_off", "clock is wrong"),
    ],
)
def test_what_is_wrong_with_an_app_is_one_line_that_names_the_fix(rig, change, reason, text) -> None:
    """Each fault has a reason of its own and a sentence that says what to do, and shows no key."""
    client = rig.client()
    change(rig)
    with pytest.raises(Exception, match=text) as caught:
        client.get(REPOSITORY)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_a_clock_that_is_slightly_off_does_no_harm(rig: AppRig) -> None:
    """GitHub takes a signature of a clock that is half a minute ahead or some minutes behind."""
    for seconds in (30, -300):
        rig.skew = timedelta(seconds=seconds)
        assert rig.client().get(REPOSITORY)[0]["name"] == "app"


def test_a_key_of_another_app_is_refused(rig: AppRig) -> None:
    """The id of no App, or of another one than the key's, is named."""
    assert rig.error(app_id=7).reason == "app_refused"
    rig.key_file.write_text(rsa_key())
    error = rig.error()
    assert error.reason == "app_refused"
    assert "GITHUB_APP_KEY_FILE holds no key of the GitHub App" in str(error)


def test_without_an_installation_accounts_cannot_be_read(rig: AppRig) -> None:
    """An App that is installed nowhere has no token, also for what is public."""
    rig.github.app.installations.clear()
    assert "not installed anywhere" in str(rig.error("/users/mona"))


@pytest.mark.parametrize("body", ["[]", "{}", '{"id": "1"}', '"?"'])
def test_an_answer_of_another_shape_is_one_sentence(rig: AppRig, body: str) -> None:
    """What did not come from GitHub's API is reported as that."""
    rig.server.fail_next(status=200, body=body, target="/installation$")
    assert rig.error().reason == "github_odd"
