"""Running the service: health, metrics, request ids, logs, static files, deploy checks. Knows no domain."""
