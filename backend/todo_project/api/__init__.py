"""How the API speaks: authentication, problems, lists, entity tags, idempotency, limits, the OpenAPI document."""
