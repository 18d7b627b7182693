"""Helpers for the tests of the stand-in: its addresses, one request, one run of a tool, one deployment."""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
import zipfile
from io import BytesIO
from typing import Any

import pytest

from tests.deploy.cloud.cloud import Cloud

PROJECT, REGION = "acme-issues", "us-central1"
DOMAIN = f"{PROJECT}.iam.gserviceaccount.com"
AGENT = "service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
ACCOUNTS = f"https://iam.googleapis.com/v1/projects/{PROJECT}/serviceAccounts"
SECRETS = f"https://secretmanager.googleapis.com/v1/projects/{PROJECT}/secrets"
FUNCTIONS = f"https://cloudfunctions.googleapis.com/v2/projects/{PROJECT}/locations/{REGION}/functions"
SERVICE = f"https://run.googleapis.com/v1/projects/{PROJECT}/locations/{REGION}/services/ingest"
HOOKS = "https://api.github.com/repos/acme/app/hooks"
ALERTS = f"https://monitoring.googleapis.com/v3/projects/{PROJECT}/alertPolicies"
REPLICATION = {"replication": {"automatic": {}}}


def account(name: str) -> str:
    """Return a service account as a member."""
    return f"serviceAccount:{name}@{DOMAIN}"


def topic(name: str) -> str:
    """Return the address of a topic."""
    return f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/topics/{name}"


def subscription(name: str) -> str:
    """Return the address of a subscription."""
    return f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/subscriptions/{name}"


def secret(name: str, rest: str = "") -> str:
    """Return the address of a secret."""
    return f"{SECRETS}/{name}{rest}"


def binding(role: str, *members: str) -> dict[str, Any]:
    """Return the body that sets a policy with one binding."""
    return {"policy": {"bindings": [{"role": role, "members": list(members)}]}}


def send(cloud: Cloud, method: str, url: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    """Send one request through the proxy, by default with a valid token; return status and JSON."""
    environment = cloud.environment
    context = ssl.create_default_context(cafile=environment["CURL_CA_BUNDLE"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": environment["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    default = cloud.state.github.token if "//api.github.com/" in url else cloud.state.access_token
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token or default}"},
        method=method,
    )
    try:
        with opener.open(request, timeout=30) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            content = error.read()
        return error.code, json.loads(content) if content.startswith(b"{") else content


def run_tool(cloud: Cloud, command: str, *, stdin: str = "", fails: str = "") -> str:
    """Run a command as deploy.sh does; with `fails` it must fail with this text."""
    arguments = shlex.split(command)
    require_tool(arguments[0])
    outcome = subprocess.run(
        arguments,
        env=cloud.environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    output = re.sub(r"\s+", " ", outcome.stdout + outcome.stderr)
    assert (outcome.returncode != 0) == bool(fails), output
    assert fails in output
    return outcome.stdout


def require_tool(name: str) -> None:
    """Skip the test without the tool; in CI, fail."""
    if shutil.which(name):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing, and CI must run these tests")
    pytest.skip(f"{name} is not installed")


def upload(cloud: Cloud, main: str = "def ingest(request): pass\n", **files: str) -> dict[str, Any]:
    """Upload a source; return its location."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("main.py", main)
        for name, text in {"requirements": "functions-framework\n", **files}.items():
            archive.writestr(f"{name}.txt" if name == "requirements" else f"{name}.py", text)
    place = {"bucket": "gcf-v2-uploads-test", "object": f"upload-{cloud.state.next_number()}.zip"}
    cloud.state.objects["/".join(place.values())] = content.getvalue()
    return {"storageSource": place}


def function_body(cloud: Cloud, source: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """Return the body that creates the function ingest."""
    return {
        "buildConfig": {
            "runtime": config.pop("runtime", "python313"),
            "entryPoint": "ingest",
            "serviceAccount": f"projects/{PROJECT}/serviceAccounts/build-fn@{DOMAIN}",
            "source": source or upload(cloud),
        },
        "labels": config.pop("labels", {}),
        "serviceConfig": {"serviceAccountEmail": f"ingest-fn@{DOMAIN}"} | config,
    }


def deploy(cloud: Cloud, body: dict[str, Any]) -> tuple[int, str]:
    """Create or update the function ingest; return status and error message, empty without one."""
    if "ingest" in cloud.state.functions:
        mask = "buildConfig.source,labels,serviceConfig"
        status, answer = send(cloud, "PATCH", f"{FUNCTIONS}/ingest?updateMask={mask}", body)
    else:
        status, answer = send(cloud, "POST", f"{FUNCTIONS}?functionId=ingest", body)
    return status, answer.get("error", {}).get("message", "")
