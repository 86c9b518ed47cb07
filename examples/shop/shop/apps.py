"""The shop as a Django app; `WIPPY_APPS` names it."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """The shop."""

    name = "shop"
    verbose_name = "Shop"
    console_permission = "shop.view_order"
    default_auto_field = "django.db.models.BigAutoField"
