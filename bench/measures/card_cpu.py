"""The CPU that notify_slack needs for an event besides the framework and Slack's SDK.

Each event edits an issue that has a card: one read of the channel and one chat.update, which
bench/probes/notify_slack.py answers in the process itself. One request there is twenty events. The figure is
the CPU of a request, minus that of a request of the floor, for each event; of each the process that needed
least counts.
"""

from bench import deliveries, goals
from bench.figures import BEFORE, FLOOR, NOW, TWIN, Figure
from bench.functions import Program, floor
from bench.run import Run, running

EVENTS = 20  # of one request: bench/probes/notify_slack.py


def card_cpu(run: Run) -> list[Figure]:
    """Measure in new processes each round; the CPU of a process varies with the layout of its memory."""
    programs = {
        role: program.replaced_by("bench/probes/notify_slack.py") if role in {NOW, BEFORE} else program
        for role, program in run.programs("notify_slack", floor("event", "event")).items()
    }
    now = deliveries.time_now()
    opened = deliveries.push(deliveries.opened(now), "opened", now)
    files = [
        run.file(f"card-{number}.request", deliveries.push(body, "edited", now))
        for number, body in enumerate(deliveries.edited(now, run.size.card_requests))
    ]
    rounds = [
        {role: _milliseconds(run, programs[role], opened, files) for role in order}
        for order in run.rounds("card_cpu", run.size.card_rounds)
    ]
    lowest = {role: min(round_[role] for round_ in rounds) for role in rounds[0]}
    return [
        Figure(
            goal=goals.CARD_CPU,
            values=[(round_[NOW] - lowest[FLOOR]) / EVENTS for round_ in rounds],
            before=[(round_[BEFORE] - lowest[FLOOR]) / EVENTS for round_ in rounds if BEFORE in round_],
            noise=abs(lowest[FLOOR] - lowest[TWIN]) / EVENTS,
            floor=f"{lowest[FLOOR]:.2f} ms",
            note="the lowest process counts",
            lowest=True,
        )
    ]


def _milliseconds(run: Run, program: Program, opened: bytes, files: list[str]) -> float:
    """Return the CPU of a request in a new process."""
    server = program.server(run.folder, SLACK_TOKEN_FILE=run.slack_token())
    with running({"": server}):
        server.first_answer(opened)
        run.slice(server, files[:1], 1, requests=len(files) // 4)
        return float(run.slice(server, files, 1, requests=len(files))["cpu"]) * 1000
