import os

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pabbly_connect import ConnectionNeedsReconnection, WebhookVerificationError, webhooks


@csrf_exempt  # The signature says who sends it.
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    try:
        event = webhooks.verify(request.headers, request.body, os.environ["PC_WEBHOOK_SECRET"])
    except WebhookVerificationError as error:
        return HttpResponse(error.code, status=400)
    if isinstance(event.data, ConnectionNeedsReconnection):
        print(f"ask for {event.data.connection.id} again: {event.data.reason}")
    return HttpResponse(status=204)
