"""HTTP outside the API: middleware, probes, operators' pages, errors that gunicorn answers itself."""
