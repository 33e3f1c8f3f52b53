"""Clients that apply only changes have what the server has, whatever happens between their requests."""

from __future__ import annotations

import os

import pytest
from django.db import transaction

from tests.todos.copies import Company, Copy, server

pytestmark = pytest.mark.django_db(transaction=True)

# HISTORIES=5000 searches for longer
COUNT = int(os.environ.get("HISTORIES", "40"))
CHUNKS = 8
WRITES = 40


def run(seed: int) -> None:
    company = Company(seed)
    chance = company.chance
    copies = [Copy(user) for user in company.people]
    written = []
    for _ in range(WRITES):
        if chance.random() < 0.2:  # several writes of one transaction
            with transaction.atomic():
                written.append([company.write() for _ in range(3)])
        else:
            written.append([company.write()])
        for copy in copies:
            if chance.random() < 0.15:
                copy.sync(chance.choice([1, 2, 3, 50]))
    for copy in copies:
        copy.sync_all(chance.choice([1, 2, 5, 200]))
        assert copy.things == server(copy.user), (seed, written)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_copies_converge(chunk: int) -> None:
    for seed in range(chunk, COUNT, CHUNKS):
        run(seed)
