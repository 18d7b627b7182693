"""Cloud Functions, second generation: upload, build, deploy, delete; every operation ends at once."""

import re
from typing import Any

from tests.deploy.cloud.deployment import RUNTIMES, deploy, operation
from tests.deploy.cloud.fields import apply_mask, page_of, unwrap_mask
from tests.deploy.cloud.messages import Answer, ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.run import remove_service
from tests.deploy.cloud.state import State

__all__ = ["builds", "functions", "storage"]

functions = Routes("cloudfunctions.googleapis.com", api="cloudfunctions.googleapis.com")
builds = Routes("cloudbuild.googleapis.com", api="cloudbuild.googleapis.com")
storage = Routes("storage.googleapis.com", is_google=False)  # the signature is in the URL

_PLACE = "/v2/projects/{project}/locations/{region}"
_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


@functions.on("GET", f"{_PLACE}/runtimes")
def runtimes(_state: State, _: Request, region: str) -> Any:
    """List the Python runtimes."""
    return {
        "runtimes": [
            {"name": name, "displayName": f"{name} in {region}", "stage": "GA", "environment": "GEN_2"}
            for name in RUNTIMES
        ]
    }


@functions.on("GET", "/v1/projects/{project}/locations")
@functions.on("GET", "/v2/projects/{project}/locations")
def locations(state: State, _: Request) -> Any:
    """List a few regions."""
    regions = ("europe-west1", "us-central1")
    return {
        "locations": [
            {"name": f"projects/{state.project}/locations/{region}", "locationId": region}
            for region in regions
        ]
    }


@functions.on("GET", "/v1/projects/{project}/locations/{region}/functions")
def list_first_generation(_state: State, _: Request, region: str) -> Any:
    """List no function: there are none of the first generation."""
    return {"functions": []} if region else {}


@functions.on("GET", "/v1/projects/{project}/locations/{region}/functions/{name}")
def describe_first_generation(_state: State, _: Request, region: str, name: str) -> Any:
    """List no function: there are none of the first generation."""
    raise ApiError(404, f"Function {name} in region {region} does not exist.")


@functions.on("GET", f"{_PLACE}/functions")
def list_functions(state: State, request: Request, region: str) -> Any:
    """List the functions of one region, or of all for `-`."""
    found = [f for f in state.functions.values() if region in ("-", f["name"].split("/")[3])]
    page, more = page_of(found, request.query)
    return ({"functions": page} if page else {}) | more


@functions.on("GET", f"{_PLACE}/functions/{{name}}")
def describe(state: State, _: Request, region: str, name: str) -> Any:
    """Show a function."""
    _full_name(state, region, name)
    return state.functions[name]


@functions.on("POST", f"{_PLACE}/functions:generateUploadUrl")
def upload_url(state: State, _: Request, region: str) -> Any:
    """Return the address for the upload of a source."""
    bucket, key = f"gcf-v2-uploads-{state.number}-{region}", f"upload-{state.next_number()}.zip"
    return {
        "uploadUrl": f"https://storage.googleapis.com/{bucket}/{key}?X-Goog-Signature=stand-in",
        "storageSource": {"bucket": bucket, "object": key},
    }


@storage.on("PUT", "/{bucket}/{key}")
def upload(state: State, request: Request, bucket: str, key: str) -> Any:
    """Store an uploaded source."""
    if not (bucket.startswith("gcf-v2-uploads-") and "X-Goog-Signature" in request.query):
        raise ApiError(403, "Access denied.")
    state.objects[f"{bucket}/{key}"] = request.content
    return Answer(body=b"")


@functions.on("POST", f"{_PLACE}/functions")
def create(state: State, request: Request, region: str) -> Any:
    """Create a function."""
    name = request.query.get("functionId", "")
    if not _NAME.fullmatch(name):
        raise ApiError(400, f"Invalid function name {name}: lower case letters, digits and dashes.")
    if name in state.functions:
        raise ApiError(409, f"Could not create resource projects/{state.project}/.../{name}: it exists.")
    return deploy(state, region, name, request.body)


@functions.on("PATCH", f"{_PLACE}/functions/{{name}}")
def update(state: State, request: Request, region: str, name: str) -> Any:
    """Deploy a function again, with the fields that the mask names."""
    _full_name(state, region, name)
    paths = unwrap_mask(request.query.get("updateMask"))
    return deploy(state, region, name, apply_mask(state.functions[name], request.body, paths))


@functions.on("DELETE", f"{_PLACE}/functions/{{name}}")
def delete(state: State, _: Request, region: str, name: str) -> Any:
    """Delete a function with its Cloud Run service."""
    full = _full_name(state, region, name)
    del state.functions[name]
    if name in state.services:
        remove_service(state, name)
    return operation(state, region, full, {})


@functions.on("GET", f"{_PLACE}/operations/{{name}}")
def describe_operation(state: State, _: Request, region: str, name: str) -> Any:
    """Show an operation."""
    full = f"projects/{state.project}/locations/{region}/operations/{name}"
    if full not in state.operations:
        raise ApiError(404, f"Operation {full} not found.")
    return state.operations[full]


@builds.on("GET", "/v1/projects/{project}/locations/{region}/defaultServiceAccount")
def build_account(state: State, _: Request, region: str) -> Any:
    """Return the default build account."""
    email = f"{state.number}-compute@developer.gserviceaccount.com"
    return {
        "name": f"projects/{state.project}/locations/{region}/defaultServiceAccount",
        "serviceAccountEmail": f"projects/{state.project}/serviceAccounts/{email}",
    }


def _full_name(state: State, region: str, name: str) -> str:
    full = f"projects/{state.project}/locations/{region}/functions/{name}"
    if state.functions.get(name, {}).get("name") != full:
        raise ApiError(404, f"Resource '{full}' was not found")
    return full


serve_policies(functions, f"{_PLACE}/functions/{{name}}", "function", _full_name)
