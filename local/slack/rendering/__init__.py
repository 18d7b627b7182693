"""Draws messages: on the console page, and as text for a terminal. Pictures are named, not fetched."""
