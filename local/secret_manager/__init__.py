"""A local Secret Manager."""
