"""Requests that came in by webhooks."""

from __future__ import annotations

from django.contrib import admin

from wippy_console.admin import base
from wippy_console.models import Delivery, DeliveryPart


@admin.register(Delivery)
class DeliveryAdmin(base.ReadOnlyAdmin[Delivery]):
    """Requests to /hooks/ and what became of them; bodies and answers are on their pages of the console."""

    namespace = "namespace"
    exclude = ["body", "answer", "answer_headers", "headers", "query", "params", "key"]
    list_display = ["received_at", "route", "state", "status", "source", "endpoint"]
    list_filter = ["state", "act"]
    search_fields = ["sender_id", "endpoint", "workflow_id"]


@admin.register(DeliveryPart)
class DeliveryPartAdmin(base.ReadOnlyAdmin[DeliveryPart]):
    """Pieces of streamed answers; without what is in them."""

    everything = True
    exclude = ["data"]
    list_display = ["delivery", "number"]
