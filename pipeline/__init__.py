"""What all functions share; it needs the standard library only."""
