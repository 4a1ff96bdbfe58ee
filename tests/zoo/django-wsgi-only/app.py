# SPDX-License-Identifier: MIT
"""Django by WSGI: pages, and nothing that could speak WebSocket."""
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=__name__, SECRET_KEY="x", DEBUG=False)
django.setup()
urlpatterns = [path("", lambda request: HttpResponse("board"))]
application = get_wsgi_application()
