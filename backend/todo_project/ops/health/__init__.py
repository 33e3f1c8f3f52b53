"""Whether the service works: readiness, and the checks of `manage.py doctor`."""
