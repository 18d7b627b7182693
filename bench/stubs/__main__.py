"""python -m bench.stubs: all stubs in one process, which is idle except for the one that is measured.

Questions: `start` for the addresses, `counts` for what the stubs have confirmed, `slack` for a new workspace,
and `slack_calls` for its calls so far.
"""

import asyncio

from bench.deliveries import SECRET, SECRET_NAME
from bench.stubs.bigquery import BigQuery
from bench.stubs.pubsub import PubSub
from bench.stubs.slack import TimedSlack
from bench.worker import Json, answer_questions
from local.secret_manager.server import SecretManagerServer

PUBSUB_SECONDS = 0.02
BIGQUERY_SECONDS = 0.05


class Stubs:
    """Every stub, by the name in `start`'s answer."""

    def __init__(self) -> None:
        self._pubsub = {"pubsub": PubSub(0), "pubsub_slow": PubSub(PUBSUB_SECONDS)}
        self._bigquery = {"bigquery": BigQuery(0), "bigquery_slow": BigQuery(BIGQUERY_SECONDS)}
        self._secret_manager = SecretManagerServer()
        self._slack: TimedSlack | None = None

    async def answer(self, question: Json) -> Json:
        """Answer one question."""
        asked = question["about"]
        if asked == "start":
            return await self._start()
        if asked == "slack":
            if self._slack is not None:
                self._slack.stop()
            self._slack = TimedSlack()
            return {"url": self._slack.start()}
        if asked == "slack_calls":
            assert self._slack is not None
            return {"calls": self._slack.calls}
        return {
            "published": sum(stub.published for stub in self._pubsub.values()),
            "publish_calls": sum(stub.calls for stub in self._pubsub.values()),
            "rows": sum(stub.rows for stub in self._bigquery.values()),
            "insert_calls": sum(stub.calls for stub in self._bigquery.values()),
            "stored_at": max(stub.stored_at for stub in self._bigquery.values()),
        }

    async def _start(self) -> Json:
        hosts = {name: f"127.0.0.1:{await stub.start()}" for name, stub in self._pubsub.items()}
        hosts |= {name: f"127.0.0.1:{await stub.start()}" for name, stub in self._bigquery.items()}
        hosts["secret_manager"] = self._secret_manager.start()
        self._secret_manager.add_version(SECRET_NAME, SECRET)
        return hosts


if __name__ == "__main__":
    asyncio.run(answer_questions(Stubs().answer))
