"""What the browser loads: one page, its style sheet, its scripts and its icon."""
