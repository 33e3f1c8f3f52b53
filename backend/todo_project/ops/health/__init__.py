"""Health of the service: readiness, the age of the last backup, and the checks of `manage.py doctor`."""
