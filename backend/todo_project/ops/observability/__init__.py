"""What the service reports about itself: logs, metrics, errors for Sentry, slow statements."""
