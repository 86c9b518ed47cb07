from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0040_outbox_states"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="revision",
            index=models.Index(fields=["kind"], name="revision_kind"),
        ),
    ]
