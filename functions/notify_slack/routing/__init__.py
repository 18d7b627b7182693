"""Which channels an event goes to."""
