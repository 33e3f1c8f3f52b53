"""All writes of the domain."""
