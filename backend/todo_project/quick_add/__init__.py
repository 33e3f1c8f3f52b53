"""Quick add: makes a task of one line of text."""
