"""Paired measurements: subject and floor alternate in one run, so that a noisy machine affects both."""
