"""This will declare the variables of the service that makes the backups, in the schema's rows."""

from __future__ import annotations

from todo_project.config.variable import Variable

BACKUPS: tuple[Variable, ...] = (
    Variable(
        name="BACKUP_AT",
        kind="clock",
        reader="backup",
        default="03:15",
        doc="When the daily backup is made, in UTC.",
    ),
    *(
        Variable(
            name=f"BACKUP_KEEP_{word.upper()}",
            kind="integer",
            reader="backup",
            minimum=low,
            maximum=1000,
            default=default,
            doc=f"Of so many {periods} the last backup is kept.",
        )
        for word, periods, low, default in (
            ("daily", "days", 1, "7"),
            ("weekly", "weeks", 0, "4"),
            ("monthly", "months", 0, "6"),
        )
    ),
    Variable(
        name="BACKUP_AGE_RECIPIENT",
        kind="age_recipient",
        reader="backup",
        doc="Backups are encrypted with age for this public key, `age1…`. Keep its secret key elsewhere.",
    ),
    Variable(
        name="BACKUP_GPG_RECIPIENT",
        kind="base64",
        reader="backup",
        doc="Or with gpg for this public key, in one line: what `gpg --export KEY | base64 -w0` prints.",
    ),
    Variable(
        name="BACKUP_IDENTITY",
        kind="password",
        secret=True,
        reader="backup",
        doc="The secret key that opens encrypted backups. Only for a service that is to verify old ones by "
        "itself; whoever reads it reads every backup.",
    ),
    Variable(
        name="BACKUP_S3_URL",
        kind="bucket",
        reader="backup",
        doc="s3://bucket/prefix: where a copy of each backup goes. Another one for each environment: what is too "
        "old is removed there, whoever made it.",
    ),
    Variable(
        name="BACKUP_S3_ENDPOINT",
        kind="endpoint",
        reader="backup",
        doc="Address of the S3 server when it is not Amazon's.",
    ),
    Variable(name="BACKUP_S3_REGION", kind="word", reader="backup", doc="Region of the bucket."),
    Variable(
        name="BACKUP_S3_ACCESS_KEY_ID", kind="word", reader="backup", doc="Name of the key that may write there."
    ),
    Variable(
        name="BACKUP_S3_SECRET_ACCESS_KEY",
        kind="password",
        secret=True,
        reader="backup",
        doc="The secret of that key.",
    ),
)
