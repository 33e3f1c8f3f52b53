"""The search for tasks and comments."""
