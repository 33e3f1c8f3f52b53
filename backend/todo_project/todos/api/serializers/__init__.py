"""The shapes of todos, one module per resource: what may come in, and what goes out."""
