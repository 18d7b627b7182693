"""reconcile: finds and repairs what was not delivered, and keeps the proof."""
