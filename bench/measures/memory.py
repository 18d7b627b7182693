"""The memory of ingest after many deliveries and two of the largest, and whether it still grows."""

from bench import deliveries, goals
from bench.figures import BEFORE, NOW, Figure
from bench.functions import Program, floor
from bench.run import Run, running

MIB = 2**20
CONNECTIONS = 32
FIRST = 600  # requests, by whose speed the number of the others is chosen


def memory(run: Run) -> list[Figure]:
    """Measure each checkout once, and the floor."""
    seconds = run.clock.take("memory")
    programs = run.programs("ingest", None)
    measured = {role: _measure(run, program, seconds / len(programs)) for role, program in programs.items()}
    _, floor_end, _ = _measure(run, floor("floor"), 5.0)
    third, end, events = measured[NOW]
    before = measured.get(BEFORE)
    return [
        Figure(
            goal=goals.MEMORY,
            values=[end],
            before=[before[1]] if before else (),
            floor=f"{floor_end:.0f} MiB",
            note=f"{events:,} events",
        ),
        Figure(
            goal=goals.GROWTH,
            values=[end - third],
            before=[before[1] - before[0]] if before else (),
            note=f"{third:.1f} MiB after {events * 2 // 3:,} events, {end:.1f} MiB after {events:,}",
        ),
    ]


def _measure(run: Run, program: Program, seconds: float) -> tuple[float, float, int]:
    """Return the MiB after two thirds of the events and after all, and their number."""
    now = deliveries.time_now()
    request = deliveries.webhook(deliveries.opened(now))
    small = [run.file("memory.request", request)]
    large = [run.file("memory-large.request", deliveries.webhook(deliveries.large(now)))]
    server = program.server(run.folder, **run.environment())
    with running({"": server}):
        server.first_answer(request)
        speed = run.slice(server, small, CONNECTIONS, requests=FIRST)["per_second"]
        third = int(min(run.size.memory_events, max(speed * seconds * 0.7, 6 * FIRST)) // 3)
        run.progress(f"memory of {server.child.name}", third, third * 3)
        run.slice(server, small, CONNECTIONS, requests=third - FIRST)
        run.slice(server, large, 1, requests=2)
        run.progress(f"memory of {server.child.name}", 2 * third, third * 3)
        run.slice(server, small, CONNECTIONS, requests=third)
        at_two_thirds = server.memory_bytes() / MIB
        run.slice(server, small, CONNECTIONS, requests=third)
        return at_two_thirds, server.memory_bytes() / MIB, third * 3
