"""ops routes: check and explain the routes file."""
