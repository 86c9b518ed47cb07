"""Addresses of the console. A tab or a filter of a page is a field of its query, not an address of its own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path, register_converter

from wippy_console.api import v1
from wippy_console.http import app_pages, converters
from wippy_console.views import (
    actions,
    audit,
    batches,
    bulk,
    claims,
    columns,
    comments,
    compare,
    drafts,
    editor,
    guests,
    home,
    imported,
    inbox,
    live,
    notifications,
    palette,
    process_actions,
    processes,
    question,
    registry,
    removal,
    resets,
    rights,
    run_query,
    run_source,
    runs,
    saved_views,
    session,
    start,
    timeline,
    trial,
    unmasking,
    workers,
)

admin.autodiscover()
register_converter(converters.IdConverter, "id")
register_converter(converters.RunIdConverter, "rid")

run = [
    path("", runs.show, name="run"),
    path("timeline.json", timeline.show, name="run_timeline"),
    path("rows/<int:row_id>/", runs.row, name="run_row"),
    path("rows/question/<int:question_id>/", runs.question_row, name="run_question_row"),
    path("events/<int:event_id>/", runs.event, name="run_event"),
    path("history.json", runs.download, name="run_history"),
    path("values/<str:which>.json", runs.value, name="run_value"),
    path("query/", run_query.show, name="run_query"),
    path("payloads/<slug:key>/", runs.payload, name="run_payload"),
    path("source/<id:entry_id>/", run_source.show, name="run_source"),
    path("answer/<int:index>/", actions.answer, name="run_answer"),
    path("answer/<int:index>/standing/", actions.standing, name="run_standing"),
    path("signal/", actions.raw, name="run_signal"),
    path("unmask/", unmasking.show, name="run_unmask"),
    path("mask/", unmasking.hide, name="run_mask"),
    path("reset/", resets.reset, name="run_reset"),
    path("<str:action>/", actions.end, name="run_end"),
]

urlpatterns = [
    path("", home.show, name="home"),
    path("health/", home.health, name="health"),
    path("palette/", palette.find, name="palette"),
    path("login/", session.login, name="login"),
    path("logout/", session.logout, name="logout"),
    path("drafts/", drafts.save, name="draft"),
    path("drafts/discard/", drafts.discard, name="draft_discard"),
    path("inbox/", inbox.index, name="inbox"),
    path("inbox/count/", inbox.badge, name="inbox_badge"),
    path("inbox/bulk/", bulk.answer, name="bulk"),
    path("inbox/<int:question_id>/", question.show, name="question"),
    path("inbox/<int:question_id>/assign/", claims.assign, name="question_assign"),
    path("inbox/<int:question_id>/postpone/", claims.postpone, name="question_postpone"),
    path("inbox/<int:question_id>/claim/", claims.claim, name="question_claim"),
    path("inbox/<int:question_id>/release/", claims.release, name="question_release"),
    path("inbox/<int:question_id>/comments/", comments.show, name="question_comments"),
    path("inbox/<int:question_id>/names/", comments.names, name="question_names"),
    path("inbox/<int:question_id>/guest/renew/", guests.renew, name="guest_renew"),
    path("inbox/<int:question_id>/guest/withdraw/", guests.withdraw, name="guest_withdraw"),
    path("guest/<str:token>/", guests.answer, name="guest"),
    path("runs/", runs.index, name="runs"),
    path("runs/start/", start.start, name="start"),
    path("runs/compare/", compare.show, name="compare"),
    path("runs/import/", imported.bring, name="import"),
    path("runs/imported/<int:history_id>/", imported.show, name="imported"),
    path("runs/imported/<int:history_id>/events/<int:event_id>/", imported.event, name="imported_event"),
    path("runs/imported/<int:history_id>/history.json", imported.download, name="imported_history"),
    path("runs/imported/<int:history_id>/discard/", imported.discard, name="imported_discard"),
    path("runs/batches/", batches.index, name="batches"),
    path("runs/batches/new/", batches.new, name="batch_new"),
    path("runs/batches/<int:number>/", batches.show, name="batch"),
    path("runs/batches/<int:number>/stop/", batches.stop, name="batch_stop"),
    path("runs/batches/<int:number>/undo/", batches.undo, name="batch_undo"),
    path("runs/<id:workflow_id>/<rid:run_id>/", include(run)),
    path("audit/", audit.index, name="audit"),
    path("audit/export.<str:ending>", audit.export, name="audit_export"),
    path("people/<int:user_id>/rights/", rights.show, name="rights"),
    path("live/", live.show, name="live"),
    path("live/missed/", live.missed, name="live_missed"),
    path("views/columns/", columns.choose, name="columns"),
    path("views/new/<str:name>/", saved_views.new, name="view_new"),
    path("views/<int:view_id>/", saved_views.edit, name="view_edit"),
    path("views/<int:view_id>/delete/", saved_views.delete, name="view_delete"),
    path("preferences/notifications/", notifications.choose, name="notification_preferences"),
    path("preferences/notifications/test/", notifications.test, name="notification_test"),
    path("preferences/notifications/secret/", notifications.secret, name="notification_secret"),
    path("notifications/", notifications.index, name="notifications"),
    path("notifications/new/", notifications.new, name="notifications_new"),
    path("notifications/resend/", notifications.resend_all, name="notifications_resend"),
    path("notifications/<uuid:notification_id>/resend/", notifications.resend, name="notification_resend"),
    path("registry/", registry.index, name="registry"),
    path("registry/new/", editor.new, name="entry_new"),
    path("registry/edit/<id:entry_id>/", editor.edit, name="entry_edit"),
    path("registry/delete/<id:entry_id>/", removal.delete, name="entry_delete"),
    path("registry/try/<id:entry_id>/", trial.show, name="entry_try"),
    path("registry/<id:entry_id>/", registry.show, name="entry"),
    path("processes/", processes.index, name="processes"),
    path("processes/around/", processes.show_fleet, name="processes_fleet"),
    path("processes/spawn/", process_actions.spawn, name="spawn"),
    path("processes/services/<int:service_id>/<str:action>/", process_actions.service, name="service_move"),
    path("processes/message/<id:pid>/", process_actions.message, name="process_message"),
    path("processes/end/<str:action>/<id:pid>/", process_actions.end, name="process_end"),
    path("processes/<id:pid>/", processes.show, name="process"),
    path("workers/", workers.show, name="workers"),
    path("workers/quarantine/<int:quarantine_id>/", workers.lift, name="quarantine_lift"),
    path("workers/promote/", workers.promote, name="promote"),
    path("admin/login/", session.admin),
    path("admin/logout/", session.logout),
    path("admin/", admin.site.urls),
]

urlpatterns += [
    path("api/v1/", include((v1.urls(), v1.api.urls_namespace))),
    re_path(r"^api/(?!docs/$)", v1.unknown),
]
urlpatterns += [path(f"apps/{label}/", include(module)) for label, module in app_pages.modules()]

handler400 = "wippy_console.views.errors.unreadable"
handler403 = "wippy_console.views.errors.forbidden"
handler404 = "wippy_console.views.errors.not_found"
handler500 = "wippy_console.views.errors.failed"
