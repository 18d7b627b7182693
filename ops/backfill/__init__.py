"""ops backfill: the past of a repository."""
