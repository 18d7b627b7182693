"""GitHub's webhook in, one confirmed Pub/Sub message out."""
