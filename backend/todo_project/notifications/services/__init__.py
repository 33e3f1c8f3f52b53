"""All writes of notifications, and what is sent by e-mail."""
