"""ops replay: what was stored, or what Pub/Sub keeps, is delivered again."""
