"""Which certificate authorities a TLS connection trusts: the system's, each read when a server needs it.

Reading the system's whole bundle takes 45 ms of CPU, for which the first card would wait. In a directory
prepared by `openssl rehash`, OpenSSL finds a certificate by the hash of its subject's name:
https://docs.openssl.org/master/man3/X509_LOOKUP_hash_dir/
"""

import os
import re
import ssl
from pathlib import Path

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def context() -> ssl.SSLContext:
    """Return a client's context that trusts and verifies as `ssl.create_default_context()` does.

    The hashed directory is used alone if it has as much as the bundle. If it has not, or if SSL_CERT_FILE or
    SSL_CERT_DIR is set, the context is the ordinary one.
    """
    paths = ssl.get_default_verify_paths()
    chosen = paths.openssl_cafile_env in os.environ or paths.openssl_capath_env in os.environ
    if not chosen and paths.capath and paths.cafile and _is_complete(paths.capath, paths.cafile):
        return ssl.create_default_context(capath=paths.capath)
    return ssl.create_default_context()


def _is_complete(directory: str, bundle: str) -> bool:
    """Return whether the directory has at least as many hashed names as the bundle has certificates."""
    try:
        with os.scandir(directory) as entries:
            hashed = sum(_HASHED.fullmatch(entry.name) is not None for entry in entries)
        return hashed >= Path(bundle).read_bytes().count(b"-----BEGIN ") > 0
    except OSError:  # OpenSSL ignores what it cannot read
        return False
