"""The environment in which the unmodified gcloud, bq and curl connect to the stand-in only."""

import json
import os
import sqlite3
from pathlib import Path

__all__ = ["make_environment"]

ACCOUNT = "deployer@example.com"
# Variables of the caller's shell that would reach the real cloud or change the tools.
_UNWANTED = ("CLOUDSDK_", "GOOGLE_", "GCLOUD_", "GITHUB_", "GH_", "CURL_", "BIGQUERY", "PUBSUB_")


def make_environment(folder: Path, *, port: int, authority: Path, project: str, token: str) -> dict[str, str]:
    """Write gcloud's configuration into `folder`, signed in as ACCOUNT; return all variables to run with."""
    config = folder / "gcloud"
    (config / "configurations").mkdir(parents=True)
    (config / "active_config").write_text("default")
    (config / "configurations" / "config_default").write_text(
        f"[core]\naccount = {ACCOUNT}\nproject = {project}\n"
    )
    _sign_in(config)
    (folder / "token").write_text(token)
    (folder / "home").mkdir()
    proxy = f"http://127.0.0.1:{port}"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED) or name == "CLOUDSDK_PYTHON"
    }
    return {
        **kept,
        **dict.fromkeys(
            ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), proxy
        ),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        **dict.fromkeys(
            ("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
            str(authority),
        ),
        "HOME": str(folder / "home"),
        "CLOUDSDK_CONFIG": str(config),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(folder / "token"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
    }


def _sign_in(config: Path) -> None:
    # `gcloud auth list` reads this file; the token itself comes from the access token file.
    credential = {
        "type": "authorized_user",
        "client_id": "stand-in",
        "client_secret": "stand-in",
        "refresh_token": "stand-in",
    }
    connection = sqlite3.connect(config / "credentials.db")
    with connection:
        connection.execute("CREATE TABLE credentials (account_id TEXT PRIMARY KEY, value BLOB)")
        connection.execute("INSERT INTO credentials VALUES (?, ?)", (ACCOUNT, json.dumps(credential)))
    connection.close()
