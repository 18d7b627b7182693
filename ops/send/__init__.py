"""ops send: one signed delivery."""
