"""The local stack runs the functions that the tables of deploy.sh name."""

from local.stack.functions import read_functions


def test_what_a_schedule_calls_does_not_run_here() -> None:
    """The functions that deliveries reach run here, with their subscriptions; reconcile does not."""
    assert read_functions() == {"ingest": None, "notify_slack": "notify-slack", "stream_bq": "stream-bq"}


def test_what_a_schedule_calls_runs_if_it_is_asked_for() -> None:
    """The drill calls reconcile itself."""
    assert read_functions({"reconcile"}) == read_functions() | {"reconcile": None}


def test_triage_runs_if_it_is_asked_for() -> None:
    """Without a rule it would have nothing to do."""
    assert "triage" not in read_functions({"reconcile", "digest"})
    assert read_functions(triage=True) == read_functions() | {"triage": "triage"}
