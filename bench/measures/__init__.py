"""The measures: each takes the run and returns its figures."""
