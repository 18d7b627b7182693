"""The floor of the measurements."""
