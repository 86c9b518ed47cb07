"""Addresses of the shop, below /apps/shop/."""

from django.urls import path

from shop import bank_views, views

app_name = "shop"
urlpatterns = [
    path("", views.index, name="index"),
    path("orders/<int:order_id>/", views.show, name="order"),
    path("bank/", bank_views.answer, name="bank"),
]
