"""Logs, metrics, slow statements, and error reports to Sentry."""
