"""Configuration, redaction and addresses, used by every other package."""
