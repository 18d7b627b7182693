"""Print 40 hex digits that change with any file of a folder, its name, or any further argument.

Standard library, Python 3.8 or newer: deploy.sh calls it as source_hash.py FOLDER FLAG...
"""

import hashlib
import sys
from pathlib import Path

folder, flags = Path(sys.argv[1]), sys.argv[2:]
files = sorted(path for path in folder.rglob("*") if path.is_file())
parts = [part for path in files for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes())]
parts += [flag.encode() for flag in flags]
# Each part is hashed by itself, so that no two lists give the same input.
digests = b"".join(hashlib.sha256(part).digest() for part in parts)
print(hashlib.sha256(digests).hexdigest()[:40])
