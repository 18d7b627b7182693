"""issuewire backfill: the history of a repository."""
