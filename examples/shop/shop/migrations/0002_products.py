"""Something to sell."""

from django.db import migrations

PRODUCTS = [
    ("lamp", "Desk lamp", "49.00", 20),
    ("desk", "Standing desk", "480.00", 5),
    ("chair", "Office chair", "95.50", 1),
    ("globe", "Globe of 1989", "35.00", 0),
]


def stock(apps, schema_editor):
    """Only what is not there."""
    product = apps.get_model("shop", "Product")
    for sku, name, price, count in PRODUCTS:
        product.objects.get_or_create(sku=sku, defaults={"name": name, "price": price, "stock": count})


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [migrations.RunPython(stock, migrations.RunPython.noop)]
