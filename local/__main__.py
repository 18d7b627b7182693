"""python -m local demo | serve | drill."""

import signal

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))  # it waits until it has a handler
    from local.stopping import exit_at_once

    exit_at_once()
    from local.commands import local

    local(prog_name="python -m local")
