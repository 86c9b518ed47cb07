"""The form of an order."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from shop.models import Order, Product

CARDS = {
    "tok_visa": "Visa",
    "tok_declined": "A card that is declined",
    "tok_down": "The bank is down twice, then pays",
    "tok_slow": "The bank takes ten seconds",
}
"""Stand for what a payment provider's form in the browser would give us: never a card's number."""


class OrderForm(forms.ModelForm):
    """What a customer fills in."""

    card = forms.ChoiceField(choices=CARDS.items(), help_text="Each behaves differently: look at the run's timeline.")

    class Meta:
        model = Order
        fields: ClassVar = ["product", "quantity", "customer"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")

    def clean(self) -> None:
        """An amount that the column can't hold is the form's error."""
        product, quantity = self.cleaned_data.get("product"), self.cleaned_data.get("quantity")
        if isinstance(product, Product) and quantity:
            self.instance.amount = product.price * quantity
