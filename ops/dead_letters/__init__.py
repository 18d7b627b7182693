"""ops dead-letters: what Pub/Sub gave up on is shown, driven again or discarded."""
