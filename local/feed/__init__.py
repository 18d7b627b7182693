"""What happens in the running stack: read from the functions' logs, and told by the stand-ins."""
