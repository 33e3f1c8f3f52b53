"""The views of todos, one module per resource."""
