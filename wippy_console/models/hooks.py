"""Requests of other systems under `/hooks/`, and what became of each."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Delivery(models.Model):
    """One request, without what it proves itself by. Function endpoints are answered by a worker, which writes the
    answer here; starts and signals are done by the console, which tries until it can.
    """

    class Act(models.TextChoices):
        """What a delivery does."""

        CALL = "call"
        START = "start"
        SIGNAL = "signal"

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "under way"
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    received_at = models.DateTimeField(default=timezone.now)
    endpoint = models.CharField(max_length=500, help_text="the http.endpoint or workflow.lua entry")
    route = models.CharField(max_length=600, help_text="method and path pattern, as POST /hooks/orders/{id}")
    namespace = models.CharField(max_length=500, blank=True)
    act = models.CharField(max_length=10, choices=Act)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=2000)
    query = models.JSONField(default=list, help_text="pairs")
    headers = models.JSONField(default=list, help_text="pairs, names in lower case; without what authenticates")
    params = models.JSONField(default=dict, help_text="of the path")
    source = models.CharField(max_length=45, blank=True, help_text="address")
    body = models.BinaryField(default=bytes)
    size = models.PositiveIntegerField(default=0, help_text="bytes of the body")
    key = models.CharField(max_length=64, blank=True, help_text="digest of the route and its sender's id; blank: none")
    sender_id = models.CharField(max_length=255, blank=True, help_text="what the id header said")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the body")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    problem = models.TextField(blank=True, help_text="why it waits, failed or was refused")
    failure = models.JSONField(null=True, blank=True, help_text="of the function: engine.errors.Failure.to_json")
    status = models.PositiveSmallIntegerField(null=True, help_text="of the answer")
    answer_headers = models.JSONField(default=list, help_text="pairs")
    answer = models.BinaryField(default=bytes, help_text="its body; of a streamed one see DeliveryPart")
    is_streamed = models.BooleanField(default=False)
    took = models.FloatField(null=True, help_text="seconds")
    times = models.PositiveIntegerField(default=1, help_text="so many of the kind were refused since received_at")
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text="when it is tried again")
    expires_at = models.DateTimeField(null=True, help_text="until when it waits for a run")
    workflow_id = models.CharField(max_length=1000, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    again_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="again")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", help_text="who redelivered"
    )

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="delivery_newest"),
            models.Index(fields=["namespace", "-received_at"], name="delivery_room"),
            models.Index(fields=["endpoint", "-received_at"], name="delivery_endpoint"),
            models.Index(fields=["state", "-received_at", "-id"], name="delivery_state"),
            models.Index(fields=["sender_id"], name="delivery_sender", condition=~models.Q(sender_id="")),
            models.Index(fields=["workflow_id"], name="delivery_workflow", condition=~models.Q(workflow_id="")),
            models.Index(fields=["due_at"], name="delivery_due", condition=models.Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~models.Q(key=""), name="one_delivery_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class DeliveryPart(models.Model):
    """A piece of an answer that is sent while its function runs."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_part_per_number")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number}"
