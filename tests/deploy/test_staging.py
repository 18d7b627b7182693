"""Exactly the staged files are uploaded, and they run with their own requirements."""

import hashlib
import hmac
import json
import stat
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import grpc
import pytest
import requests
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.processes import Child, accepts, free_port
from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from local.slack.server import SlackServer
from ops.send import payloads
from pipeline.delivery import Delivery
from tests.support.checkout import CHANNEL, FUNCTIONS, make_checkout, read_table, stage, staged_hash
from tests.support.messages import NOON, post_raw, push_of

OPTIONAL = {"digest", "reconcile", "triage"}
INSTALLED = [name for name in FUNCTIONS if name not in OPTIONAL]  # the scenario deploys these first
DELIVERY = Delivery(
    delivery_id="d-1",
    event="issues",
    body=b'{"action": "opened", "issue": {"number": 7}, "repository": {"id": 1}}',
    received_at=NOON,
)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir()
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_staged_folder_contains_the_function_and_nothing_else(tmp_path, name):
    """A staged folder has the function's modules, requirements, packages and files, and nothing else."""
    checkout = make_checkout(tmp_path)
    (checkout / "functions" / name / ".env").write_text("SLACK_TOKEN=x")
    (checkout / "functions" / name / "__pycache__").mkdir()
    stage(checkout, name, tmp_path / "staged")
    function = checkout / "functions" / name
    expected = {path.relative_to(function).as_posix(): path.read_bytes() for path in function.rglob("*.py")}
    expected["requirements.txt"] = (function / "requirements.txt").read_bytes()
    for package in read_table(checkout, name, "PACKAGES"):
        top = checkout / package.partition("/")[0]
        modules = [path for path in top.rglob("*.py") if path.is_relative_to(checkout / package)]
        modules.append(top / "__init__.py")
        expected |= {path.relative_to(checkout).as_posix(): path.read_bytes() for path in modules}
    for file in filter(None, read_table(checkout, name, "FILES")):
        staged, _, source = file.partition("=")
        expected[staged] = (checkout / source).read_bytes()
    if name == "notify_slack":
        assert {"routes.toml", "team.toml"} <= set(expected)
    assert files_of(tmp_path / "staged") == expected
    assert {"main.py", "pipeline/delivery.py"} <= set(expected)
    for path in (tmp_path / "staged").rglob("*"):
        assert not path.is_symlink()
        assert path.stat().st_mtime == 1767225600


def test_the_same_sources_have_the_same_hash(tmp_path):
    """The hash of the same sources does not depend on folder, time and umask."""
    checkout = make_checkout(tmp_path)
    once = staged_hash(checkout, "ingest", tmp_path / "one")
    for path in checkout.rglob("*.py"):
        path.touch()
        path.chmod(0o600)
    assert staged_hash(checkout, "ingest", tmp_path / "two") == once
    assert len(once) == 40
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "two").rglob("*") if path.is_file()}
    assert modes == {0o644}


@pytest.mark.parametrize(
    ("name", "change", "setting"),
    [
        ("ingest", "echo >>functions/ingest/main.py", {}),
        ("stream_bq", "touch pipeline/new.py", {}),
        ("stream_bq", "mv pipeline/once.py pipeline/one.py", {}),
        ("notify_slack", "echo >>config/routes.toml", {}),
        ("notify_slack", "", {"GITHUB_URL": "https://github.example.com"}),
        ("ingest", "", {"EVENTS": "issues"}),
        ("ingest", "", {"INGEST_MIN_INSTANCES": "1"}),
        ("stream_bq", "", {"STORE_PAYLOAD": "false"}),
        ("stream_bq", "", {"SUBSCRIBER_INGRESS": "all"}),
    ],
)
def test_another_source_or_setting_has_another_hash(tmp_path, name, change, setting):
    """A changed, added or renamed file and a changed setting lead to a deployment."""
    checkout = make_checkout(tmp_path)
    before = staged_hash(checkout, name, tmp_path / "before")
    subprocess.run(["bash", "-c", change], cwd=checkout, check=True)
    assert staged_hash(checkout, name, tmp_path / "after", **setting) != before


def test_files_of_another_function_make_no_difference(tmp_path):
    """A change of one function, or of its files, does not deploy the others."""
    checkout = make_checkout(tmp_path)
    before = staged_hash(checkout, "ingest", tmp_path / "before")
    (checkout / "functions/stream_bq/main.py").write_text("x")
    (checkout / "config/routes.toml").write_text("x")
    assert staged_hash(checkout, "ingest", tmp_path / "after", STORE_PAYLOAD="false") == before


def unzip(deployed, name: str, folder: Path) -> Path:
    """Unpack what gcloud has uploaded for a function into an empty folder."""
    (content,) = deployed.cloud.zips[name.replace("_", "-")]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(folder / name)
    return folder / name


@pytest.mark.parametrize("name", INSTALLED)
def test_gcloud_uploads_exactly_what_was_staged(deployed, tmp_path, name):
    """The archive contains the staged files byte for byte, and no others."""
    stage(deployed.checkout, name, tmp_path / "staged")
    assert files_of(unzip(deployed, name, tmp_path)) == files_of(tmp_path / "staged")


@pytest.fixture(scope="module")
def installed(deployed, tmp_path_factory):
    """Unpack each archive and install its own requirements beside it, all at once."""
    folder = tmp_path_factory.mktemp("installed")

    def install(name: str) -> Path:
        source = unzip(deployed, name, folder)
        subprocess.run([sys.executable, "-m", "venv", folder / f"venv-{name}"], check=True)
        pip = [folder / f"venv-{name}" / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile"]
        pip += ["--disable-pip-version-check", "--require-hashes", "-r", source / "requirements.txt"]
        outcome = subprocess.run(pip, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, outcome.stderr
        return source

    with ThreadPoolExecutor() as executor:
        return dict(zip(INSTALLED, executor.map(install, INSTALLED), strict=True))


@pytest.fixture
def boot(deployed, installed, tmp_path):
    """Start an uploaded function with its deployed variables and some changes; return URL and process."""
    children = []

    def start(name: str, **changes: str) -> tuple[str, Child]:
        port, source = free_port(), installed[name]
        config = deployed.cloud.state.functions[name.replace("_", "-")]["serviceConfig"]
        script = source.parent / f"venv-{name}" / "bin/functions-framework"
        command = f"cd {source} && exec {script} --target {name} --host 127.0.0.1 --port {port}"
        environment = config["environmentVariables"] | {"PYTHONPATH": "", "PYTHONNOUSERSITE": "1"} | changes
        child = Child(name=name, command=["sh", "-c", command], log=tmp_path / "log", environment=environment)
        child.start()
        children.append(child)
        child.wait_until(lambda: accepts(port))
        return f"http://127.0.0.1:{port}", child

    yield start
    for child in children:
        child.stop()


def test_the_uploaded_ingest_publishes_a_delivery(boot, deployed):
    """The archive of ingest, alone with its own requirements, verifies a signed delivery and publishes it."""
    variables = deployed.cloud.state.functions["ingest"]["serviceConfig"]["environmentVariables"]
    pubsub, vault = PubSubServer(), SecretManagerServer()
    try:
        host, endpoint = pubsub.start(), vault.start()
        vault.add_version(variables["WEBHOOK_SECRET"], b"secret")
        with grpc.insecure_channel(host) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            publisher.create_topic(name=variables["PUBSUB_TOPIC"])
        url, _ = boot("ingest", PUBSUB_EMULATOR_HOST=host, SECRET_MANAGER_ENDPOINT=endpoint)
        body = DELIVERY.body
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": payloads.delivery_id("staged"),
            "X-Hub-Signature-256": signature(body, b"secret"),
        }
        assert requests.post(url, data=body, headers=headers, timeout=30).status_code == 202
        assert requests.post(url, data=body + b" ", headers=headers, timeout=30).status_code == 401
    finally:
        pubsub.stop()
        vault.stop()


def signature(body: bytes, secret: bytes) -> str:
    """Return GitHub's signature."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def test_the_uploaded_notify_slack_posts(boot, tmp_path):
    """The archive of notify_slack, alone with its own requirements, posts with the token of its file."""
    channels = {CHANNEL: "issues"}
    token = tmp_path / "token"
    token.write_text("xoxb-test")
    with SlackServer(channels=channels, token="xoxb-test") as slack:
        url, child = boot("notify_slack", SLACK_TOKEN_FILE=str(token), SLACK_API_URL=slack.url)
        answer = post_raw(url, push_of(DELIVERY))
        assert answer.status_code == 200, child.log.read_text()
        assert json.loads(child.log.read_text().splitlines()[-1])["delivery_id"] == "d-1"


def test_the_uploaded_stream_bq_stores(boot, warehouse):
    """The archive of stream_bq, alone with its own requirements, stores a delivery as one row."""
    dataset = warehouse.dataset(views=())
    table = f"local-dev.{dataset}.events"
    url, child = boot("stream_bq", BIGQUERY_EMULATOR_HOST=warehouse.url, BIGQUERY_TABLE=table)
    assert post_raw(url, push_of(DELIVERY)).status_code == 200, child.log.read_text()
    assert warehouse.query("SELECT delivery_id FROM ${DATASET}.events", dataset) == [{"delivery_id": "d-1"}]
