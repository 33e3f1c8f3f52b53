"""The serializers of todos, one module per resource."""
