"""The order of `GET /tasks?sort=`: `due,-priority,title`."""
