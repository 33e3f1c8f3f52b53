"""A backend for to-do applications."""
