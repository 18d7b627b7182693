"""What is shown of an issue."""
