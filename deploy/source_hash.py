"""Print 40 hex digits that change with any file of a folder, its name, or any further argument.

Standard library, Python 3.8 or newer: deploy.sh calls it as source_hash.py FOLDER FLAG...
"""

import hashlib
import sys
from pathlib import Path


def source_hash(folder: Path, flags: "list[str]") -> str:
    """Return the digits; each part is hashed by itself, so that no two lists give the same input."""
    total = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        total.update(hashlib.sha256(path.relative_to(folder).as_posix().encode()).digest())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    for flag in flags:
        total.update(hashlib.sha256(flag.encode()).digest())
    return total.hexdigest()[:40]


if __name__ == "__main__":
    print(source_hash(Path(sys.argv[1]), sys.argv[2:]))
