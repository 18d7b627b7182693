"""Pub/Sub: publish to a topic."""
