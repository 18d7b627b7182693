"""python -m bench."""

import signal

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))  # it waits until it has a handler
    from local.stopping import exit_at_once

    exit_at_once()
    from bench.command import bench

    bench(prog_name="python -m bench")
