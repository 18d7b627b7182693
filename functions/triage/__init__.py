"""triage: labels, assigns, answers and closes issues by the rules in config/triage.toml."""
