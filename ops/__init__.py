"""The operator's commands: ./issuewire, or python -m ops."""

from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).parent.parent
