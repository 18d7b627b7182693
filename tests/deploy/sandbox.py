"""A checkout with fake gcloud, bq, curl and gh on the PATH, which record their calls and answer by rules."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import FUNCTIONS, make_checkout

__all__ = ["FAST", "PROJECT", "Call", "Outcome", "Sandbox"]

PROJECT = "acme-issues"
# deploy.sh's pauses and limits, shortened.
FAST = {
    "ISSUEWIRE_DEPLOY_RETRY_SECONDS": "0.01",
    "ISSUEWIRE_DEPLOY_WAIT_SECONDS": "2",
    "ISSUEWIRE_DEPLOY_SECRET_READ_SECONDS": "0",
}

# Records arguments, stdin and the header that curl is given as a file; the first rule that matches answers.
_FAKE = r"""#!/usr/bin/env bash
line="${0##*/} $*" header='' input=''
IFS= read -rd '' input || true # without a process of its own
for argument in "$@"; do
  [[ $argument != @/* ]] || read -r header <"${argument#@}"
done
printf '%s\x1f%s\x1f%s\x1e' "$line" "$input" "$header" >>"$SANDBOX/log"
for rule in "$SANDBOX"/rules/*; do
  read -r pattern <"$rule/pattern"
  [[ $line == $pattern ]] || continue
  if [[ -e $rule/times ]]; then
    compgen -G "$rule/left.*" >/dev/null || continue
    for left in "$rule"/left.*; do rm "$left" && break; done
  fi
  source "$rule/answer"
  exit
done
echo "no rule for: $line" >&2
exit 97
"""

# A subscription is listed after it was created, and with its push endpoint after that was set.
_SUBSCRIPTIONS = r"""
log=$(tr '\036' '\n' <"$SANDBOX/log")
for name in $(sed -nE 's/.*subscriptions create ([a-z-]+) .*/\1/p' <<<"$log" | sort -u); do
  url=https://$name-abc-uc.a.run.app push='||'
  ! grep -q "subscriptions update $name --push-endpoint=$url/" <<<"$log" ||
    push="$url/|issuewire-push@acme-issues.iam.gserviceaccount.com|$url"
  case $name in
    *hold) echo "$name|issuewire|github-events-dead||60|2678400s|never|||||$push" ;;
    triage) echo "$name|issuewire|github-events||90|604800s|never|10s|60s|github-events-dead|100|$push" ;;
    *) echo "$name|issuewire|github-events||90|604800s|never|10s|600s|github-events-dead|100|$push" ;;
  esac
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a fake tool: its command line, its stdin, and the header that came by file."""

    line: str
    stdin: str
    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run of deploy.sh ended."""

    status: int
    out: str
    err: str


class Sandbox:
    """A checkout and a PATH with fake tools; at first the Google Cloud project is empty."""

    def __init__(self, folder: Path) -> None:
        self.checkout = make_checkout(folder)
        self.folder = folder / "fakes"
        self.temporary = folder / "tmp"
        (self.folder / "rules").mkdir(parents=True)
        (self.folder / "bin").mkdir()
        self.temporary.mkdir()
        for name in ("gcloud", "bq", "curl"):
            self.install(name)
        self._next_rule = 5000
        (self.folder / "log").touch()
        self._add_defaults()

    def install(self, name: str, text: str = _FAKE) -> None:
        """Put a fake tool (or another program's text) on the PATH."""
        program = self.folder / "bin" / name
        program.write_text(text)
        program.chmod(0o755)

    def answer(self, pattern: str, out: str = "", err: str = "", *, status: int = 0, times: int = 0) -> None:
        """Answer the calls whose command line matches a shell pattern; the newest rule wins.

        times: how many calls the rule answers; 0 for all.
        """
        script = f"printf %s {shlex.quote(out)}; printf %s {shlex.quote(err)} >&2; exit {status}\n"
        self.answer_with_script(pattern, script, times=times)

    def answer_with_script(self, pattern: str, script: str, *, times: int = 0) -> None:
        """Answer with the output of a bash script."""
        self._next_rule -= 1
        rule = self.folder / "rules" / f"{self._next_rule:04d}"
        rule.mkdir()
        (rule / "pattern").write_text(f"{pattern}\n")
        (rule / "answer").write_text(script)
        if times:
            (rule / "times").touch()
            for left in range(times):
                (rule / f"left.{left}").touch()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of deploy.sh."""
        return FAST | {
            "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "SANDBOX": str(self.folder),
            "PROJECT": PROJECT,
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start deploy.sh in a process group of its own."""
        return subprocess.Popen(
            [self.checkout / "deploy.sh", *arguments],
            env=self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *, stdin: str = "", **environment: str) -> Outcome:
        """Run deploy.sh with these arguments until it ends; it must leave no temporary file."""
        outcome = self.run_concurrently(command, stdin=stdin, **environment)
        assert list(self.temporary.iterdir()) == []
        return outcome

    def run_concurrently(self, command: str, *, stdin: str = "", **environment: str) -> Outcome:
        """Run deploy.sh likewise while another run may be active."""
        process = self.start(*shlex.split(command), **environment)
        out, err = process.communicate(stdin, timeout=60)
        assert "no rule for" not in err, err
        return Outcome(status=process.returncode, out=out, err=err)

    @property
    def calls(self) -> list[Call]:
        """The recorded calls, in order."""
        records = (self.folder / "log").read_text().split("\x1e")[:-1]
        return [
            Call(line=line, stdin=stdin, header=header)
            for line, stdin, header in (record.split("\x1f") for record in records)
        ]

    @property
    def lines(self) -> list[str]:
        """The command lines of the recorded calls."""
        return [call.line for call in self.calls]

    def clear(self) -> None:
        """Delete the recorded calls."""
        (self.folder / "log").write_text("")

    def find(self, text: str) -> list[Call]:
        """Return the calls whose command line contains a text."""
        return [call for call in self.calls if text in call.line]

    def _add_defaults(self) -> None:
        self.answer("*")  # all other calls succeed without output
        self.answer("gcloud version *", "528.0.0\n")
        self.answer("gcloud auth list *", "deployer@example.com\n")
        self.answer("gcloud auth print-access-token", "google-token\n")
        self.answer("gcloud projects describe *", "123456789012\n")
        self.answer("gcloud billing *", "True\n")
        self.answer("gcloud secrets versions list *", "1\n")
        self.answer("gcloud secrets versions access *", "canned-value")
        self.answer("gcloud run services describe *--format=value[[]*", "True|100\n")
        self.answer_with_script("gcloud pubsub subscriptions list *", _SUBSCRIPTIONS)
        services = [name.replace("_", "-") for name in FUNCTIONS]
        rows = [f"{name}|issuewire|old|ACTIVE|https://{name}-abc-uc.a.run.app\n" for name in services]
        self.answer("gcloud functions list *", "".join(rows))
