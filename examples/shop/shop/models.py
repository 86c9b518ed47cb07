"""What the shop knows: what it sells, who ordered what, what was paid, and what the bank says of that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Product(models.Model):
    """What can be ordered."""

    sku = models.SlugField("SKU", unique=True, max_length=40)
    name = models.CharField(max_length=120)
    price = models.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    stock = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """One order. The view that places it writes it once; from then on its workflow moves it, by `shop.functions`."""

    class State(models.TextChoices):
        """How far it is."""

        PLACED = "placed"
        RESERVED = "reserved"
        PAID = "paid"
        SHIPPED = "shipped"
        REFUSED = "refused"

    product = models.ForeignKey(Product, models.PROTECT, related_name="orders")
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(100)])
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    customer = models.CharField(max_length=120)
    state = models.CharField(max_length=12, choices=State, default=State.PLACED)
    reserved = models.PositiveIntegerField(default=0, help_text="pieces taken from the stock for it")
    parcel = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="why it was refused")
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """How people call it."""
        return f"S-{self.pk}"

    @property
    def workflow_id(self) -> str:
        """The id of its workflow: an order can't be begun twice."""
        return f"shop-order-{self.pk}"

    @property
    def look(self) -> tuple[str, str]:
        """An icon of the console, and the tone of its colour."""
        return LOOKS[self.State(self.state)]

    @property
    def is_open(self) -> bool:
        """Whether its workflow still has something to do."""
        return self.state not in (self.State.SHIPPED, self.State.REFUSED)

    def told(self, card: str) -> dict[str, Any]:
        """What its workflow is given; `amount` as text, for a float is no money."""
        return {
            "id": self.pk,
            "number": self.number,
            "customer": self.customer,
            "product": self.product.name,
            "quantity": self.quantity,
            "amount": str(self.amount),
            "card": card,
        }


LOOKS = {
    Order.State.PLACED: ("circle-dashed", "mute"),
    Order.State.RESERVED: ("hourglass", "wait"),
    Order.State.PAID: ("circle-play", "run"),
    Order.State.SHIPPED: ("circle-check", "ok"),
    Order.State.REFUSED: ("circle-x", "bad"),
}


class Payment(models.Model):
    """Money for an order. One row for each call of `charge`, however often that call is tried."""

    class State(models.TextChoices):
        """What became of it."""

        ASKED = "asked"
        CHARGED = "charged"
        DECLINED = "declined"
        REFUNDED = "refunded"

    key = models.CharField(max_length=200, unique=True, help_text="ctx.idempotency_key of the call")
    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=12, choices=State, default=State.ASKED)
    reference = models.CharField(max_length=60, blank=True, help_text="what the bank calls it")
    attempts = models.PositiveIntegerField(default=0, help_text="how often the bank was asked")
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.amount} for {self.order.number}"


class BankCharge(models.Model):
    """The other side: what the pretended bank has booked. A key is booked once, however often it is sent."""

    key = models.CharField(max_length=200, unique=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    booked = models.BooleanField(default=False)
    refunded = models.BooleanField(default=False)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.amount} by {self.key}"

    @property
    def reference(self) -> str:
        """What the bank calls it."""
        return f"bank-{self.pk}"
