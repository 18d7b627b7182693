"""GitHub in the stack: a stand-in with all issues, and the App on every account."""

from pathlib import Path

from local.github.github_app import APP_ID, private_key
from local.github.server import GitHubServer
from local.github.write_limits import WriteLimits

OWNER = "acme"  # has the repositories of the samples


def github_server(port: int) -> GitHubServer:
    """Return the stand-in, not started, as strict as GitHub with changes."""
    server = GitHubServer(port=port)
    server.github.installs_app = True
    server.github.write_limits = WriteLimits()
    return server


def environment(server: GitHubServer, folder: Path) -> dict[str, str]:
    """Return the settings of a function that asks GitHub; the App's key is a file in the folder."""
    key = folder / "github-app.pem"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(private_key())
    return {
        "GITHUB_API_URL": server.url,
        "GITHUB_APP_ID": str(APP_ID),
        "GITHUB_APP_KEY_FILE": str(key),
        "GITHUB_SOURCES": OWNER,
    }
