"""A certificate authority, the certificates that it signs, and the places where OpenSSL looks for it."""

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
_PEM = Encoding.PEM


class Authority:
    """Signs certificates; no system trusts it. Its name is in lower case, which makes the hash simple."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = x509.KeyUsage(
            **dict.fromkeys(("key_cert_sign", "crl_sign"), True),
            **dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment"), False),
            **dict.fromkeys(("data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False),
        )
        self._certificate = (
            self._builder(self._name, self._key.public_key(), datetime.now(UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Return the authority's own certificate."""
        return self._certificate.public_bytes(_PEM)

    @property
    def hashed_name(self) -> str:
        """Return the file's name in a hashed directory, as `openssl rehash` makes it.

        https://docs.openssl.org/master/man1/openssl-rehash/
        """
        digest = hashlib.sha1(self._name.public_bytes()[2:], usedforsecurity=False).digest()
        return f"{int.from_bytes(digest[:4], 'little'):08x}.0"

    def sign(self, folder: Path, host: str, *, expired: bool = False) -> Path:
        """Return a file with a certificate of `host` and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC) - (10 * _DAY if expired else 0 * _DAY)
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host[0].isdigit():
            names = [x509.IPAddress(IPv4Address(host))]
        certificate = (
            self._builder(_name("server"), key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = folder / f"{host}-{expired}.pem"
        private = key.private_bytes(_PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(_PEM) + private)
        return file

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
    ) -> x509.CertificateBuilder:
        issuer = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
