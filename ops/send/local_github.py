"""The GitHub of a running make serve, where an issue changes before `send` delivers the event."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import click
import requests

from ops import local_stack
from ops.cli import http_errors
from ops.send.outgoing import Draft, Outgoing, describe
from ops.send.payload_spec import PayloadSpec
from ops.send.target import TIMEOUT_SECONDS, Target
from pipeline.events import parse_payload

_REFUSED = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGitHub:
    """The stand-in's address, and a token for it."""

    url: str
    token: str

    @classmethod
    def of(cls, target: Target) -> "LocalGitHub | None":
        """Return the GitHub whose hook points to the target, None for any other target.

        What another secret signs is not GitHub's, and changes nothing there.
        """
        stack = local_stack.find()
        if stack is None or not stack.github_url or not stack.github_token:
            return None
        hook = stack.ingest_url.rstrip("/"), stack.webhook_secret.encode()
        is_here = (target.url.rstrip("/"), target.secret) == hook
        return cls(url=stack.github_url, token=stack.github_token) if is_here else None

    def finish(self, draft: Draft, *, store: bool) -> Outgoing:
        """Return the delivery; the event that it tells of is stored, unless it is only to be shown.

        A file is sent as it is, also if it is not what GitHub could store. Raises ClickException.
        """
        if draft.spec is not None:
            return self._of_options(draft.spec, store=store)
        outgoing = draft.finish(None)
        if store and draft.name is not None:
            body = {"event": outgoing.event, "payload": parse_payload(outgoing.body)}
            answer = self._post("events", body)
            if answer.status_code == _REFUSED:
                click.echo(f"The local GitHub does not keep it: {answer.json()['message']}.", err=True)
        return outgoing

    def _of_options(self, spec: PayloadSpec, *, store: bool) -> Outgoing:
        answer = self._post("specs", {"spec": asdict(spec), "store": store})
        found = answer.json()
        if answer.status_code == _REFUSED:
            raise click.UsageError(found["message"])
        payload = found["payload"]
        title = describe(found["event"], payload, spec.issue_name, is_known=found["is_known"])
        return Outgoing(event=found["event"], body=json.dumps(payload).encode(), title=title, issue=None)

    def _post(self, path: str, body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        with http_errors(self.url, TIMEOUT_SECONDS), requests.Session() as session:
            session.trust_env = False  # no proxy reaches this machine
            url = f"{self.url}/stand-in/{path}"
            answer = session.post(url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)
            if answer.status_code != _REFUSED:
                answer.raise_for_status()
            return answer
