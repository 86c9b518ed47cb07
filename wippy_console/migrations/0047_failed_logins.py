"""Log-ins that failed, of django-axes' table, with rights of ours."""

from django.db import migrations

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("axes", "0010_accessattemptexpiration"),
        ("wippy_console", "0046_subscriptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="FailedLogin",
            fields=[],
            options={
                "verbose_name": "failed log-in",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("axes.accessattempt",),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
