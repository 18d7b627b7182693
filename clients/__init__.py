"""The clients of the services that Issuewire calls; each needs at most one official package."""
