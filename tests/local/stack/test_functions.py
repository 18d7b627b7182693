"""The local stack runs the functions that the tables of deploy.sh name."""

from local.stack.functions import read_functions


def test_functions_that_need_something_do_not_run_here() -> None:
    """The functions that every deployment has run here, with their subscriptions."""
    assert read_functions() == {"ingest": None, "notify_slack": "notify-slack", "stream_bq": "stream-bq"}


def test_an_optional_function_runs_if_it_is_asked_for() -> None:
    """What a schedule calls has no subscription, and triage has one."""
    optional = {"reconcile": None, "triage": "triage"}
    assert read_functions(optional) == read_functions() | optional
