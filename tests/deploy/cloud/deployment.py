"""One deployment of a function: checks, build, start, and the operation with its result."""

import copy
import re
from typing import Any, Final

from tests.deploy.cloud.limits import check_limits
from tests.deploy.cloud.messages import ApiError
from tests.deploy.cloud.policies import require_account
from tests.deploy.cloud.run import add_revision, latest_to_all
from tests.deploy.cloud.secretmanager import find_version
from tests.deploy.cloud.sources import BuildFailed, check_source
from tests.deploy.cloud.state import State, members_of, now

__all__ = ["RUNTIMES", "deploy", "operation"]

RUNTIMES: Final = ("python310", "python311", "python312", "python313", "python314")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
# cloud.google.com/functions/docs/configuring/env-var: reserved names.
_RESERVED = re.compile(r"PORT|K_\w+|X_GOOGLE_\w*|FUNCTION_TARGET|FUNCTION_SIGNATURE_TYPE")
_REQUIRED_APIS = ("run.googleapis.com", "cloudbuild.googleapis.com", "artifactregistry.googleapis.com")
_BUILDER = "roles/cloudbuild.builds.builder"


def deploy(state: State, region: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Store a function and return an operation; after a failed build the last revision keeps serving."""
    function = copy.deepcopy(body)
    full = f"projects/{state.project}/locations/{region}/functions/{name}"
    config = function.setdefault("serviceConfig", {})
    config.setdefault("serviceAccountEmail", f"{state.number}-compute@developer.gserviceaccount.com")
    _check_apis(state)
    _check_settings(state, name, function)
    source = _source(state, function)
    try:
        _build(state, name, function, source)
        _check_start(state, config)
    except BuildFailed as error:
        # The requested settings are stored, labels included, while the last good revision keeps serving.
        failed: dict[str, Any] = {
            "name": full,
            "environment": "GEN_2",
            "state": "FAILED",
            "updateTime": now(),
        }
        failed["stateMessages"] = [{"severity": "ERROR", "type": "BuildFailed", "message": str(error)}]
        state.functions[name] = function | failed
        return operation(state, region, full, {}, error=str(error))
    state.zips.setdefault(name, []).append(source)
    service = add_revision(state, region, name, config)
    if config.pop("allTrafficOnLatestRevision", False):
        latest_to_all(state, name)
    config |= {
        "service": f"projects/{state.project}/locations/{region}/services/{name}",
        "uri": service["status"]["url"],
        "revision": service["status"]["latestReadyRevisionName"],
        "allTrafficOnLatestRevision": bool(service["spec"]["traffic"][0].get("latestRevision")),
    }
    config.setdefault("ingressSettings", "ALLOW_ALL")
    config.setdefault("timeoutSeconds", 60)
    config.setdefault("maxInstanceRequestConcurrency", 1)
    created = state.functions.get(name, {}).get("createTime", now())
    function |= {"name": full, "environment": "GEN_2", "state": "ACTIVE", "updateTime": now()}
    function |= {
        "createTime": created,
        "url": f"https://{region}-{state.project}.cloudfunctions.net/{name}",
    }
    function.pop("stateMessages", None)
    state.functions[name] = function
    typed = {"@type": "type.googleapis.com/google.cloud.functions.v2.Function"} | function
    return operation(state, region, full, typed)


def _check_apis(state: State) -> None:
    for api in _REQUIRED_APIS:
        if api not in state.enabled:
            raise ApiError(
                403, f"{api} has not been used in project {state.number} before or it is disabled."
            )


def _check_settings(state: State, name: str, function: dict[str, Any]) -> None:
    config, build = function["serviceConfig"], function.get("buildConfig", {})
    if build.get("runtime") not in RUNTIMES:
        raise ApiError(400, f"Invalid runtime {build.get('runtime')}.")
    for email in (config["serviceAccountEmail"], _build_account(state, build)):
        require_account(state, email)
    for key, value in function.get("labels", {}).items():
        if not (_LABEL_KEY.fullmatch(key) and _LABEL.fullmatch(value)):
            raise ApiError(400, f"Invalid label {key}={value}: at most 63 of a-z, 0-9, dash and underscore.")
    secrets = [entry["key"] for entry in config.get("secretEnvironmentVariables", [])]
    for variable in (*config.get("environmentVariables", {}), *secrets):
        # gcloud sets LOG_EXECUTION_ID itself.
        if not re.fullmatch(r"[A-Za-z_]\w*", variable) or _RESERVED.fullmatch(variable):
            raise ApiError(400, f"Invalid environment variable name {variable}.")
    check_limits(name, config)


def _source(state: State, function: dict[str, Any]) -> bytes:
    source = function["buildConfig"].get("source", {}).get("storageSource", {})
    key = f"{source.get('bucket')}/{source.get('object')}"
    if key not in state.objects:
        raise ApiError(400, f"The source gs://{key} was not found.")
    return state.objects[key]


def _build(state: State, name: str, function: dict[str, Any], source: bytes) -> None:
    if name in state.failing_builds:
        raise BuildFailed(state.failing_builds.pop(name))
    build = function["buildConfig"]
    email = _build_account(state, build)
    if email in state.accounts:
        _check_builder(state, email)
    check_source(source, build.get("entryPoint", name))


def _build_account(state: State, build: dict[str, Any]) -> str:
    default = f"{state.number}-compute@developer.gserviceaccount.com"
    return str(build.get("serviceAccount", default)).rpartition("/")[2]


def _check_builder(state: State, email: str) -> None:
    """Require the builder's role of a build account, or the three roles that it consists of."""
    policy, member = state.policies.get(f"projects/{state.project}", {}), f"serviceAccount:{email}"

    def has(*roles: str) -> bool:
        return any(member in members_of(policy, role) for role in roles)

    if has(_BUILDER, "roles/editor", "roles/owner"):
        return
    missing = [
        roles[0]
        for roles in (
            ("roles/logging.logWriter",),
            ("roles/artifactregistry.writer",),
            ("roles/storage.objectViewer", "roles/storage.objectAdmin", "roles/storage.admin"),
        )
        if not has(*roles)
    ]
    if missing:
        raise BuildFailed(f"Build failed: the build service account {email} lacks {', '.join(missing)}.")


def _check_start(state: State, config: dict[str, Any]) -> None:
    """Require that each secret version exists and that the account of the function may read it."""
    versions = [(entry["secret"], entry["version"]) for entry in config.get("secretEnvironmentVariables", [])]
    for volume in config.get("secretVolumes", []):
        versions += [(volume["secret"], version["version"]) for version in volume.get("versions", [])]
    for secret, version in versions:
        name = f"projects/{state.number}/secrets/{secret}/versions/{version}"
        try:
            is_enabled = find_version(state, secret, version)["state"] == "ENABLED"
        except ApiError:
            is_enabled = False
        if not is_enabled:
            raise BuildFailed(f"Secret {name} was not found")
        _check_reader(state, secret, name, config["serviceAccountEmail"])


def _check_reader(state: State, secret: str, version: str, email: str) -> None:
    readers = {
        member
        for resource in (f"projects/{state.project}/secrets/{secret}", f"projects/{state.project}")
        for member in members_of(state.policies.get(resource, {}), "roles/secretmanager.secretAccessor")
    }
    if f"serviceAccount:{email}" not in readers:
        raise BuildFailed(
            f"Permission denied on secret: {version} for Revision service account {email}. The service"
            " account used must be granted the 'Secret Manager Secret Accessor' role"
        )


def operation(
    state: State, region: str, target: str, response: dict[str, Any], *, error: str = ""
) -> dict[str, Any]:
    """Store a finished operation with its response or its error, and return it."""
    name = f"projects/{state.project}/locations/{region}/operations/operation-{state.next_number()}"
    metadata = {
        "@type": "type.googleapis.com/google.cloud.functions.v2.OperationMetadata",
        "createTime": now(),
        "target": target,
        "verb": "update",
        "apiVersion": "v2",
        "stages": [
            {"name": stage, "message": "", "state": "COMPLETE"} for stage in ("BUILD", "SERVICE", "TRIGGER")
        ],
    }
    result = {"error": {"code": 3, "message": error}} if error else {"response": response}
    state.operations[name] = {"name": name, "metadata": metadata, "done": True} | result
    return state.operations[name]
