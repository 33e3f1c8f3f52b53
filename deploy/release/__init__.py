"""Releases of one environment: deploy, rollback, promote, status."""
