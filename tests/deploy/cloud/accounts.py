"""IAM: service accounts and their policies."""

import re
from typing import Any

from tests.deploy.cloud.fields import apply_mask, page_of, unwrap_mask
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.policies import forget_account, serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State

__all__ = ["iam"]

iam = Routes("iam.googleapis.com", api="iam.googleapis.com")

# cloud.google.com/iam/docs/service-accounts-create
_NAME = re.compile(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])")


@iam.on("GET", "/v1/projects/{project}/serviceAccounts")
def list_accounts(state: State, request: Request) -> Any:
    """List them."""
    page, more = page_of(list(state.accounts.values()), request.query)
    return ({"accounts": page} if page else {}) | more


@iam.on("POST", "/v1/projects/{project}/serviceAccounts")
def create(state: State, request: Request) -> Any:
    """Create one; its name has 6 to 30 characters."""
    name = request.body.get("accountId", "")
    if not _NAME.fullmatch(name):
        raise ApiError(400, f'Invalid account id "{name}": 6 to 30 lower case letters, digits and dashes.')
    email = f"{name}@{state.project}.iam.gserviceaccount.com"
    if email in state.accounts:
        raise ApiError(409, f"Service account {name} already exists within project projects/{state.project}.")
    state.accounts[email] = request.body.get("serviceAccount", {}) | {
        "name": f"projects/{state.project}/serviceAccounts/{email}",
        "projectId": state.project,
        "uniqueId": str(10**20 + state.next_number()),
        "email": email,
        "etag": state.etag(),
    }
    return state.accounts[email]


@iam.on("GET", "/v1/projects/{project}/serviceAccounts/{email}")
def describe(state: State, _: Request, email: str) -> Any:
    """Show one."""
    _name(state, email)
    return state.accounts[email]


@iam.on("PATCH", "/v1/projects/{project}/serviceAccounts/{email}")
def update(state: State, request: Request, email: str) -> Any:
    """Change display name or description."""
    _name(state, email)
    paths = unwrap_mask(request.body.get("updateMask"))
    state.accounts[email] = apply_mask(state.accounts[email], request.body.get("serviceAccount", {}), paths)
    return state.accounts[email]


@iam.on("DELETE", "/v1/projects/{project}/serviceAccounts/{email}")
def delete(state: State, _: Request, email: str) -> Any:
    """Delete one; its bindings keep it under the name that IAM gives to deleted accounts."""
    resource = _name(state, email)
    forget_account(state, email, state.accounts.pop(email)["uniqueId"])
    state.policies.pop(resource, None)
    return {}


def _name(state: State, email: str) -> str:
    if email not in state.accounts:
        raise ApiError(404, f"Unknown service account: {email}")
    return f"projects/{state.project}/serviceAccounts/{email}"


serve_policies(iam, "/v1/projects/{project}/serviceAccounts/{email}", "account", _name)
