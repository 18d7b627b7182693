"""ops report: the numbers as one page."""
