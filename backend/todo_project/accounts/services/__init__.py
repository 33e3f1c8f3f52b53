"""All writes of accounts."""
