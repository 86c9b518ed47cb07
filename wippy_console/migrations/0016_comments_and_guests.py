from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0015_chains"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="key",
            field=models.UUIDField(help_text="of the form: the same again is the same comment", null=True, unique=True),
        ),
        migrations.AddField(
            model_name="guestlink",
            name="issue",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="guestlink",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
