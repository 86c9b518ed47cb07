"""Tables. Which service writes each of them stands in docs/architecture.md."""

from wippy_console.models.access import AccessToken, FailedLogin, RepeatedRequest
from wippy_console.models.audit import AuditRow
from wippy_console.models.batches import Batch, BatchItem
from wippy_console.models.decisions import Comment, Decision, GuestLink, Question, QuestionRole, Vote
from wippy_console.models.drafts import Draft
from wippy_console.models.feed import FeedEvent
from wippy_console.models.fleet import Claim, Node, Process, Service
from wippy_console.models.grants import Grant
from wippy_console.models.hooks import Delivery, DeliveryPart
from wippy_console.models.imported import ImportedHistory
from wippy_console.models.lists import ListSettings, SavedView
from wippy_console.models.notifications import Notification, NotificationPreference
from wippy_console.models.outgoing import Outgoing
from wippy_console.models.quarantine import Quarantine
from wippy_console.models.registry import Program, Revision, Version
from wippy_console.models.runs import HistoryArchive, Run
from wippy_console.models.subscriptions import Subscription
from wippy_console.models.tokens import Token

__all__ = [
    "AccessToken",
    "AuditRow",
    "Batch",
    "BatchItem",
    "Claim",
    "Comment",
    "Decision",
    "Delivery",
    "DeliveryPart",
    "Draft",
    "FailedLogin",
    "FeedEvent",
    "Grant",
    "GuestLink",
    "HistoryArchive",
    "ImportedHistory",
    "ListSettings",
    "Node",
    "Notification",
    "NotificationPreference",
    "Outgoing",
    "Process",
    "Program",
    "Quarantine",
    "Question",
    "QuestionRole",
    "RepeatedRequest",
    "Revision",
    "Run",
    "SavedView",
    "Service",
    "Subscription",
    "Token",
    "Version",
    "Vote",
]
