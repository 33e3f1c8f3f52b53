"""What all endpoints share: authentication, problems, lists, entity tags, idempotency, rate limits, OpenAPI."""
