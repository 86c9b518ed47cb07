"""The shop in the admin: products are edited there, the rest is written by code and only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from shop.models import BankCharge, Order, Payment, Product


class ReadOnly(admin.ModelAdmin):
    """Rows that code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Code adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Code changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A run may still need them."""
        return False


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """What is sold, and how much of it there is."""

    list_display = ["name", "sku", "price", "stock"]
    search_fields = ["name", "sku"]


class PaymentInline(admin.StackedInline):
    """What was paid for an order."""

    model = Payment
    fields = ("amount", "state", "reference", "attempts", "asked_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Code adds them."""
        return False


@admin.register(Order)
class OrderAdmin(ReadOnly):
    """Orders, newest first."""

    list_display = ["number", "customer", "product", "quantity", "amount", "state", "placed_at"]
    list_filter = ["state"]
    list_select_related = ["product"]
    search_fields = ["customer"]
    inlines = [PaymentInline]


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    """Payments."""

    list_display = ["order", "amount", "state", "reference", "attempts", "asked_at"]
    list_filter = ["state"]
    list_select_related = ["order"]
    search_fields = ["key", "reference"]


@admin.register(BankCharge)
class BankChargeAdmin(ReadOnly):
    """What the pretended bank knows."""

    list_display = ["key", "amount", "booked", "refunded", "requests"]
    search_fields = ["key"]
