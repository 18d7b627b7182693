"""The figures and their bars. A bar must be kept; the aim is where the design should lead."""

from bench.figures import Goal

RATE = Goal(
    name="warm",
    what="ingest, 32 connections, 10 KB signed, confirmed at once: requests/s",
    bar=1.1,
    aim=1.5,
    higher=True,
)
CPU = Goal(name="warm", what="ingest, the same: CPU per request", bar=0.85, aim=0.6)
SLOW = Goal(
    name="slow", what="ingest, the same, Pub/Sub takes 20 ms: requests/s", bar=0.75, aim=0.9, higher=True
)
ALONE = Goal(name="alone", what="ingest, one connection: p50", bar=3.0, aim=2.3)
COLD_INGEST = Goal(name="cold_ingest", what="ingest, cold: process start to the first 202", bar=2.6, aim=2.2)
COLD_NOTIFY_SLACK = Goal(
    name="cold_notify_slack",
    what="notify_slack, cold: process start to the first card posted",
    bar=1.45,
    aim=1.35,
)
COLD_STREAM_BQ = Goal(
    name="cold_stream_bq", what="stream_bq, cold: process start to the first row stored", bar=2.2, aim=2.0
)
STREAM_BQ = Goal(
    name="stream_bq",
    what="stream_bq, 80 connections, BigQuery takes 50 ms: events/s",
    bar=0.45,
    aim=0.65,
    higher=True,
)
CARD_CPU = Goal(
    name="card_cpu", what="notify_slack, CPU per event outside the SDK", bar=1.0, aim=0.7, unit="ms"
)
MEMORY = Goal(
    name="memory", what="ingest, memory after the events and two 25 MB bodies", bar=115, aim=95, unit="MiB"
)
GROWTH = Goal(
    name="memory", what="ingest, growth of the memory in the last third", bar=2.0, aim=0.5, unit="MiB"
)
PAGE = Goal(
    name="page",
    what="the playground's page, from a part's own answer to the event in a browser: p95",
    bar=300,
    aim=150,
    unit="ms",
)
EFFECT = Goal(
    name="effect",
    what="triage, webhook to the effect at GitHub, local stack: p95",
    bar=5.0,
    aim=2.0,
    unit="s",
)
