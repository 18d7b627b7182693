"""The whole pipeline on this machine: local services and the real functions."""
