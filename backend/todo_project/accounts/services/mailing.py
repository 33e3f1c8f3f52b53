"""Writes the service's mails to people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def automatic(
    template: str,
    content: Mapping[str, Any],
    *,
    subject: str,
    to: str,
    mail_id: uuid.UUID,
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """Return the mail with the templates `<template>.txt` and `<template>.html`, marked as automatic (RFC 3834).

    `content` has the `language`. The HTML template extends accounts/mail.html. Mail programs recognise a mail that
    is sent again by its Message-ID, which has the `mail_id`.
    """
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    mail = EmailMultiAlternatives(
        subject,
        render_to_string(f"{template}.txt", content),
        to=[to],
        headers={
            "Message-ID": f"<{mail_id}@{domain}>",
            **(headers or {}),
            "Auto-Submitted": "auto-generated",
            "Content-Language": content["language"],
        },
    )
    mail.attach_alternative(render_to_string(f"{template}.html", content), "text/html")
    return mail
