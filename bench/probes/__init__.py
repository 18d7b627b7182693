"""Functions with a part replaced, to measure the rest."""
