"""A temporary certificate authority and one certificate that it signs, in the folder of the test."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Certificates", "make_certificates"]

_AUTHORITY = """\
[req]
distinguished_name = name
prompt = no
x509_extensions = authority
[name]
CN = Issuewire test authority
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_LEAF = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Three PEM files: the authority that clients trust, and the certificate and key of the server."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, names: Sequence[str]) -> Certificates:
    """Create both in `folder`; names may start with `*.`. Raises CalledProcessError if openssl fails."""
    settings, extensions = folder / "authority.cnf", folder / "leaf.ext"
    settings.write_text(_AUTHORITY)
    extensions.write_text(_LEAF.format(names=", ".join(f"DNS:{name}" for name in names)))
    authority_key, key = _key(folder / "authority.key"), _key(folder / "leaf.key")
    authority, request, leaf = folder / "authority.pem", folder / "leaf.csr", folder / "leaf.pem"
    _openssl(
        "req", "-x509", "-new", "-key", authority_key, "-days", "2", "-config", settings, "-out", authority
    )
    _openssl("req", "-new", "-key", key, "-subj", "/CN=stand-in", "-config", settings, "-out", request)
    _openssl(
        *("x509", "-req", "-in", request, "-days", "2", "-set_serial", "1"),
        *("-CA", authority, "-CAkey", authority_key, "-extfile", extensions, "-out", leaf),
    )
    return Certificates(authority=authority, certificate=leaf, key=key)


def _key(path: Path) -> Path:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    return path


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
