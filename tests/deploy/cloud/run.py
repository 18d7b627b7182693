"""Cloud Run: the services and revisions behind the functions, their traffic and their policies."""

import hashlib
from typing import Any

from tests.deploy.cloud.messages import Answer, ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["add_revision", "application", "latest_to_all", "remove_service", "run", "run_name", "set_traffic"]

run = Routes("run.googleapis.com", "REGION-run.googleapis.com", api="run.googleapis.com")
application = Routes("HOST.run.app", "HOST.cloudfunctions.net", is_google=False)

_SERVICES = "/apis/serving.knative.dev/v1/namespaces/{project}/services"
_REVISIONS = "/apis/serving.knative.dev/v1/namespaces/{project}/revisions"


@run.on("GET", _SERVICES)
@run.on("GET", "/v1/projects/{project}/locations/{region}/services")
def list_services(state: State, _: Request, region: str = "-") -> Any:
    """List the services."""
    found = [
        service
        for service in state.services.values()
        if region in ("-", service["metadata"]["labels"]["cloud.googleapis.com/location"])
    ]
    return _list("ServiceList", found)


@run.on("GET", f"{_SERVICES}/{{service}}")
def describe(state: State, _: Request, service: str) -> Any:
    """Show a service."""
    return _service(state, service)


@run.on("PUT", f"{_SERVICES}/{{service}}")
def replace(state: State, request: Request, service: str) -> Any:
    """Replace the traffic of a service; its revisions come from deployments."""
    old = _service(state, service)
    version = request.body.get("metadata", {}).get("resourceVersion", old["metadata"]["resourceVersion"])
    if version != old["metadata"]["resourceVersion"]:
        raise ApiError(
            409, f"Conflict for resource '{service}': version '{version}' was specified.", "ABORTED"
        )
    set_traffic(state, service, request.body["spec"].get("traffic", []))
    old["metadata"]["generation"] += 1
    old["status"]["observedGeneration"] = old["metadata"]["generation"]
    return old


@run.on("DELETE", f"{_SERVICES}/{{service}}")
def delete(state: State, _: Request, service: str) -> Any:
    """Delete a service, but not its function."""
    remove_service(state, service)
    return {"kind": "Status", "status": "Success"}


@run.on("GET", _REVISIONS)
def list_revisions(state: State, request: Request) -> Any:
    """List revisions, newest first, of one service or of all."""
    wanted = request.query.get("labelSelector", "")
    found = [
        revision
        for revisions in state.revisions.values()
        for revision in reversed(revisions)
        if all(
            revision["metadata"]["labels"].get(name.strip()) == value.strip()
            for name, _, value in (part.partition("=") for part in wanted.split(",") if part)
        )
    ]
    return _list("RevisionList", found)


@run.on("GET", f"{_REVISIONS}/{{revision}}")
def describe_revision(state: State, _: Request, revision: str) -> Any:
    """Show a revision."""
    for revisions in state.revisions.values():
        for found in revisions:
            if found["metadata"]["name"] == revision:
                return found
    raise ApiError(404, f"Revision '{revision}' was not found.")


def run_name(state: State, region: str, service: str) -> str:
    """Return the full name of a service; 404 if it does not exist."""
    _service(state, service)
    return f"projects/{state.project}/locations/{region}/services/{service}"


serve_policies(run, "/v1/projects/{project}/locations/{region}/services/{service}", "service", run_name)
serve_policies(run, "/v2/projects/{project}/locations/{region}/services/{service}", "service", run_name)


@application.on("GET HEAD POST PUT", "/{rest*}")
@application.on("GET HEAD POST PUT", "/")
def call(state: State, request: Request, rest: str = "") -> Any:
    """Answer as the platform in front of a function does, and as ingest does to an unsigned request."""
    name = state.function_at(request.host)
    if name is None:
        return Answer(status=404, body=b"Page not found\n", headers={"Content-Type": "text/html"})
    if state.functions.get(name, {}).get("serviceConfig", {}).get("ingressSettings") != "ALLOW_ALL":
        return Answer(status=404, body=b"Page not found\n", headers={"Content-Type": "text/html"})
    if not state.is_public(name):
        return Answer(
            status=403, body=b"Your client does not have permission\n", headers={"Content-Type": "text/html"}
        )
    if request.method != "POST":
        return Answer(status=405, body=b"", headers={"Allow": "POST"})
    return Answer(status=401, body={"path": f"/{rest}"})


def add_revision(state: State, region: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Add a revision to a service, which is created with its first revision; return the service.

    The new revision gets the traffic unless that was pinned to another.
    """
    service = state.services.get(name) or _new_service(state, region, name)
    revisions = state.revisions.setdefault(name, [])
    suffix = hashlib.sha256(f"{name}-{len(revisions)}".encode()).hexdigest()[:3]
    revision = f"{name}-{len(revisions) + 1:05d}-{suffix}"
    metadata = service["metadata"]
    metadata["generation"] += 1
    template = {"metadata": {"name": revision}, "spec": _spec(name, config)}
    service["spec"]["template"] = template
    service["status"] |= {"latestReadyRevisionName": revision, "latestCreatedRevisionName": revision}
    labels = metadata["labels"] | {
        "serving.knative.dev/service": name,
        "serving.knative.dev/configuration": name,
        "serving.knative.dev/configurationGeneration": str(metadata["generation"]),
    }
    revisions.append(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Revision",
            "metadata": {
                "name": revision,
                "namespace": state.number,
                "labels": labels,
                "annotations": {},
                "creationTimestamp": now(),
                "generation": 1,
            },
            "spec": template["spec"],
            "status": {"conditions": _ready("Ready", "Active"), "imageDigest": "sha256:0"},
        }
    )
    state.services[name] = service
    set_traffic(state, name, service["spec"]["traffic"])
    return service


def latest_to_all(state: State, name: str) -> None:
    """Send all traffic to the newest revision, also to future ones."""
    set_traffic(state, name, [{"latestRevision": True, "percent": 100}])


def remove_service(state: State, name: str) -> None:
    """Delete a service with its revisions and its policy; 404 if it does not exist."""
    _service(state, name)
    del state.services[name]
    state.revisions.pop(name, None)
    for resource in [key for key in state.policies if key.endswith(f"/services/{name}")]:
        del state.policies[resource]


def _list(kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    # gcloud crashes on a list without metadata.
    return {"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": {}, "items": items}


def _service(state: State, name: str) -> dict[str, Any]:
    if name not in state.services:
        raise ApiError(404, f"Resource '{name}' of kind 'SERVICE' in region does not exist.")
    return state.services[name]


def _new_service(state: State, region: str, name: str) -> dict[str, Any]:
    short = hashlib.sha256(state.project.encode()).hexdigest()[:10]
    url = f"https://{name}-{short}-uc.a.run.app"
    urls = [f"https://{name}-{state.number}.{region}.run.app", url]
    urls.append(f"https://{region}-{state.project}.cloudfunctions.net/{name}")
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": state.number,
            "uid": f"uid-{name}",
            "generation": 0,
            "creationTimestamp": now(),
            "labels": {"cloud.googleapis.com/location": region, "goog-managed-by": "cloudfunctions"},
            "annotations": {"run.googleapis.com/urls": str(urls).replace("'", '"')},
        },
        "spec": {"template": {}, "traffic": [{"latestRevision": True, "percent": 100}]},
        "status": {"url": url, "address": {"url": url}},
    }


def _spec(name: str, config: dict[str, Any]) -> dict[str, Any]:
    limits = {"memory": config.get("availableMemory", "256M"), "cpu": config.get("availableCpu", "1")}
    variables = config.get("environmentVariables", {})
    return {
        "containerConcurrency": config.get("maxInstanceRequestConcurrency", 1),
        "timeoutSeconds": config.get("timeoutSeconds", 60),
        "serviceAccountName": config["serviceAccountEmail"],
        "containers": [
            {
                "name": "worker",
                "image": f"stand-in/{name}",
                "env": [{"name": key, "value": value} for key, value in sorted(variables.items())],
                "resources": {"limits": limits},
            }
        ],
    }


def set_traffic(state: State, name: str, targets: list[dict[str, Any]]) -> None:
    """Split the traffic of a service; 400 unless the percentages add up to 100 and the revisions exist."""
    service, known = state.services[name], [r["metadata"]["name"] for r in state.revisions[name]]
    if sum(target.get("percent", 0) for target in targets) != 100:
        raise ApiError(400, "spec.traffic: The sum of all traffic percentages must be 100.")
    for target in targets:
        if not target.get("latestRevision") and target.get("revisionName") not in known:
            raise ApiError(400, f"spec.traffic: Revision '{target.get('revisionName')}' does not exist.")
    service["spec"]["traffic"] = targets
    service["metadata"]["resourceVersion"] = state.etag()
    generation = service["metadata"]["generation"]
    service["status"] |= {
        "observedGeneration": generation,
        "conditions": _ready("Ready", "ConfigurationsReady", "RoutesReady"),
        "traffic": [
            target | {"revisionName": known[-1] if target.get("latestRevision") else target["revisionName"]}
            for target in targets
        ],
    }


def _ready(*kinds: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": "True", "lastTransitionTime": now()} for kind in kinds]
