"""Pub/Sub: publishing to a topic."""
