"""The numbers: what is asked of the views, and how the answers are shown."""
