"""The stand-in for Pub/Sub, and the way to start Google's emulator."""
