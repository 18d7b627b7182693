"""make demo: a scenario of two repositories, and a ledger of its outcome."""
