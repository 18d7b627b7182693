"""ops why: what became of every delivery about one issue."""
