"""The charts, drawn by matplotlib as SVG; the only part of metrics that needs it."""
