"""ops triage: check the rules, explain what they do about a delivery, and try them on the past."""
