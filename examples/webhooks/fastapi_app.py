import os

from fastapi import FastAPI, HTTPException, Request
from pabbly_connect import ConnectionActive, ConnectionNeedsReconnection, WebhookVerificationError, webhooks

app = FastAPI()


@app.post("/hooks/connect", status_code=204)
async def receive(request: Request) -> None:
    try:
        event = webhooks.verify(request.headers, await request.body(), os.environ["PC_WEBHOOK_SECRET"])
    except WebhookVerificationError as error:
        raise HTTPException(400, error.code) from None
    if isinstance(event.data, ConnectionActive):
        print(f"{event.data.connection.id} can be used")
    elif isinstance(event.data, ConnectionNeedsReconnection):
        print(f"ask for {event.data.connection.id} again: {event.data.reason}")
