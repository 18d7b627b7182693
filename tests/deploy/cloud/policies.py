"""IAM policies on any resource: read, write with an etag, and IAM's own checks."""

from collections.abc import Callable
from typing import Any

from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.roles import ROLES
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["forget_account", "read_policy", "require_account", "serve_policies", "write_policy"]

_KINDS = ("user", "group", "domain", "serviceAccount", "principal", "principalSet", "deleted")


def serve_policies(
    routes: Routes, template: str, kind: str, name: Callable[..., str], *, slash: str = ":"
) -> None:
    """Register getIamPolicy, setIamPolicy and testIamPermissions under a template.

    name: takes the state and the template's parts, returns the full name of the resource or raises 404.
    """

    @routes.on("GET POST", f"{template}{slash}getIamPolicy")
    def read(state: State, _: Request, **parts: str) -> Any:
        return read_policy(state, name(state, **parts))

    @routes.on("POST", f"{template}{slash}setIamPolicy")
    def write(state: State, request: Request, **parts: str) -> Any:
        return write_policy(state, name(state, **parts), kind, request.body)

    @routes.on("POST", f"{template}{slash}testIamPermissions")
    def test(state: State, request: Request, **parts: str) -> Any:
        name(state, **parts)
        return {"permissions": request.body.get("permissions", [])}


def read_policy(state: State, resource: str) -> dict[str, Any]:
    """Return the policy of a resource; a policy that was never set has only an etag."""
    return state.policies.get(resource, {"version": 1, "etag": "ACAB"})


def write_policy(state: State, resource: str, kind: str, body: Any) -> dict[str, Any]:
    """Store a policy; 409 for a stale etag, 400 for members and roles that do not exist."""
    policy = body.get("policy")
    if not isinstance(policy, dict):
        raise ApiError(400, "policy: is required")
    old = read_policy(state, resource)
    if policy.get("etag", old["etag"]) != old["etag"]:
        raise ApiError(
            409,
            "There were concurrent policy changes. Please retry the whole read-modify-write with"
            " exponential backoff.",
            "ABORTED",
        )
    bindings = [_binding(state, kind, binding) for binding in policy.get("bindings", [])]
    stored = {"version": 1, "etag": state.etag(), "bindings": [binding for binding in bindings if binding]}
    state.policies[resource] = stored
    return stored


def require_account(state: State, email: str, status: int = 400) -> None:
    """Refuse a service account that does not exist or that IAM does not know yet."""
    left = state.iam_delays.get(email, 0)
    if left:
        state.iam_delays[email] = left - 1
    if left or not _exists(state, email):
        raise ApiError(status, f"Service account {email} does not exist.")


def forget_account(state: State, email: str, unique_id: str) -> None:
    """Rename a deleted account in every policy, as IAM does; a new account of its name gets no roles."""
    old, new = f"serviceAccount:{email}", f"deleted:serviceAccount:{email}?uid={unique_id}"
    for policy in state.policies.values():
        for binding in policy.get("bindings", []):
            binding["members"] = [new if member == old else member for member in binding["members"]]


def now_stamped(resource: dict[str, Any]) -> dict[str, Any]:
    """Add createTime."""
    return resource | {"createTime": now()}


def _binding(state: State, kind: str, binding: dict[str, Any]) -> dict[str, Any]:
    role = binding.get("role", "")
    if role not in ROLES[kind] and not role.startswith(
        (f"projects/{state.project}/roles/", "organizations/")
    ):
        raise ApiError(400, f"Role {role} is not supported for this resource.")
    for member in binding.get("members", []):
        _check_member(state, member)
    members = list(dict.fromkeys(binding.get("members", [])))
    condition = {"condition": binding["condition"]} if binding.get("condition") else {}
    return {"role": role, "members": members} | condition if members else {}


def _check_member(state: State, member: str) -> None:
    if member in ("allUsers", "allAuthenticatedUsers"):
        return
    kind, _, name = member.partition(":")
    if kind not in _KINDS or not name:
        raise ApiError(400, f"Invalid member: {member}")
    if kind == "serviceAccount":
        require_account(state, name)


def _exists(state: State, email: str) -> bool:
    agents = {
        f"{state.number}-compute@developer.gserviceaccount.com": "compute.googleapis.com",
        f"{state.number}@cloudbuild.gserviceaccount.com": "cloudbuild.googleapis.com",
        f"service-{state.number}@gcp-sa-pubsub.iam.gserviceaccount.com": "pubsub.googleapis.com",
        f"service-{state.number}@gcf-admin-robot.iam.gserviceaccount.com": "cloudfunctions.googleapis.com",
        f"service-{state.number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com": (
            "cloudscheduler.googleapis.com"
        ),
    }
    return email in state.accounts or agents.get(email) in state.enabled
