"""deploy.sh against shims of the cloud's tools: every command, every way to fail, no secret anywhere."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.ingest.webhook_secrets import FORCED_SECONDS
from tests.deploy.checkout import ROOT
from tests.deploy.shims import Shims

COMMANDS = [
    *("all", "setup", "ingest", "notify_slack", "stream_bq", "check", "secrets", "secrets webhook"),
    *("secrets slack", "secrets show", "secrets rotate acme/app", "webhook acme/app", "alerts", "status"),
    *("rollback ingest", "destroy", "destroy --data"),
]
HOOK = {"id": 7, "config": {"url": "https://ingest-abc-uc.a.run.app/"}}
GOOD = "0123456789abcdef-good-secret"


@pytest.fixture
def world(tmp_path: Path) -> Shims:
    """Open a project without anything in it."""
    return Shims(tmp_path)


def answered(body: object, status: int = 200) -> str:
    """Return what curl prints for an answer."""
    return f"{json.dumps(body)}\n{status}"


def on_github(world: Shims, *statuses: int, hooks: list[object] | None = None) -> None:
    """Let GitHub have these hooks (by default none) and ingest answer pings so, for ever as the last."""
    world.answer("curl *GET*/hooks[?]*", answered(hooks or []))
    world.answer("curl *POST*/hooks", answered(HOOK, 201))
    world.answer("curl *PATCH*/hooks/7", answered(HOOK))
    world.answer("curl *POST*/pings", "\n204")
    last = len(statuses)
    cases = "".join(
        f"{number if number < last else '*'}) status={status} ;;\n"
        for number, status in enumerate(statuses, 1)
    )
    # Each ping is one delivery more, with its number as id.
    world.script(
        "curl *GET*/deliveries*",
        r"""pings=$(tr '\036' '\n' <"$SHIMS/log" | grep -c 'POST.*/pings' || true)
"""
        f"case $pings in\n0) printf '[]\\n200' && exit ;;\n{cases}esac\n"
        r"""printf '[{"id": %s, "event": "ping", "status_code": %s}]\n200' "$pings" "$status"
""",
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_help_names_every_command(world):
    """`help`, no word at all and --help in any place show all commands, without any setting."""
    shown = world.run("help", PROJECT="")
    assert (shown.status, shown.err) == (0, "")
    assert world.run("", PROJECT="").out == world.run("ingest --help", PROJECT="").out == shown.out
    for command in COMMANDS:
        assert f"  {command.split(maxsplit=1)[0]} " in shown.out
    assert world.calls == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("deploy", "there is no command 'deploy'; see ./deploy.sh help"),
        ("ingest now", "'ingest' takes no argument, but got: now"),
        ("all --force", "'all' takes no argument, but got: --force"),
        ("webhook", "webhook takes OWNER/REPO or an organisation"),
        ("webhook https://github.com/acme/app", "is neither OWNER/REPO nor an organisation"),
        ("rollback", "rollback takes one of ingest, notify_slack, stream_bq"),
        ("rollback notify-slack", "rollback takes one of"),
        ("rollback ''", "rollback takes one of"),
        ("secrets rotate", "takes every OWNER/REPO"),
        ("secrets rotate acme/app a/b/c", "'a/b/c' is neither"),
        ("secrets slack xoxb-1-private", "a secret is given on stdin"),
        ("secrets ''", "secrets takes nothing, webhook, slack"),
        ("destroy --all", "takes no argument"),
    ],
)
def test_a_wrong_word_stops_before_any_call(world, words, said):
    """What is not understood is told in one line; nothing has happened, and no secret is repeated."""
    done = world.run(words, stdin="")
    assert (done.status, world.calls) == (1, [])
    assert said in done.err
    assert "private" not in done.err + done.out
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_calls_nothing(world, command):
    """--dry-run needs no tool, no secret and no answer; it makes no call and leaves no file."""
    done = world.run(f"{command} --dry-run", GITHUB_TOKEN=GOOD)
    assert (done.status, world.calls) == (0, [])
    assert GOOD not in done.out + done.err
    assert not (world.checkout / ".local").exists()
    if command not in ("check", "status", "secrets show"):
        assert re.match(r"(gcloud|bq|curl) ", done.out)


def test_a_dry_run_shows_what_a_first_run_changes(world):
    """The commands that --dry-run prints are those that a run in an empty project makes."""
    shown = world.run("setup --dry-run").out.replace("PROJECT_NUMBER", "123456789012").splitlines()
    world.run("setup")
    written = [
        line for line in world.lines if re.search(r" (create|enable|query|add-iam-policy-binding)\b", line)
    ]
    assert [line.replace("\\", "") for line in shown] == written
    assert len(written) > 20


def test_all_goes_in_the_safe_order(world):
    """Subscriptions before functions, roles before builds, subscribers with their endpoints before ingest."""
    done = world.run("all")
    assert (done.status, done.out) == (0, "Webhook URL: https://ingest-abc-uc.a.run.app/\n")
    order = [
        *("services enable", "service-accounts create issuewire-build", "topics create github-events"),
        *("topics create github-events-dead", "subscriptions create github-events-dead-hold"),
        *("subscriptions create stream-bq", "secrets create slack-token", "query --use_legacy_sql=false"),
        *("bigquery.dataEditor", "storage.objectViewer", "versions list slack-token"),
        *("functions deploy notify-slack", "run services add-iam-policy-binding notify-slack"),
        *("subscriptions update notify-slack --push-endpoint", "functions deploy ingest"),
    ]
    places = [next(n for n, line in enumerate(world.lines) if words in line) for words in order]
    assert places == sorted(places)
    ingest = places[-1]
    assert next(n for n, line in enumerate(world.lines) if "update stream-bq --push" in line) < ingest
    script = world.find("query --use_legacy_sql")[0].stdin
    assert "`github.events`" in script
    assert "${" not in script


def test_notify_slack_is_one_instance_whose_threads_share_slacks_limits(world):
    """Its pace and pauses are kept in memory: a second instance would not know of them."""
    world.run("notify_slack")
    (deployed,) = world.find("functions deploy notify-slack")
    for flag in ("--max-instances=1", "--concurrency=8", "--cpu=1", "--timeout=60s"):
        assert f" {flag} " in deployed.line
    assert "@THREADS=8" in deployed.line


@pytest.mark.parametrize("name", ["notify-slack", "stream-bq"])
def test_a_failed_subscriber_leaves_ingest_as_it_was(world, name):
    """The other subscriber is finished, ingest is not touched, and the last line says what to repeat."""
    world.answer(f"gcloud functions deploy {name} *", "", "ERROR: Build failed\n", status=1)
    done = world.run("all")
    assert done.status == 1
    assert world.find("functions deploy ingest") == []
    function = name.replace("-", "_")
    assert "ERROR: Build failed" in done.err
    assert f"deploy.sh: failed while: function {function}" in done.err
    assert done.err.splitlines()[-1] == (
        f"deploy.sh: {function} failed (see above); ingest was left as it was."
        " Mend the cause and repeat: ./deploy.sh all"
    )
    other = {"notify-slack": "stream-bq", "stream-bq": "notify-slack"}[name]
    assert world.find(f"subscriptions update {other} --push-endpoint")
    assert world.find(f"subscriptions update {name} --push-endpoint") == []


@pytest.mark.parametrize(
    ("call", "doing"),
    [
        ("gcloud services enable *", "enable the APIs"),
        ("gcloud iam service-accounts list *", "service accounts: one per function"),
        ("gcloud iam service-accounts create issuewire-push *", "service accounts: one per function"),
        ("gcloud pubsub topics list *", "topics"),
        ("gcloud pubsub subscriptions list *", "subscriptions, which hold"),
        ("gcloud pubsub subscriptions create notify-slack *", "subscriptions, which hold"),
        ("gcloud secrets list *", "places of the secrets"),
        ("bq *query*", "BigQuery: dataset github"),
        ("gcloud secrets add-iam-policy-binding slack-token *", "access: each account"),
        ("bq *add-iam-policy-binding*", "access: each account"),
        ("gcloud projects get-iam-policy *", "access: each account"),
        ("gcloud secrets versions list *", "access: each account"),
        ("gcloud functions list *", "function ingest"),
        ("gcloud functions deploy ingest *", "function ingest"),
    ],
)
def test_whatever_call_fails_nothing_comes_after_it(world, call, doing):
    """A run stops at the first failed call, with the tool's words, the step and what to repeat."""
    world.answer(call, "", "ERROR: no luck today\n", status=1)
    done = world.run("ingest")
    assert done.status == 1
    *_, words, step, repeat = done.err.splitlines()
    assert words == "ERROR: no luck today"
    assert step.startswith(f"deploy.sh: failed while: {doing}")
    assert repeat.endswith("Mend the cause and repeat: ./deploy.sh ingest")
    pattern = re.escape(call).replace(r"\*", ".*")
    assert re.fullmatch(pattern, world.lines[-1])


def test_a_second_run_builds_nothing(world):
    """What is deployed with the same sources and flags is skipped, and its traffic is looked at."""
    world.run("stream_bq")
    mark = re.search(r"source-sha=(\w{40}) ", world.find("functions deploy")[0].line)
    world.forget()
    world.answer(
        "gcloud functions list *", f"stream-bq|{mark[1]}|ACTIVE|https://stream-bq-abc-uc.a.run.app\n"
    )
    done = world.run("stream_bq")
    assert "stream_bq is unchanged" in done.err
    assert world.find("functions deploy") + world.find("update-traffic") == []
    world.answer(
        "gcloud functions list *", f"stream-bq|{mark[1]}|FAILED|https://stream-bq-abc-uc.a.run.app\n"
    )
    world.run("stream_bq")
    assert len(world.find("functions deploy stream-bq")) == 1


def test_deploying_after_a_rollback_serves_the_newest_again(world):
    """An unchanged function whose traffic was pinned gets all traffic back on its newest revision."""
    world.run("ingest")
    mark = re.search(r"source-sha=(\w{40}) ", world.find("functions deploy")[0].line)
    world.answer("gcloud functions list *", f"ingest|{mark[1]}|ACTIVE|https://ingest-abc-uc.a.run.app\n")
    world.answer("gcloud run services describe ingest *", "|100\n")
    assert world.run("ingest").status == 0
    assert "gcloud run services update-traffic ingest --region=us-central1 --to-latest" in world.lines
    assert world.find("functions deploy ingest")[1:] == []


def test_a_deployment_that_broke_off_before_github_was_let_in_is_mended(world):
    """GitHub is let in only once the function is made: the repeated command opens it, built or not."""
    world.run("ingest")
    mark = re.search(r"source-sha=(\w{40}) ", world.find("functions deploy")[0].line)
    world.answer("gcloud functions list *", f"ingest|{mark[1]}|ACTIVE|https://ingest-abc-uc.a.run.app\n")
    world.forget()
    assert world.run("ingest").status == 0
    assert world.find("functions deploy") == []
    [opened] = world.find("run services add-iam-policy-binding ingest")
    assert opened.line.endswith("--member=allUsers --role=roles/run.invoker")


@pytest.mark.parametrize(
    "words",
    [
        "missing permission on the build service account: build@p",
        "Permission denied on secret: projects/1/secrets/slack-token",
        "Permission 'iam.serviceAccounts.actAs' denied on service account x (or it may not exist).",
    ],
)
def test_a_role_that_is_not_heard_of_yet_is_waited_for(world, words):
    """A build that begins before every server knows the new roles is tried again, and a message says why."""
    world.answer("gcloud functions deploy notify-slack *", "", f"ERROR: {words}\n", status=1, times=1)
    done = world.run("notify_slack")
    assert (done.status, "waiting for IAM to learn of the new account or role" in done.err) == (0, True)
    assert len(world.find("functions deploy notify-slack")) == 2


def test_a_rollback_goes_to_the_revision_before_the_one_that_serves(world):
    """Two rollbacks go back by two; before the oldest there is none."""
    world.answer("gcloud run revisions list *", "ingest-3\ningest-2\ningest-1\n")
    for serving, previous in (("ingest-3", "ingest-2"), ("ingest-2", "ingest-1")):
        world.answer("gcloud run services describe *", f"{serving}\n")
        assert world.run("rollback ingest").status == 0
        assert world.lines[-1].endswith(f"--to-revisions={previous}=100")
    world.answer("gcloud run services describe *", "ingest-1\n")
    done = world.run("rollback ingest")
    assert (done.status, "has no revision before" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("stream-bq|_deleted-topic_||90|604800s|never|10s|600s|github-events-dead|100|||", "_deleted-topic_"),
        (
            'stream-bq|github-events|attributes.event="x"|90|604800s|never|10s|600s|github-events-dead|100|||',
            "filter",
        ),
    ],
)
def test_a_subscription_that_hears_something_else_stops_the_run(world, row, said):
    """A subscription of a deleted topic, or with a filter, would lose events in silence."""
    world.answer("gcloud pubsub subscriptions list *", f"{row}\n")
    done = world.run("setup")
    assert done.status == 1
    assert said in done.err
    assert "gcloud pubsub subscriptions delete stream-bq" in done.err


def test_a_subscription_with_other_settings_is_set_right_and_read_back(world):
    """Settings that somebody changed are restored; if they do not take, the run stops."""
    world.answer("gcloud pubsub subscriptions list *", "stream-bq|github-events||10|600s||||||||\n")
    done = world.run("setup")
    (update,) = world.find("subscriptions update stream-bq")
    for flag in ("--ack-deadline=90", "--max-delivery-attempts=100", "--expiration-period=never"):
        assert flag in update.line
    assert (done.status, "did not take its settings" in done.err) == (1, True)


def test_an_endpoint_that_does_not_take_stops_the_run(world):
    """The push endpoint is read back and compared."""
    rows = "stream-bq|github-events||90|604800s|never|10s|600s|github-events-dead|100|||\n"
    hold = "github-events-dead-hold|github-events-dead||60|604800s|never|||||||\n"
    world.answer(
        "gcloud pubsub subscriptions list *", rows + rows.replace("stream-bq", "notify-slack") + hold
    )
    done = world.run("stream_bq")
    assert (done.status, "stream-bq did not take its push endpoint" in done.err) == (1, True)


def test_iam_that_lags_is_waited_for(world):
    """A new account that IAM does not know yet is tried again with a message; any other refusal is not."""
    lag = "ERROR: Service account issuewire-ingest@acme-issues.iam.gserviceaccount.com does not exist.\n"
    world.answer("gcloud pubsub topics add-iam-policy-binding github-events *", "", lag, status=1, times=2)
    done = world.run("setup")
    assert done.status == 0
    assert done.err.count("waiting for IAM to learn of the new account") == 2
    world.answer(
        "gcloud pubsub topics add-iam-policy-binding *", "", "ERROR: topic does not exist\n", status=1
    )
    done = world.run("setup")
    assert (done.status, "waiting" in done.err) == (1, False)


def test_iam_that_never_learns_ends_the_run(world):
    """Patience ends, with IAM's own words."""
    lag = "ERROR: service account x does not exist.\n"
    world.answer("gcloud pubsub topics add-iam-policy-binding *", "", lag, status=1)
    done = world.run("setup", PATIENCE="1", PAUSE="0.3")
    assert (done.status, lag in done.err) == (1, True)


def test_a_call_that_hangs_is_ended(world):
    """No call lasts longer than its limit, what it had started included."""
    world.script("gcloud services enable *", 'echo $$ >"$SHIMS/pid"; sleep 60')
    done = world.run("setup", CALL_SECONDS="1")
    assert done.status == 1
    assert "no answer within 1 s: gcloud services enable" in done.err
    assert not is_alive(int((world.folder / "pid").read_text()))


@pytest.mark.parametrize(
    ("sent", "step"),
    [
        (signal.SIGINT, "gcloud services enable *"),
        (signal.SIGTERM, "gcloud functions deploy *"),
        (signal.SIGHUP, "bq *query*"),
        (signal.SIGINT, "gcloud functions deploy *"),
    ],
)
def test_a_signal_ends_what_was_started(world, sent, step):
    """Ctrl-C in the middle leaves no process and no file behind, and says what to repeat."""
    world.script(step, 'echo $$ >"$SHIMS/pid.$$"; sleep 60')
    process = world.start("all")
    needed = 2 if "functions" in step else 1
    until(lambda: len([p for p in world.folder.glob("pid.*") if p.read_text().endswith("\n")]) == needed)
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does
    else:
        process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + sent
    assert "deploy.sh: stopped while: " in err
    assert err.endswith("Repeat: ./deploy.sh all\n")
    assert [is_alive(int(path.read_text())) for path in world.folder.glob("pid.*")] == [False] * needed
    assert list(world.temporary.iterdir()) == []
    assert world.find("functions deploy ingest") == []


def test_two_runs_do_not_meet(world):
    """While one run is at work in a checkout a second one stops at once; looking is allowed."""
    world.script("gcloud services enable *", 'touch "$SHIMS/busy"; sleep 60')
    process = world.start("setup")
    try:
        until((world.folder / "busy").exists)
        second = world.run_beside("alerts")
        assert (second.status, "another ./deploy.sh is at work" in second.err) == (1, True)
        assert world.run_beside("check").status == 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert world.run("secrets show").status == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PROJECT=acme-issues\n", []),
        ("\ufeffPROJECT=acme-issues\r\nREGION=europe-west1\r\n\r\n", ["--region=europe-west1"]),
        ("  # a comment\n\n PROJECT=acme-issues \nDATASET='issues'\n", ["acme-issues.issues.events"]),
        ('PROJECT="acme-issues"\nEVENTS=issues,issue_comment', ["@EVENTS=issues,issue_comment"]),
        ("PROJECT=acme-issues\nDOCS_URL=https://example.com/?a=b=\n", []),
    ],
)
def test_the_settings_file_is_read(world, text, words):
    """Comments, empty lines, spaces, quotes, a byte order mark and Windows line ends do no harm."""
    (world.checkout / "deploy.env").write_text(text)
    environment = world.environment
    del environment["PROJECT"]
    done = subprocess.run(
        [world.checkout / "deploy.sh", "--dry-run", "all"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "projects/acme-issues/topics/github-events" in done.stdout
    for word in words:
        assert word in done.stdout.replace("\\", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PROJECT = x\n", "deploy.env, line 1: write NAME=value, without spaces"),
        ("\nexport PROJECT=x\n", "deploy.env, line 2: write NAME=value"),
        ("xoxb-private\n", "deploy.env, line 1: write NAME=value"),
        ("SLACK_TOKEN=xoxb-private\n", "deploy.env, line 1: there is no setting 'SLACK_TOKEN'"),
        ("REGION=a\nREGION=b\n", "deploy.env, line 2: REGION is set twice"),
        ('REGION="us-central1\n', "the quotes around the value of REGION do not match"),
        ("REGION=us central\n", "REGION is no region such as europe-west1"),
        ("REGION=$(touch bad)\n", "REGION is no region"),
        ("GITHUB_API_URL=http://github.example.com\n", "GITHUB_API_URL is no https URL"),
        ("GITHUB_URL=https://a@b\n", "GITHUB_URL is no URL"),
        ("EVENTS=issues, pull_request\n", "EVENTS is no comma list"),
        ("ROUTES_FILE=missing.toml\n", "ROUTES_FILE names no file"),
        ("ALERT_CHANNELS=me@example.com\n", "ALERT_CHANNELS is no comma list"),
    ],
)
def test_a_wrong_setting_is_told_before_any_call(world, text, said):
    """The file is not executed; what is wrong is named by line or by setting, never by value."""
    (world.checkout / "deploy.env").write_text(text)
    done = world.run("all")
    assert (done.status, world.calls) == (1, [])
    assert said in done.err
    assert "private" not in done.err
    assert not (world.checkout / "bad").exists()


def test_all_wrong_settings_are_told_together(world):
    """One run names every problem, a missing project among them; the environment goes before the file."""
    (world.checkout / "deploy.env").write_text("PROJECT=acme-issues\nSTORE_PAYLOAD=true\n")
    done = world.run("all", PROJECT="", STORE_PAYLOAD="maybe", INGEST_MIN_INSTANCES="-1", DATASET="a-b")
    assert done.status == 1
    assert [line.split()[1] for line in done.err.splitlines()] == [
        *("PROJECT", "DATASET", "STORE_PAYLOAD", "INGEST_MIN_INSTANCES", "set"),
    ]


@pytest.mark.parametrize("command", ["all", "notify_slack"])
def test_wrong_routes_are_told_before_any_call(world, command):
    """A function with them would refuse all that comes; every problem is named with its line."""
    routes = world.checkout / "config" / "routes.toml"
    routes.write_text('[[route]]\nchannels = ["C0123456789"]\nlabel = ["bug"]\nformat = "ful"\n')
    done = world.run(command)
    assert (done.status, world.calls) == (1, [])
    assert "line 3: route 1: unknown key 'label', did you mean 'labels_any'?" in done.err
    assert "line 4: route 1: format must be one of compact, full" in done.err
    assert "config/routes.toml is wrong (see above); nothing was changed" in done.err
    assert "Traceback" not in done.err


def test_the_example_names_every_setting(world):
    """deploy.env.example holds each setting with its default, and is itself a valid deploy.env."""
    example = (ROOT / "deploy.env.example").read_text()
    settings = re.search(r"SETTINGS=\((.*?)\)", (ROOT / "deploy/settings.sh").read_text(), re.DOTALL)
    assert set(settings[1].split()) == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    plain = world.run("all --dry-run").out
    (world.checkout / "deploy.env").write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    full = world.run("all --dry-run").out
    scratch = re.compile(r"--source=\S+")
    assert scratch.sub("", full) == scratch.sub("", plain)


@pytest.mark.parametrize(
    ("version", "said"),
    [("470.0.0", "gcloud 470.0.0 is older than 492"), ("", "does not tell its version"), ("HEAD", "HEAD")],
)
def test_an_old_gcloud_is_told(world, version, said):
    """A gcloud that lacks what is needed is named before anything is changed."""
    world.answer("gcloud version *", f"{version}\n")
    done = world.run("all")
    assert (done.status, said in done.err, world.find("enable")) == (1, True, [])


@pytest.mark.parametrize(
    ("call", "out", "status", "said"),
    [
        ("gcloud auth list *", "", 0, "nobody is logged in; run gcloud auth login"),
        (
            "gcloud projects describe *",
            "",
            1,
            "project acme-issues does not exist, or deployer@example.com may",
        ),
        ("gcloud billing *", "False", 0, "billing is off for acme-issues"),
    ],
)
def test_check_looks_before_anything_is_changed(world, call, out, status, said):
    """Who, where and who pays are asked first, by `check` and by every command that deploys."""
    world.answer(call, out, status=status)
    for command in ("check", "ingest"):
        done = world.run(command)
        assert (done.status, said in done.err) == (1, True)
    assert world.find("enable") == []


def test_check_forgives_who_may_not_see_the_billing(world):
    """Whoever may deploy need not be allowed to see the billing account."""
    world.answer("gcloud billing *", "", "ERROR: PERMISSION_DENIED", status=1)
    done = world.run("check")
    assert (done.status, "billing unknown" in done.err, "PERMISSION" in done.err) == (0, True, False)


def test_a_missing_tool_is_named(world):
    """A tool that is not installed is named in one line."""
    (world.folder / "bin" / "bq").unlink()
    folders = world.environment["PATH"].split(":")
    path = world.folder / "path"
    path.mkdir()
    for folder in reversed(folders):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name not in ("bq", "gh"):
                with contextlib.suppress(FileExistsError):
                    (path / program.name).symlink_to(program)
    done = world.run("all", PATH=str(path))
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert "bq is missing; install it" in done.err


def test_the_first_secret_is_made_and_never_shown(world):
    """`secrets` makes 64 hex digits, gives them to gcloud on stdin alone, and keeps what is there."""
    world.answer("gcloud secrets versions list *", "")
    done = world.run("secrets")
    (call,) = world.find("versions add")
    assert call.line == "gcloud secrets versions add github-webhook-secret --data-file=-"
    assert re.fullmatch(r"[0-9a-f]{64}", call.stdin)
    assert call.stdin not in done.out + done.err + "".join(world.lines)
    assert "./deploy.sh secrets slack <token.txt" in done.err
    world.answer("gcloud secrets versions list *", "1\n")
    world.run("secrets")
    assert len(world.find("versions add")) == 1


@pytest.mark.parametrize("command", ["secrets", "secrets rotate acme/app", "ingest", "webhook acme/app"])
def test_a_secret_is_not_replaced_because_its_list_cannot_be_read(world, command):
    """When Secret Manager does not answer, nothing is stored: a new secret would lock GitHub out."""
    on_github(world, 200, hooks=[HOOK])
    world.answer("gcloud secrets versions list *", "", "ERROR: 503\n", status=1)
    done = world.run(command, GITHUB_TOKEN="t")
    assert (done.status, "ERROR: 503" in done.err) == (1, True)
    assert world.find("versions add") + world.find("PATCH") + world.find("functions deploy") == []


@pytest.mark.parametrize("given", [GOOD, f"{GOOD}\n", f"{GOOD}\r\n", f"{GOOD}\n\n"])
def test_a_given_secret_is_stored_without_its_newline(world, given):
    """What is given on stdin is stored byte for byte, but for the end of its line; it stands nowhere else."""
    done = world.run("secrets webhook", stdin=given)
    assert (done.status, world.find("versions add")[0].stdin) == (0, GOOD)
    assert GOOD not in done.out + done.err + "".join(world.lines)


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("secrets webhook", "", "is empty"),
        ("secrets webhook", " \n", "is empty"),
        ("secrets webhook", "\n\n", "is empty"),
        ("secrets webhook", f"{GOOD}\n{GOOD}\n", "has more than one line"),
        ("secrets webhook", f"\n{GOOD}\n", "has more than one line"),
        ("secrets webhook", f"{GOOD} \n", "begins or ends with a space"),
        ("secrets slack", f"{GOOD}\n", "neither a bot token (xoxb-...) nor an incoming webhook's URL"),
        ("secrets slack", "xoxp-1\n", "neither a bot token"),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused(world, command, given, said):
    """A blank, cut or mistaken secret is not stored, and not repeated in the message."""
    done = world.run(command, stdin=given)
    assert (done.status, said in done.err, world.calls) == (1, True, [])
    assert GOOD not in done.err


def test_show_prints_the_secret_and_nothing_else(world):
    """Only `secrets show` prints the secret: one line on stdout, of the newest enabled version."""
    world.answer("gcloud secrets versions list *", "3\n2\n")
    done = world.run("secrets show")
    assert (done.out, done.err) == ("canned-value\n", "")
    assert world.lines[-1].startswith("gcloud secrets versions access 3 ")


def test_a_rotation_disables_the_old_secret_last(world):
    """New version, then GitHub's webhooks and their pings, and only then the old version is disabled."""
    on_github(world, 401, 200, hooks=[HOOK])
    world.answer("gcloud secrets versions list *", "2\n1\n")
    world.answer("gcloud secrets versions list *", "1\n", times=1)
    done = world.run("secrets rotate acme/app acme/website", GITHUB_TOKEN="github-private")
    assert done.status == 0, done.err
    order = [
        "versions add",
        "PATCH.*repos/acme/app",
        "acme/app/.*pings",
        "PATCH.*repos/acme/website",
        "disable 1",
    ]
    places = [next(n for n, line in enumerate(world.lines) if re.search(words, line)) for words in order]
    assert places == sorted(places)
    assert "the ping was answered with 401; once more" in done.err
    everything = done.out + done.err + "".join(world.lines)
    secret = world.find("versions add")[0].stdin
    assert [word for word in (secret, "github-private", "canned-value") if word in everything] == []
    assert world.find("PATCH")[0].header == "Authorization: Bearer github-private"
    assert json.loads(world.find("PATCH")[0].stdin)["config"]["secret"] == "canned-value"


def test_a_rotation_waits_until_ingest_looks_for_the_new_secret(world):
    """Between storing and GitHub's change, longer than ingest's pause between two looks; also to finish."""
    standard = re.search(r"SETTLE:=(\d+)", (world.checkout / "deploy/common.sh").read_text())
    assert int(standard[1]) > FORCED_SECONDS
    on_github(world, 200, hooks=[HOOK])
    world.answer("gcloud secrets versions list *", "2\n1\n")
    world.answer("gcloud secrets versions list *", "1\n", times=1)
    for command in ("secrets rotate acme/app", "secrets rotate --finish acme/app"):
        steps = world.run(command, GITHUB_TOKEN="t").err
        assert "wait 0 s, so that ingest takes the new secret" in steps
        assert steps.find("store a new version") < steps.find("wait 0 s") < steps.find("disable the old")


def test_a_rotation_whose_ping_is_refused_keeps_the_old_secret(world):
    """When ingest does not accept the new secret in time, both stay enabled, and --finish is the way on."""
    on_github(world, 401, hooks=[HOOK])
    world.answer("gcloud secrets versions list *", "2\n1\n")
    world.answer("gcloud secrets versions list *", "1\n", times=1)
    done = world.run("secrets rotate acme/app", GITHUB_TOKEN="t", PATIENCE="0")
    assert (done.status, "GitHub's ping is answered with 401" in done.err) == (1, True)
    assert world.find("disable") == []
    world.forget()
    done = world.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (done.status, world.find("versions add")) == (1, [])
    assert "./deploy.sh secrets rotate --finish acme/app keeps the newest" in done.err
    on_github(world, 200, hooks=[HOOK])
    done = world.run("secrets rotate --finish acme/app", GITHUB_TOKEN="t")
    assert (done.status, world.find("versions add")) == (0, [])
    assert world.lines[-1] == "gcloud secrets versions disable 1 --secret=github-webhook-secret"


def test_a_rotation_stops_before_it_begins_where_github_does_not_let_us(world):
    """A webhook that is missing, or a token that is refused, is found before a new secret exists."""
    on_github(world, 200)
    done = world.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (done.status, "acme/app has no webhook that points here" in done.err) == (1, True)
    world.answer("curl *", answered({"message": "Bad credentials"}, 401))
    done = world.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (done.status, "GitHub refuses the token (401)" in done.err) == (1, True)
    assert world.find("versions add") == []


def test_a_webhook_is_made_once_and_then_mended(world):
    """A first run posts the hook, a second patches it; both see a ping arrive."""
    on_github(world, 200)
    world.answer("gcloud secrets versions list *", "3\n2\n")
    done = world.run("webhook acme/app", GITHUB_TOKEN="github-private")
    assert (done.status, "its ping was accepted" in done.err) == (0, True)
    (made,) = [call for call in world.calls if call.line.endswith("/hooks") and "POST" in call.line]
    assert json.loads(made.stdin) == {
        "name": "web",
        "active": True,
        "events": ["issues", "issue_comment"],
        "config": {**HOOK["config"], "content_type": "json", "insecure_ssl": "0", "secret": "canned-value"},
    }
    assert world.find("versions access 3")
    on_github(world, 200, hooks=[{"id": 6, "config": {}}, HOOK])
    world.forget()
    assert world.run("webhook acme", GITHUB_TOKEN="github-private").status == 0
    assert world.find("PATCH")[0].line.endswith("https://api.github.com/orgs/acme/hooks/7")
    assert "github-private" not in done.err + done.out + "".join(world.lines)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered({"message": "Bad credentials"}, 401), "GitHub refuses the token (401)"),
        (
            answered({"message": "Not Found"}, 404),
            "the name is wrong, or the token may not write its webhooks",
        ),
        (answered({"message": "Failed", "errors": [{"message": "url"}]}, 422), "GitHub answers 422"),
        ("<html>\n <b>Bad Gateway</b>\n502", "<html> <b>Bad Gateway</b>"),
        ("<html>\n200", "the answer is not what was promised (hook-id"),
    ],
)
def test_github_that_refuses_is_told_in_words(world, answer, said):
    """Each refusal is one line that says what to do; nothing is written after it."""
    world.answer("curl *", answer)
    done = world.run("webhook acme/app", GITHUB_TOKEN="t")
    assert (done.status, said in done.err) == (1, True)
    assert "Traceback" not in done.err
    assert world.find("POST") == []


def test_github_out_of_reach_is_told(world):
    """A network without GitHub is named with the address."""
    world.answer("curl *", "", "curl: (6) Could not resolve host\n", status=6)
    done = world.run("webhook acme/app", GITHUB_TOKEN="t")
    assert (done.status, "GitHub cannot be reached at https://api.github.com" in done.err) == (1, True)


def test_a_ping_that_never_arrives_is_told(world):
    """GitHub that delivers no ping within the patience is an error."""
    on_github(world, 200)
    world.answer("curl *GET*/deliveries*", answered([]))
    done = world.run("webhook acme/app", GITHUB_TOKEN="t", PATIENCE="1", PAUSE="0.3")
    assert (done.status, "has not delivered its ping within 1 s" in done.err) == (1, True)


def test_the_token_comes_from_file_environment_or_gh(world, tmp_path):
    """The file goes before the variable, and gh is asked for the host of GITHUB_URL when there is neither."""
    on_github(world, 200)
    file = tmp_path / "token"
    file.write_text("from-file\r\n")
    world.run("webhook acme/app", GITHUB_TOKEN_FILE=str(file), GITHUB_TOKEN="from-variable")
    assert {call.header for call in world.find("curl")} == {"Authorization: Bearer from-file"}
    world.install("gh")
    world.answer("gh auth token *", "from-gh\n")
    world.forget()
    world.run("webhook acme/app", GITHUB_URL="https://github.example.com/")
    assert {call.header for call in world.find("curl")} == {"Authorization: Bearer from-gh"}
    assert world.find("gh auth token --hostname github.example.com")
    world.answer("gh auth token *", "", "not logged in", status=1)
    assert "no GitHub token: set GITHUB_TOKEN_FILE or GITHUB_TOKEN" in world.run("webhook acme/app").err
    file.write_text("two words\n")
    assert "has spaces" in world.run("webhook acme/app", GITHUB_TOKEN_FILE=str(file)).err
    missing = world.run("webhook acme/app", GITHUB_TOKEN_FILE=str(tmp_path / "missing"))
    assert "GITHUB_TOKEN_FILE names no file that can be read" in missing.err


def test_alerts_are_made_once_and_then_mended(world):
    """What has no policy of its name yet is posted, the rest is patched; link and channels are filled in."""
    titles = {
        file.stem: json.loads(file.read_text())["displayName"]
        for file in (world.checkout / "deploy/alerts").glob("*.json")
    }
    assert len(titles) == 4
    there = {"alertPolicies": [{"name": "projects/p/alertPolicies/1", "displayName": titles["dead-letters"]}]}
    world.answer("curl *GET*/alertPolicies*", answered(there))
    world.answer("curl *--request P*", answered({}))
    channel = "projects/acme-issues/notificationChannels/5"
    done = world.run("alerts", DOCS_URL="https://example.com/a|b&c.md", ALERT_CHANNELS=channel)
    assert done.status == 0, done.err
    (patched,), posted = world.find("PATCH"), world.find("POST")
    assert patched.line.endswith("https://monitoring.googleapis.com/v3/projects/p/alertPolicies/1")
    assert len(posted) == 3
    for call in (patched, *posted):
        body = json.loads(call.stdin)
        assert body["notificationChannels"] == [channel]
        assert "https://example.com/a|b&c.md#" in body["documentation"]["content"]
        assert call.header == "Authorization: Bearer google-token"
    assert "google-token" not in "".join(world.lines) + done.err
    world.forget()
    there["alertPolicies"][0]["notificationChannels"] = [channel]
    world.answer("curl *GET*/alertPolicies*", answered(there))
    done = world.run("alerts")
    assert json.loads(world.find("PATCH")[0].stdin)["notificationChannels"] == [channel]
    assert "Nobody is told yet" in done.err
    assert "hold no link yet" in done.err
    world.answer("curl *", answered({"error": {"message": "no such metric"}}, 400))
    done = world.run("alerts")
    assert (done.status, "answers 400" in done.err, "no such metric" in done.err) == (1, True, True)


def test_status_is_good_only_when_all_is_well(world):
    """Nothing deployed, then everything: the table names what is wrong and how to mend it."""
    world.answer("gcloud functions list *", "", times=1)
    world.answer("bq * ls *", "", "Not found: Dataset", status=2)
    world.answer("curl *timeSeries*", answered({}))
    done = world.run("status")
    assert done.status == 1
    lines = done.out.splitlines()
    bad = [line for line in lines if line.startswith("BAD")]
    assert len(bad) == len(lines) - 1  # no figure of dead letters is no error
    assert all("./deploy.sh " in line for line in bad)

    world.run("all")
    marks = {
        name: re.search(r"source-sha=(\w+)", world.find(f"functions deploy {name} ")[0].line)[1]
        for name in ("ingest", "notify-slack", "stream-bq")
    }
    rows = "".join(f"{name}|{mark}|ACTIVE|https://{name}-abc-uc.a.run.app\n" for name, mark in marks.items())
    traffic = "".join(f"{name}|True|{name}-1\n" for name in marks)
    tables = ["events", *(file.stem for file in (world.checkout / "sql/views").glob("*.sql"))]
    world.answer("gcloud functions list *", rows)
    world.answer("gcloud run services list *", traffic)
    world.answer("bq * ls *", json.dumps([{"tableReference": {"tableId": name}} for name in tables]))
    point = {"timeSeries": [{"points": [{"value": {"int64Value": "0"}}]}]}
    world.answer("curl *timeSeries*", answered(point))
    done = world.run("status")
    assert (done.status, "BAD" in done.out) == (0, False), done.out

    for pattern, out, said in (
        ("gcloud functions list *", rows.replace("ACTIVE", "FAILED", 1), "is FAILED"),
        ("gcloud functions list *", rows.replace(marks["ingest"], ""), "differs from this checkout (, here"),
        (
            "gcloud run services list *",
            traffic.replace("True|ingest-1", "|ingest-0"),
            "rolled back to ingest-0",
        ),
        ("curl *timeSeries*", answered(point).replace('"0"', '"3"'), "3 held; see docs/operations.md"),
        ("bq * ls *", "[]", "missing; ./deploy.sh setup"),
        (
            "gcloud functions list *",
            rows.replace("https://stream-bq-abc", "https://stream-bq-new"),
            "does not push to https://stream-bq-new-uc.a.run.app as issuewire-push@acme-issues.iam",
        ),
    ):
        world.answer(pattern, out, times=1)
        done = world.run("status")
        assert (done.status, said in done.out) == (1, True), done.out


def test_status_does_not_take_an_error_for_an_answer(world):
    """When the cloud does not answer, status says so instead of calling things missing."""
    world.answer("gcloud pubsub subscriptions list *", "", "ERROR: 503\n", status=1)
    done = world.run("status")
    assert (done.status, "ERROR: 503" in done.err, "subscription" in done.out) == (1, True, False)


def test_destroy_asks_and_removes_only_what_is_there(world):
    """Without --yes nothing is removed where nobody can be asked; secrets and data stay without --data."""
    done = world.run("destroy")
    assert (done.status, world.calls, "say --yes" in done.err) == (1, [], True)
    world.answer("gcloud functions list *", "ingest|x|ACTIVE|u\n")
    world.answer("gcloud pubsub subscriptions list *", "notify-slack\nsomebody-elses\n")
    world.answer("gcloud pubsub topics list *", "github-events\n")
    world.answer("gcloud secrets list *", "slack-token\n")
    world.answer("curl *GET*", answered({}))
    world.answer("gcloud iam service-accounts list *", "issuewire-push@acme-issues.iam.gserviceaccount.com\n")
    builder = "serviceAccount:issuewire-build@acme-issues.iam.gserviceaccount.com"
    world.answer("gcloud projects get-iam-policy *", f"roles/logging.logWriter|{builder}|\n")
    assert world.run("destroy --yes").status == 0
    removed = [line for line in world.lines if re.search(r" (delete|remove-iam-policy-binding|rm) ", line)]
    assert [" ".join(line.split()[1:5]) for line in removed] == [
        "functions delete ingest --gen2",
        "pubsub subscriptions delete notify-slack",
        "pubsub topics delete github-events",
        f"projects remove-iam-policy-binding acme-issues --member={builder}",
        "iam service-accounts delete issuewire-push@acme-issues.iam.gserviceaccount.com",
    ]
    world.run("destroy --yes --data")
    assert world.lines[-2:] == [
        "gcloud secrets delete slack-token",
        "bq --project_id=acme-issues rm --recursive --force --dataset acme-issues:github",
    ]


@pytest.mark.parametrize("call", ["functions list", "pubsub subscriptions list", "iam service-accounts list"])
def test_destroy_does_not_take_an_error_for_nothing_there(world, call):
    """When a list fails, destroy stops there instead of passing over what it lists."""
    world.answer("curl *GET*", answered({}))
    world.answer(f"gcloud {call} *", "", "ERROR: 503\n", status=1)
    done = world.run("destroy --yes")
    assert (done.status, "ERROR: 503" in done.err) == (1, True)
    assert call in world.lines[-1]


def test_no_secret_of_the_environment_is_passed_on(world):
    """A secret that happens to be in a variable we use ourselves reaches no argument and no output."""
    done = world.run("all", TOKEN=GOOD, SECRET=GOOD, WEBHOOK_VALUE=GOOD, SLACK_TOKEN=GOOD, GITHUB_TOKEN=GOOD)
    assert done.status == 0
    assert [call for call in world.calls if GOOD in call.line + call.stdin] == []
    assert GOOD not in done.out + done.err


def test_a_secret_is_in_no_file(world):
    """While gcloud stores a secret, no file of ours holds it."""
    world.script("gcloud secrets versions add *", 'grep -rl "$GOOD" "$TMPDIR" >"$SHIMS/found" || true')
    assert world.run("secrets webhook", stdin=GOOD, GOOD=GOOD).status == 0
    assert (world.folder / "found").read_text() == ""


def test_it_can_be_called_from_anywhere(world, tmp_path):
    """The folder of the caller does not matter, nor CDPATH."""
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    done = subprocess.run(
        [os.path.relpath(world.checkout / "deploy.sh", elsewhere), "--dry-run", "stream_bq"],
        cwd=elsewhere,
        env=world.environment | {"CDPATH": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "functions deploy stream-bq" in done.stdout


def test_a_project_of_a_domain_has_its_accounts_elsewhere(world):
    """example.com:acme-issues has accounts at acme-issues.example.com.iam.gserviceaccount.com."""
    done = world.run("stream_bq --dry-run", PROJECT="example.com:acme-issues")
    assert "issuewire-push@acme-issues.example.com.iam.gserviceaccount.com" in done.out
    assert "@example.com:" not in done.out
