"""Where sockets go. `websocket_application` is ready for an ASGI router: origin and session are checked."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from wippy_console.live.consumer import FeedConsumer
from wippy_console.live.shutdown import close_on_shutdown

websocket_urlpatterns = [path("ws/feed/", FeedConsumer.as_asgi())]

websocket_application = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))

close_on_shutdown()
