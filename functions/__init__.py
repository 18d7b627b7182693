"""The Cloud Functions. Each is deployed alone, with the packages that its table in deploy/functions names."""
