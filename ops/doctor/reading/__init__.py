"""The readers: each looks at one service and yields facts, or NotChecked for what it may not see."""
