"""The numbers: what the views are asked, what the answers mean, and how they are worded and drawn. No I/O."""
