"""Small stand-ins of gcloud, bq, curl and gh on the PATH: they log what they hear and give canned answers."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.checkout import make_checkout

__all__ = ["Call", "Done", "Shims"]

# Logs arguments, stdin and the header that curl is given as a file; the first rule that fits answers.
_SHIM = r"""#!/usr/bin/env bash
line="${0##*/} $*" header=''
input=$(cat && printf x)
for argument in "$@"; do
  [[ $argument != @/* ]] || read -r header <"${argument#@}"
done
printf '%s\x1f%s\x1f%s\x1e' "$line" "${input%x}" "$header" >>"$SHIMS/log"
for rule in "$SHIMS"/rules/*; do
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

# A subscription is listed once it was created, and with its endpoint once it was given one.
_SUBSCRIPTIONS = r"""
log=$(tr '\036' '\n' <"$SHIMS/log")
for name in github-events-dead-hold notify-slack stream-bq; do
  grep -q "subscriptions create $name" <<<"$log" || continue
  url=https://$name-abc-uc.a.run.app push='||'
  ! grep -q "subscriptions update $name --push-endpoint=$url/" <<<"$log" ||
    push="$url/|issuewire-push@acme-issues.iam.gserviceaccount.com|$url"
  case $name in
    *hold) echo "$name|github-events-dead||60|604800s|never|||||$push" ;;
    *) echo "$name|github-events||90|604800s|never|10s|600s|github-events-dead|100|$push" ;;
  esac
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a shim: its words, what stood on stdin, and the header that came by file."""

    line: str
    stdin: str
    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run of deploy.sh that has ended."""

    status: int
    out: str
    err: str


class Shims:
    """A checkout, and a PATH on which the cloud's tools are shims; at first the project is empty."""

    def __init__(self, folder: Path) -> None:
        self.checkout = make_checkout(folder)
        self.folder = folder / "shims"
        self.temporary = folder / "tmp"
        (self.folder / "rules").mkdir(parents=True)
        (self.folder / "bin").mkdir()
        self.temporary.mkdir()
        for name in ("gcloud", "bq", "curl"):
            self.install(name)
        self._next = 5000
        (self.folder / "log").touch()
        self._defaults()

    def install(self, name: str, text: str = _SHIM) -> None:
        """Put a shim (or another program's text) on the PATH."""
        shim = self.folder / "bin" / name
        shim.write_text(text)
        shim.chmod(0o755)

    def answer(self, pattern: str, out: str = "", err: str = "", *, status: int = 0, times: int = 0) -> None:
        """Answer a call whose words fit the shell pattern; the newest rule goes first.

        times: how often before the rule is used up; 0 for ever.
        """
        words = f"printf %s {shlex.quote(out)}; printf %s {shlex.quote(err)} >&2; exit {status}\n"
        self.script(pattern, words, times=times)

    def script(self, pattern: str, text: str, *, times: int = 0) -> None:
        """Answer with what a piece of bash prints."""
        self._next -= 1
        rule = self.folder / "rules" / f"{self._next:04d}"
        rule.mkdir()
        (rule / "pattern").write_text(f"{pattern}\n")
        (rule / "answer").write_text(text)
        if times:
            (rule / "times").touch()
            for left in range(times):
                (rule / f"left.{left}").touch()

    @property
    def environment(self) -> dict[str, str]:
        """What deploy.sh is run with."""
        return {
            "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "SHIMS": str(self.folder),
            "PROJECT": "acme-issues",
            "PAUSE": "0.01",
            "PATIENCE": "2",
            "SETTLE": "0",
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

    def run(self, command: str, *, stdin: str = "", **environment: str) -> Done:
        """Run deploy.sh with these words to its end; no temporary file may be left."""
        done = self.run_beside(command, stdin=stdin, **environment)
        assert list(self.temporary.iterdir()) == []
        return done

    def run_beside(self, command: str, *, stdin: str = "", **environment: str) -> Done:
        """Run it likewise while another run may be at work."""
        process = self.start(*shlex.split(command), **environment)
        out, err = process.communicate(stdin, timeout=60)
        assert "no rule for" not in err, err
        return Done(status=process.returncode, out=out, err=err)

    @property
    def calls(self) -> list[Call]:
        """What the shims have heard, in order."""
        records = (self.folder / "log").read_text().split("\x1e")[:-1]
        return [
            Call(line=line, stdin=stdin, header=header)
            for line, stdin, header in (record.split("\x1f") for record in records)
        ]

    @property
    def lines(self) -> list[str]:
        """The words of the calls."""
        return [call.line for call in self.calls]

    def forget(self) -> None:
        """Empty the log."""
        (self.folder / "log").write_text("")

    def find(self, words: str) -> list[Call]:
        """Return the calls that have these words in them."""
        return [call for call in self.calls if words in call.line]

    def _defaults(self) -> None:
        self.answer("*")  # what is not named below succeeds and says nothing
        self.answer("gcloud version *", "528.0.0\n")
        self.answer("gcloud auth list *", "deployer@example.com\n")
        self.answer("gcloud auth print-access-token", "google-token\n")
        self.answer("gcloud projects describe *", "123456789012\n")
        self.answer("gcloud billing *", "True\n")
        self.answer("gcloud secrets versions list *", "1\n")
        self.answer("gcloud secrets versions access *", "canned-value")
        self.answer("gcloud run services describe *--format=value[[]*", "True|100\n")
        self.script("gcloud pubsub subscriptions list *", _SUBSCRIPTIONS)
        rows = [
            f"{name}|old|ACTIVE|https://{name}-abc-uc.a.run.app\n"
            for name in ("ingest", "notify-slack", "stream-bq")
        ]
        self.answer("gcloud functions list *", "".join(rows))
