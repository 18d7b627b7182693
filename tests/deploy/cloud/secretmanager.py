"""Secret Manager: secrets, their versions and payloads."""

import base64
import re
from typing import Any

from tests.deploy.cloud.fields import apply_mask, page_of, unwrap_mask
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["find_version", "secretmanager"]

secretmanager = Routes("secretmanager.googleapis.com", api="secretmanager.googleapis.com")

_NAME = re.compile(r"[\w-]{1,255}", re.ASCII)
_MAX_PAYLOAD = 65_536  # bytes
_STATES = {"enable": "ENABLED", "disable": "DISABLED", "destroy": "DESTROYED"}


@secretmanager.on("GET", "/v1/projects/{project}/secrets")
def list_secrets(state: State, request: Request) -> Any:
    """List the secrets."""
    page, more = page_of(list(state.secrets.values()), request.query)
    return ({"secrets": page} if page else {}) | {"totalSize": len(state.secrets)} | more


@secretmanager.on("POST", "/v1/projects/{project}/secrets")
def create(state: State, request: Request) -> Any:
    """Create a secret without a version."""
    secret = request.query.get("secretId", "")
    if not _NAME.fullmatch(secret):
        raise ApiError(400, f"The provided Secret ID [{secret}] does not match the expected format.")
    if secret in state.secrets:
        raise ApiError(409, f"Secret [projects/{state.number}/secrets/{secret}] already exists.")
    if "replication" not in request.body:
        raise ApiError(400, "Field [secret.replication] is required.")
    state.secrets[secret] = request.body | {
        "name": f"projects/{state.number}/secrets/{secret}",
        "createTime": now(),
        "etag": state.etag(),
    }
    state.versions[secret] = []
    return state.secrets[secret]


@secretmanager.on("GET", "/v1/projects/{project}/secrets/{secret}")
def describe(state: State, _: Request, secret: str) -> Any:
    """Show a secret."""
    _name(state, secret)
    return state.secrets[secret]


@secretmanager.on("PATCH", "/v1/projects/{project}/secrets/{secret}")
def update(state: State, request: Request, secret: str) -> Any:
    """Change the fields that the mask names."""
    _name(state, secret)
    paths = unwrap_mask(request.query.get("updateMask"))
    state.secrets[secret] = apply_mask(state.secrets[secret], request.body, paths)
    return state.secrets[secret]


@secretmanager.on("DELETE", "/v1/projects/{project}/secrets/{secret}")
def delete(state: State, _: Request, secret: str) -> Any:
    """Delete a secret with its versions."""
    state.policies.pop(_name(state, secret), None)
    del state.secrets[secret], state.versions[secret]
    return {}


@secretmanager.on("POST", "/v1/projects/{project}/secrets/{secret}:addVersion")
def add_version(state: State, request: Request, secret: str) -> Any:
    """Add a version, which becomes the newest."""
    _name(state, secret)
    payload = request.body.get("payload", {}).get("data", "")
    if not 0 < len(base64.b64decode(payload)) <= _MAX_PAYLOAD:
        raise ApiError(400, "Secret Payload must have 1 to 65536 bytes.")
    version = {
        "name": f"projects/{state.number}/secrets/{secret}/versions/{len(state.versions[secret]) + 1}",
        "createTime": now(),
        "state": "ENABLED",
        "etag": state.etag(),
        "clientSpecifiedPayloadChecksum": "dataCrc32c" in request.body["payload"],
        "payload": payload,
    }
    state.versions[secret].append(version)
    return _shown(version)


@secretmanager.on("GET", "/v1/projects/{project}/secrets/{secret}/versions")
def list_versions(state: State, request: Request, secret: str) -> Any:
    """List the versions, newest first."""
    _name(state, secret)
    wanted = re.search(r"state[:=]\s*\"?(\w+)", request.query.get("filter", ""), re.IGNORECASE)
    found = [
        _shown(version)
        for version in reversed(state.versions[secret])
        if wanted is None or version["state"] == wanted[1].upper()
    ]
    page, more = page_of(found, request.query)
    return ({"versions": page} if page else {}) | {"totalSize": len(found)} | more


@secretmanager.on("GET", "/v1/projects/{project}/secrets/{secret}/versions/{version}")
def describe_version(state: State, _: Request, secret: str, version: str) -> Any:
    """Show a version without its payload."""
    return _shown(find_version(state, secret, version))


@secretmanager.on("GET", "/v1/projects/{project}/secrets/{secret}/versions/{version}:access")
def access(state: State, _: Request, secret: str, version: str) -> Any:
    """Show the payload of an enabled version."""
    found = find_version(state, secret, version)
    if found["state"] != "ENABLED":
        raise ApiError(
            400, f"Secret Version [{found['name']}] is in {found['state']} state.", "FAILED_PRECONDITION"
        )
    return {"name": found["name"], "payload": {"data": found["payload"]}}


@secretmanager.on("POST", "/v1/projects/{project}/secrets/{secret}/versions/{version}:{verb}")
def change_version(state: State, _: Request, secret: str, version: str, verb: str) -> Any:
    """Enable, disable or destroy a version."""
    found = find_version(state, secret, version)
    if verb not in _STATES:
        raise ApiError(404, f"Method {verb} not found.")
    if found["state"] == "DESTROYED":
        raise ApiError(400, f"Secret Version [{found['name']}] is in DESTROYED state.", "FAILED_PRECONDITION")
    found["state"] = _STATES[verb]
    if verb == "destroy":
        found["payload"] = ""
    return _shown(found)


def find_version(state: State, secret: str, version: str) -> dict[str, Any]:
    """Return a version by number or `latest` (the newest in any state); 404 if it does not exist."""
    _name(state, secret)
    versions = state.versions[secret]
    if version == "latest" and versions:
        return versions[-1]
    if version.isdecimal() and 0 < int(version) <= len(versions):
        return versions[int(version) - 1]
    name = f"projects/{state.number}/secrets/{secret}/versions/{version}"
    raise ApiError(404, f"Secret Version [{name}] not found or has no versions.")


def _shown(version: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name != "payload"}


def _name(state: State, secret: str) -> str:
    if secret not in state.secrets:
        raise ApiError(404, f"Secret [projects/{state.number}/secrets/{secret}] not found.")
    return f"projects/{state.project}/secrets/{secret}"


serve_policies(secretmanager, "/v1/projects/{project}/secrets/{secret}", "secret", _name)
