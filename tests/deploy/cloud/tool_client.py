"""Run in place of a tool: passes the call to tool_server.py, and ends with its status.

Arguments: the path of the socket, and those of the tool.
"""

import json
import os
import socket
import sys
from pathlib import Path

request = {
    "arguments": sys.argv[2:],
    "environment": dict(os.environ),
    "folder": str(Path.cwd()),
    "group": os.getpgrp(),
}
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    socket.send_fds(connection, [b"x"], [0, 1, 2])
    connection.sendall(json.dumps(request).encode())
    connection.shutdown(socket.SHUT_WR)
    status = int(connection.recv(16))
sys.exit(status)
