"""Questions, what people said about them, and the answers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from wippy_console.admin import base, filters, frugal
from wippy_console.models import Comment, Decision, GuestLink, Question, QuestionRole, Vote
from wippy_console.services import decisions


class RoleInline(base.ReadOnlyInline[QuestionRole, Question]):
    """The groups that may answer a question."""

    model = QuestionRole


class AnsweredFilter(admin.SimpleListFilter):
    """Open and closed questions."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("open", "open"), ("closed", "closed")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        """The questions of the choice."""
        match self.value():
            case "open":
                return queryset.filter(closed_at=None, outcome="")
            case "closed":
                return queryset.filter(closed_at__isnull=False)
        return queryset


class AskedRole(filters.RoleFilter):
    """Groups that are asked by a question; the newest questions of each."""

    def queryset(self, request: Any, queryset: Any) -> Any:
        """The questions of the choice."""
        if not self.value():
            return queryset
        asked = QuestionRole.objects.filter(role=self.value()).order_by("-question_id").values("question_id")
        return queryset.filter(pk__in=asked[: frugal.MOST])


@admin.register(Question)
class QuestionAdmin(base.ReadOnlyAdmin[Question]):
    """What runs ask, and until when."""

    namespace = "namespace"
    list_display = ["run", "title", "channel", "opened_at", "deadline", "assignee", "outcome", "closed_at", "page"]
    list_filter = [AnsweredFilter, AskedRole, "opened_at"]
    list_select_related = ["run", "assignee"]
    search_fields = ["run__run_id", "run__workflow_id"]
    search_words = ("title", "channel")
    search_help_text = "Workflow id or run id, or its beginning; words of a title"
    ordering = ["-opened_at", "-id"]
    autocomplete_fields = ["run", "assignee"]
    inlines = [RoleInline]

    @admin.display(description="console")
    def page(self, question: Question) -> SafeString | str:
        """The run's page in the console."""
        return base.link("timeline", "run", workflow_id=question.run.workflow_id, run_id=question.run_id)


@admin.register(QuestionRole)
class QuestionRoleAdmin(base.ReadOnlyAdmin[QuestionRole]):
    """Who may answer; shown with the question, so it has no place in the index."""

    namespace = "question__namespace"
    list_display = ["question", "role", "user"]
    list_filter = [filters.RoleFilter]
    list_select_related = ["question__run"]
    search_fields = ["role", "question__run__workflow_id"]
    search_help_text = "Role or workflow id, or its beginning"
    ordering = ["-question_id"]
    autocomplete_fields = ["question"]

    def has_module_permission(self, request: Any) -> bool:
        """Not in the index."""
        return False


@admin.register(Vote)
class VoteAdmin(base.ReadOnlyAdmin[Vote]):
    """Who voted what on a question that takes several."""

    namespace = "question__namespace"
    list_display = ["created_at", "user", "label", "question", "reason"]
    list_filter = ["created_at"]
    list_select_related = ["user", "question__run"]
    search_fields = ["user__username", "question__run__workflow_id"]
    search_words = ("reason",)
    search_help_text = "User or workflow id; words of a reason"
    ordering = ["-created_at", "-id"]
    autocomplete_fields = ["question", "user"]


@admin.register(Comment)
class CommentAdmin(base.ReadOnlyAdmin[Comment]):
    """What people said about questions."""

    namespace = "question__namespace"
    list_display = ["created_at", "user", "guest", "question", "text"]
    list_filter = ["created_at"]
    list_select_related = ["user", "question__run"]
    search_fields = ["user__username", "guest", "question__run__workflow_id"]
    search_words = ("text",)
    search_help_text = "User or workflow id; words of a comment"
    ordering = ["-created_at", "-id"]
    autocomplete_fields = ["question", "user"]


@admin.register(GuestLink)
class GuestLinkAdmin(base.ReadOnlyAdmin[GuestLink]):
    """Links by which people without an account answer one question, without the links themselves."""

    namespace = "question__namespace"
    list_display = ["created_at", "address", "question", "expires_at", "used_at", "withdrawn_at", "issue"]
    list_filter = [("used_at", admin.EmptyFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["question__run"]
    search_fields = ["question__run__workflow_id"]
    search_words = ("address",)
    search_help_text = "Workflow id; a part of an address"
    autocomplete_fields = ["question"]
    ordering = ["-created_at"]
    exclude = ["digest"]


@admin.register(Decision)
class DecisionAdmin(base.ReadOnlyAdmin[Decision]):
    """Answers, cancels and terminates: who, what and why, and the event that each became."""

    namespace = "run__namespace"
    masked = ("payload",)
    list_display = ["created_at", "user", "action", "label", "topic", "run", "state", "reason", "event"]
    list_filter = ["state", filters.one_of("action", "signal", "cancel", "terminate", "reset"), "created_at"]
    list_select_related = ["user", "run"]
    search_fields = ["user__username", "run__run_id", "run__workflow_id"]
    search_words = ("topic", "label", "reason")
    search_help_text = "User, workflow id or run id; words of a topic or reason"
    autocomplete_fields = ["run", "user", "question"]
    fieldsets = [
        (None, {"fields": ["id", "user", "action", "label", "topic", "reason", "shown_payload"]}),
        ("Effect", {"fields": ["run", "question", "state", "event", "error"]}),
        ("Times", {"fields": ["created_at", "completed_at"]}),
    ]

    @admin.display(description="payload")
    def shown_payload(self, decision: Decision) -> SafeString:
        """What was sent."""
        return base.pretty(decisions.shown_payload(decision))

    @admin.display(description="history event", ordering="event_id")
    def event(self, decision: Decision) -> SafeString | str:
        """The event that it became."""
        if decision.event_id is None:
            return "-"
        run = decision.run
        where = {"workflow_id": run.workflow_id, "run_id": run.run_id, "event_id": decision.event_id}
        return base.link(str(decision.event_id), "run_event", **where)
