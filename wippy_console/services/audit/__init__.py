"""The audit: what people did, append-only, each row chained to the one before; written with the deed."""

from wippy_console.services.audit.chain import Break, verify
from wippy_console.services.audit.journal import (
    ACTIONS,
    ANSWER,
    ASSIGN,
    BATCH,
    CANCEL,
    CLAIM,
    COMMENT,
    ESCALATE,
    EXPORT,
    GRANT,
    GUEST,
    HIDE,
    LIFT,
    POSTPONE,
    PROMOTE,
    PUBLISH,
    RELEASE,
    RESEND,
    RESET,
    SERVICE,
    SHARE,
    SIGNAL,
    START,
    SUBSCRIPTION,
    TERMINATE,
    TOKEN,
    UNLOCK,
    UNMASK,
    VOTE,
    append,
    is_noted,
    note_login,
)
from wippy_console.services.audit.reading import (
    Filters,
    Page,
    csv_lines,
    json_lines,
    newest,
    page,
    refuse_unknown_action,
    visible,
)

__all__ = [
    "ACTIONS", "ANSWER", "ASSIGN", "BATCH", "CANCEL", "CLAIM", "COMMENT", "ESCALATE", "EXPORT", "GRANT", "GUEST",
    "HIDE", "LIFT", "POSTPONE", "PROMOTE", "PUBLISH", "RELEASE", "RESEND", "RESET", "SERVICE", "SHARE", "SIGNAL",
    "START", "SUBSCRIPTION", "TERMINATE", "TOKEN", "UNLOCK", "UNMASK", "VOTE", "Break", "Filters", "Page", "append",
    "csv_lines", "is_noted", "json_lines", "newest", "note_login", "page", "refuse_unknown_action", "verify", "visible",
]  # fmt: skip
