"""Run by gcloud's own Python in place of gcloud.py: imports gcloud once, and runs each call in a fork.

Arguments: the path of gcloud.py, and that of the socket. Ends when its stdin does.
"""

import contextlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path


def serve(script: str, listener: socket.socket) -> None:
    """Fork for each connection until stdin ends; a fork returns once it is a call of gcloud."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([sys.stdin, listener], [], [])
        if sys.stdin in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            call(script, connection)
            return
        connection.close()


def call(script: str, connection: socket.socket) -> None:
    """Return in a process that has the caller's files, arguments, folder, variables and process group.

    Its parent waits for its end, and passes its status to the caller.
    """
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r") as reader:
        request = json.load(reader)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(BrokenPipeError):  # the caller was ended
            connection.sendall(b"%d" % (os.waitstatus_to_exitcode(status) % 256))
        os._exit(0)
    connection.close()
    os.setpgid(0, request["group"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    sys.argv = [script, *request["arguments"]]


if __name__ == "__main__":
    script, address = sys.argv[1:]
    gcloud = runpy.run_path(script)  # sets sys.path
    gcloud["_import_gcloud_main"]().CreateCLI([])  # which imports more
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(16)
    Path(f"{address}.new").rename(address)  # from now on a client can connect
    serve(script, listener)
    gcloud["main"]()
