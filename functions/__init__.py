"""The three Cloud Functions; each folder is deployed alone, with the package pipeline beside it."""
