"""Run by the Python of one of Google's tools, in place of the tool: imports it once, and forks for each call.

What a call imports besides is imported here after it, so that the next one has it. Arguments: the path of the
tool's script, and that of the socket. TOOL_SCRIPT, if set, is another script of the SDK that is loaded.
Ends when its stdin does.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

_MOST = 200_000  # bytes, of the names of modules


def serve(script: str, listener: socket.socket, imported: socket.socket) -> None:
    """Fork for each connection until stdin ends; a fork returns once it is a call of the tool.

    `imported` brings the names of modules that a call has imported.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([sys.stdin, listener, imported], [], [])
        if sys.stdin in ready:
            os._exit(0)
        if imported in ready:
            for name in imported.recv(_MOST).decode().split():
                with contextlib.suppress(Exception):  # then each call imports it, or shows why it cannot
                    importlib.import_module(name)
        if listener not in ready:
            continue
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
    if "TOOL_SCRIPT" in os.environ:
        script = str(Path(os.environ["CLOUDSDK_ROOT_DIR"], os.environ["TOOL_SCRIPT"]))
    del os.environ["CLOUDSDK_PYTHON_ARGS"]  # names this file
    sys.path[0] = str(Path(script).parent)
    loaded = runpy.run_path(script)
    if "_import_gcloud_main" in loaded:
        loaded["_import_gcloud_main"]().CreateCLI([])  # which imports more
    gc.freeze()  # a collection in a fork would copy the pages of all these objects
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(16)
    Path(f"{address}.new").rename(address)  # from now on a client can connect
    imported, of_a_call = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    of_a_call.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
    serve(script, listener, imported)
    before, status = set(sys.modules), 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201 - as Python ends
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python ends
        traceback.print_exc()
        status = 1
    of_a_call.send(" ".join(name for name in sys.modules if name not in before).encode())
    # An ordinary end frees every object of the tool, which takes longer than most calls.
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        file.flush()
    os._exit(status)
