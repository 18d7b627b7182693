"""Only GitHub's signature of the exact bytes passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.signature import sign, verify, well_formed

# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
HEADER = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_githubs_own_example() -> None:
    """The example of GitHub's documentation is signed and verified."""
    assert sign(BODY, SECRET) == HEADER
    assert verify(BODY, HEADER, [SECRET])


def test_any_of_the_secrets_may_sign() -> None:
    """During a rotation a delivery that any of the secrets signed passes, whatever their order."""
    for secrets in ([b"a", SECRET], [SECRET, b"a"], [b"a", b"b", SECRET]):
        assert verify(BODY, HEADER, secrets)
    assert not verify(BODY, HEADER, [b"a", b"b"])
    assert not verify(BODY, HEADER, [])


def test_a_blank_secret_is_skipped() -> None:
    """An empty secret is skipped: any caller could sign with it."""
    assert not verify(BODY, sign(BODY, b""), [b""])
    assert verify(BODY, HEADER, [b"", SECRET])


@pytest.mark.parametrize("changed", [BODY + b"\n", BODY[:-1], b"", BODY.swapcase()])
def test_every_byte_is_signed(changed: bytes) -> None:
    """A body that differs in any byte does not pass."""
    assert not verify(changed, HEADER, [SECRET])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256",
        HEADER.removeprefix("sha256="),
        HEADER.upper(),
        "SHA256=" + HEADER[7:],
        "sha256=" + HEADER[7:].upper(),
        "sha1=" + "a" * 40,
        "sha1=" + "a" * 64,
        "sha512=" + "a" * 128,
        HEADER + "\n",
        HEADER + " ",
        " " + HEADER,
        HEADER + "0",
        HEADER[:-1],
        HEADER[:-1] + "é",
        HEADER[:-1] + "\u0664",
        HEADER + "," + HEADER,
        HEADER + ", " + HEADER,
    ],
)
def test_only_githubs_form(header: str | None) -> None:
    """A header of another form is recognised before a secret is read."""
    assert not well_formed(header)


def test_githubs_form() -> None:
    """`sha256=` and 64 lower-case hexadecimal digits are GitHub's form."""
    assert well_formed(HEADER)


@given(header=st.text(), body=st.binary(), secret=st.binary())
def test_any_header_gets_an_answer(header: str, body: bytes, secret: bytes) -> None:
    """No other header passes, and none raises an error."""
    assert not verify(body, header, [secret])
    assert isinstance(well_formed(header), bool)


@given(body=st.binary(), secret=st.binary(min_size=1))
def test_what_is_signed_passes(body: bytes, secret: bytes) -> None:
    """Any bytes signed with any secret pass with that secret."""
    assert well_formed(sign(body, secret))
    assert verify(body, sign(body, secret), [secret])
