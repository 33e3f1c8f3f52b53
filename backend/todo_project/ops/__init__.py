"""Running the service: HTTP around the API, health, observability, startup, releases. It knows no domain."""
