"""Django's PostgreSQL backend with cheaper health checks and prepared statements."""
