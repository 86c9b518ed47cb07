"""The pages of the shop, in the console's look."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from shop import orders
from shop.forms import OrderForm
from shop.models import Order, Product

NEWEST = 20


@permission_required("shop.view_order", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What there is, the newest orders, and the form of another one."""
    if request.method == "POST":
        return _place(request)
    return _shop(request, OrderForm(initial={"customer": request.user.get_username()}))


@permission_required("shop.add_order", raise_exception=True)
def _place(request: HttpRequest) -> HttpResponse:
    form = OrderForm(request.POST)
    if not form.is_valid():
        return _shop(request, form, status=422)
    order = orders.place(form.save(commit=False), form.cleaned_data["card"], cast("User", request.user))
    return redirect("shop:order", order.pk)


def _shop(request: HttpRequest, form: OrderForm, status: int = 200) -> HttpResponse:
    newest = Order.objects.select_related("product")[:NEWEST]
    context = {"products": Product.objects.all(), "orders": newest, "form": form}
    return render(request, "shop/index.html", context, status=status)


@permission_required("shop.view_order", raise_exception=True)
@require_safe
def show(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order: its state, its payments, and the run that carries it out."""
    order = get_object_or_404(Order.objects.select_related("product", "placed_by"), pk=order_id)
    context = {
        "order": order,
        "payments": order.payments.all(),
        "run": orders.run_of(order, cast("User", request.user)),
    }
    return render(request, "shop/order.html", context)
