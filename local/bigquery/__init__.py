"""The local BigQuery, an open-source engine in its own environment."""
