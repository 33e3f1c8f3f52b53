"""The texts of mails, in each language."""

from __future__ import annotations

import datetime as dt
from typing import Final

SUBJECT_LENGTH: Final = 150
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "reminder": "Reminder: {title}",
        "assignment": "{actor} assigned you a task: {title}",
        "mention": "{actor} mentioned you: {title}",
        "comment": "{actor} commented: {title}",
        "digest": "{day}: {count} tasks",
        "digest_of_one": "{day}: 1 task",
        "somebody": "Somebody",
        "due": "Due",
        "start": "Start",
        "project": "Project",
        "overdue": "Overdue",
        "today": "Today",
        "more": "And {count} more.",
        "colon": ": ",
        "aside": "{text} ({aside})",
        "open": "Open the task",
        "open_all": "Open your tasks",
        "because_reminder": "You are receiving this e-mail because the task has a reminder.",
        "because_assignment": "You are receiving this e-mail because the task was assigned to you.",
        "because_mention": "You are receiving this e-mail because somebody mentioned you in a comment.",
        "because_comment": "You are receiving this e-mail because you take part in a task that has a new comment.",
        "because_digest": "You are receiving this e-mail because you asked for a daily digest.",
        "unsubscribe": "Unsubscribe from these e-mails",
        "what_reminder": "reminders",
        "what_assignment": "assignments",
        "what_mention": "mentions",
        "what_comment": "comments",
        "what_digest": "the daily digest",
        "title": "Unsubscribe",
        "ask": "Stop sending {what} to {email}?",
        "stop": "Unsubscribe",
        "stopped": "Done. You will not get {what} by e-mail any more. You can change this in your settings.",
        "invalid": "This link is not valid. Use the link in a newer e-mail, or change your settings.",
    },
    "zh": {
        "reminder": "提醒：{title}",
        "assignment": "{actor} 给你分配了任务：{title}",
        "mention": "{actor} 提到了你：{title}",
        "comment": "{actor} 发表了评论：{title}",
        "digest": "{day}：{count} 项任务",
        "digest_of_one": "{day}：1 项任务",
        "somebody": "有人",
        "due": "截止",
        "start": "开始",
        "project": "项目",
        "overdue": "已逾期",
        "today": "今天",
        "more": "还有 {count} 项。",
        "colon": "：",
        "aside": "{text}（{aside}）",
        "open": "打开任务",
        "open_all": "打开任务列表",
        "because_reminder": "你收到此邮件，是因为该任务设置了提醒。",
        "because_assignment": "你收到此邮件，是因为该任务分配给了你。",
        "because_mention": "你收到此邮件，是因为有人在评论中提到了你。",
        "because_comment": "你收到此邮件，是因为你参与的任务有了新评论。",
        "because_digest": "你收到此邮件，是因为你选择了每日摘要。",
        "unsubscribe": "退订此类邮件",
        "what_reminder": "提醒",
        "what_assignment": "任务分配",
        "what_mention": "提及",
        "what_comment": "评论",
        "what_digest": "每日摘要",
        "title": "退订邮件",
        "ask": "不再向 {email} 发送{what}邮件？",
        "stop": "确认退订",
        "stopped": "已退订。你不会再收到{what}邮件，可以随时在设置中重新开启。",
        "invalid": "链接无效。请使用较新邮件中的链接，或在设置中更改。",
    },
}


def of(language: str) -> dict[str, str]:
    """Return the texts of a language, or the English ones if there are none."""
    return _TEXTS.get(language, _TEXTS["en"])


def one_line(text: str) -> str:
    """Return the text for a subject: without control characters and line breaks, and not too long."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1]}…"


def day(date: dt.date, language: str) -> str:
    """Return a date as people of the language write it."""
    if language == "zh":
        return f"{date.year}年{date.month}月{date.day}日"
    return f"{_WEEKDAYS[date.weekday()]}, {date.day} {_MONTHS[date.month - 1]} {date.year}"


def time_of(wall: dt.datetime, language: str) -> str:
    """Return a local time as people of the language write it."""
    return (
        f"{day(wall.date(), language)} {wall:%H:%M}" if language == "zh" else f"{day(wall, language)}, {wall:%H:%M}"
    )
