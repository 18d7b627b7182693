"""Resource Manager, Service Usage and Billing: the project, its policy and its enabled APIs."""

from typing import Any

from tests.deploy.cloud.fields import page_of
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["billing", "resources", "usage"]

# These three need not be enabled in the project: gcloud calls them on behalf of its own project.
resources = Routes("cloudresourcemanager.googleapis.com")
usage = Routes("serviceusage.googleapis.com")
billing = Routes("cloudbilling.googleapis.com")

_KNOWN = {
    f"{name}.googleapis.com"
    for name in (
        *("artifactregistry", "bigquery", "bigquerystorage", "cloudbilling", "cloudbuild", "cloudfunctions"),
        *("cloudresourcemanager", "cloudscheduler", "compute", "containerregistry", "eventarc", "iam"),
        *("iamcredentials", "logging", "monitoring", "pubsub", "run", "secretmanager", "serviceusage"),
        *("storage", "storage-api", "storage-component"),
    )
}
# Enabling one of these enables its dependencies.
_DEPENDENCIES = {
    "cloudfunctions.googleapis.com": {"storage.googleapis.com"},
    "run.googleapis.com": {"iam.googleapis.com", "iamcredentials.googleapis.com"},
    "cloudbuild.googleapis.com": {"iam.googleapis.com", "logging.googleapis.com", "pubsub.googleapis.com"},
}
_BATCH = 20  # services in one call


def _project(state: State) -> str:
    return f"projects/{state.project}"


serve_policies(resources, "/v1/projects/{project}", "project", _project)
serve_policies(resources, "/v3/projects/{project}", "project", _project)


@resources.on("GET", "/v1/projects/{project}")
def describe(state: State, _: Request) -> Any:
    """Show the project in the form of Resource Manager v1."""
    return {
        "projectId": state.project,
        "projectNumber": state.number,
        "name": state.project,
        "lifecycleState": "ACTIVE",
        "createTime": "2026-01-01T00:00:00Z",
    }


@resources.on("GET", "/v3/projects/{project}")
def describe_newer(state: State, _: Request) -> Any:
    """Show the project in the form of Resource Manager v3."""
    return {"name": f"projects/{state.number}", "projectId": state.project, "state": "ACTIVE"}


@billing.on("GET", "/v1/projects/{project}/billingInfo")
def billing_info(state: State, _: Request) -> Any:
    """Show whether billing is enabled."""
    account = "billingAccounts/000000-000000-000000" if state.billing_enabled else ""
    return {
        "name": f"projects/{state.project}/billingInfo",
        "projectId": state.project,
        "billingAccountName": account,
        "billingEnabled": state.billing_enabled,
    }


@usage.on("POST", "/v1/projects/{project}/services:batchEnable")
def enable_several(state: State, request: Request) -> Any:
    """Enable up to 20 APIs."""
    names = request.body.get("serviceIds", [])
    if not 0 < len(names) <= _BATCH:
        raise ApiError(400, f"A batch enables 1 to {_BATCH} services, not {len(names)}.")
    return _enable(state, names)


@usage.on("POST", "/v1/projects/{project}/services/{name}:enable")
def enable(state: State, _: Request, name: str) -> Any:
    """Enable one API."""
    return _enable(state, [name])


@usage.on("GET", "/v1/projects/{project}/services/{name}")
def service(state: State, _: Request, name: str) -> Any:
    """Show whether an API is enabled."""
    return _service(state, name)


@usage.on("GET", "/v1/projects/{project}/services")
def services(state: State, request: Request) -> Any:
    """List all APIs or the enabled ones."""
    names = sorted(state.enabled if "ENABLED" in request.query.get("filter", "") else _KNOWN)
    page, more = page_of(names, request.query)
    return {"services": [_service(state, name) for name in page]} | more


@usage.on("POST", "/v1beta1/projects/{project}/services/{name}:generateServiceIdentity")
def identity(state: State, _: Request, name: str) -> Any:
    """Return the service agent of an API."""
    agent = name.removesuffix(".googleapis.com")
    email = f"service-{state.number}@gcp-sa-{agent}.iam.gserviceaccount.com"
    return _done({"email": email, "uniqueId": str(10**20 + len(agent))}, "ServiceIdentity")


@usage.on("GET", "/{version}/operations/{name*}")
def operation(_state: State, _: Request, version: str, name: str) -> Any:
    """Show an operation, which has ended at once."""
    return {"name": f"operations/{name}", "done": True, "response": {"version": version}}


def _enable(state: State, names: list[str]) -> dict[str, Any]:
    if unknown := sorted(set(names) - _KNOWN):
        raise ApiError(403, f"Not found or permission denied for service(s): {', '.join(unknown)}.")
    if not state.billing_enabled:
        raise ApiError(
            400, f"Billing account for project '{state.number}' is not found.", "FAILED_PRECONDITION"
        )
    for name in names:
        state.enabled |= {name} | _DEPENDENCIES.get(name, set())
    return _done({"services": [_service(state, name) for name in names]}, "BatchEnableServicesResponse")


def _done(response: dict[str, Any], kind: str) -> dict[str, Any]:
    typed = {"@type": f"type.googleapis.com/google.api.serviceusage.v1.{kind}"} | response
    return {"name": "operations/acat.done", "done": True, "response": typed}


def _service(state: State, name: str) -> dict[str, Any]:
    return {
        "name": f"projects/{state.number}/services/{name}",
        "config": {"name": name, "title": name},
        "state": "ENABLED" if name in state.enabled else "DISABLED",
        "parent": f"projects/{state.number}",
        "checkTime": now(),
    }
