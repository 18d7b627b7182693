"""The content of cards, replies and burst messages."""
