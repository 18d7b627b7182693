"""What the three functions agree on; standard library only."""
