"""What happens to a request outside the views: request ids, security headers, error pages, probes."""
