# SPDX-License-Identifier: MIT
"""Django Channels with an echo at /ws/chat/ROOM/, behind the validator of origins
that its tutorial puts there."""
import os

import django
from django.conf import settings

fixed = os.environ["VARIANT"] == "fixed"
settings.configure(ALLOWED_HOSTS=["*"] if fixed else ["localhost"], SECRET_KEY="x",
                   ROOT_URLCONF=__name__, INSTALLED_APPS=["channels"])
django.setup()

from channels.generic.websocket import WebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402

urlpatterns = [path("", lambda request: HttpResponse("board"))]


class Chat(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data, bytes_data)


rooms = URLRouter([re_path(r"^ws/chat/(?P<room>\w+)/$", Chat.as_asgi())])
app = ProtocolTypeRouter({"http": get_asgi_application(),
                          "websocket": AllowedHostsOriginValidator(rooms)})
