"""Cloud Functions and Cloud Run of the stand-in: limits, builds, revisions and what a caller is answered."""

import pytest

from tests.deploy.cloud.client import (
    DOMAIN,
    FUNCTIONS,
    REPLICATION,
    SECRETS,
    SERVICE,
    account,
    binding,
    deploy,
    function_body,
    secret,
    send,
    upload,
)


def test_a_deployment_becomes_a_revision_and_a_failed_one_does_not(ready):
    """A failed build is stored as FAILED and the old revision keeps serving; deletion removes the service."""
    assert deploy(ready, function_body(ready, labels={"source-sha": "one"})) == (200, "")
    assert ready.state.functions["ingest"]["state"] == "ACTIVE"
    ready.faults.fail_build("ingest", "Build failed: injected")
    assert "injected" in deploy(ready, function_body(ready, labels={"source-sha": "two"}))[1]
    assert ready.state.functions["ingest"]["state"] == "FAILED"
    assert len(ready.state.revisions["ingest"]) == 1
    deploy(ready, function_body(ready))
    assert len(ready.state.revisions["ingest"]) == 2
    assert send(ready, "DELETE", f"{FUNCTIONS}/ingest")[0] == 200
    assert (ready.state.functions, ready.state.services, ready.state.revisions) == ({}, {}, {})


def test_a_function_reads_a_secret_only_with_the_role(ready):
    """The account of a function that mounts a secret needs secretAccessor on it."""
    send(ready, "POST", f"{SECRETS}?secretId=s", REPLICATION)
    send(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": "eA=="}})
    volumes = [{"secret": "s", "versions": [{"version": "latest", "path": "s"}]}]
    assert "Permission denied on secret" in deploy(ready, function_body(ready, secretVolumes=volumes))[1]
    send(
        ready,
        "POST",
        secret("s", ":setIamPolicy"),
        binding("roles/secretmanager.secretAccessor", account("ingest-fn")),
    )
    assert deploy(ready, function_body(ready, secretVolumes=volumes)) == (200, "")


def test_a_private_function_answers_403_and_a_public_one_reaches_ingest(ready):
    """Without a signature ingest answers 401, and 405 to any method except POST."""
    deploy(ready, function_body(ready))
    url = ready.state.functions["ingest"]["serviceConfig"]["uri"]
    assert send(ready, "GET", url)[0] == 403
    send(ready, "POST", f"{SERVICE}:setIamPolicy", binding("roles/run.invoker", "allUsers"))
    assert [send(ready, method, url, body)[0] for method, body in (("GET", None), ("POST", {}))] == [405, 401]


@pytest.mark.parametrize(
    ("config", "status", "message"),
    [
        ({}, 200, ""),
        ({"runtime": "python39"}, 400, "Invalid runtime"),
        (
            {"availableCpu": ".5", "availableMemory": "512Mi", "maxInstanceRequestConcurrency": 8},
            400,
            "cpu < 1",
        ),
        ({"availableMemory": "512Mi", "maxInstanceRequestConcurrency": 8}, 400, "cpu < 1"),
        ({"availableCpu": "0.333", "availableMemory": "1Gi"}, 400, "needs cpu >= 0.5"),
        ({"maxInstanceCount": 1, "minInstanceCount": 2}, 400, "max instances"),
        ({"labels": {"source-sha": "a" * 64}}, 400, "Invalid label"),
        ({"environmentVariables": {"PORT": "1"}}, 400, "Invalid environment variable"),
        ({"serviceAccountEmail": f"nobody@{DOMAIN}"}, 400, "does not exist"),
        ({"secretVolumes": [{"secret": "no", "versions": [{"version": "latest"}]}]}, 200, "was not found"),
        (
            {"secretEnvironmentVariables": [{"key": "A", "secret": "no", "version": "1"}]},
            200,
            "was not found",
        ),
    ],
)
def test_a_function_outside_the_limits_is_not_deployed(ready, config, status, message):
    """Runtime, size, labels, variables, account and secrets are checked as in a real deployment."""
    answered, error = deploy(ready, function_body(ready, **config))
    assert answered == status
    assert message in error
    assert bool(ready.zips["ingest"]) == (not message)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"main": "def other(request): pass\n"}, "a function named 'ingest'"),
        ({"row": "def broken(:\n"}, "Error compiling './row.py'"),
        ({"requirements": "flask==3.1 --hash=sha256:00\n"}, "--require-hashes"),
        ({"requirements": "functions-framework==3 \\\n  --hash=sha256:00\nflask==3.1\n"}, "--require-hashes"),
    ],
)
def test_a_source_that_cannot_start_fails_the_build(ready, files, message):
    """A source that the buildpack would refuse fails the deployment's operation."""
    assert message in deploy(ready, function_body(ready, upload(ready, **files)))[1]


def test_a_build_account_without_roles_fails_the_build(ready):
    """A build account needs the builder's role in the project, or the three roles that it consists of."""
    ready.state.policies.clear()
    assert (
        "lacks roles/logging.logWriter, roles/artifactregistry.writer"
        in deploy(ready, function_body(ready))[1]
    )
