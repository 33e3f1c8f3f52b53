"""Reading what other programs wrote, and writing it through todos.services."""
