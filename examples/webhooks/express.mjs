import express from 'express';
import { WebhookVerificationError, webhooks } from '@pabbly/connect-platform';

export const app = express();

// The body as it came: `express.json()` must not parse it before.
app.post('/hooks/connect', express.raw({ type: 'application/json' }), (request, response) => {
  let event;
  try {
    event = webhooks.verify(request.headers, request.body, process.env.PC_WEBHOOK_SECRET);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return response.status(400).send(error.code);
  }
  switch (event.type) {
    case 'connection.active':
      console.log(`${event.data.connection.id} can be used`);
      break;
    case 'connection.needs_reconnection':
      console.log(`ask for ${event.data.connection.id} again: ${event.data.reason}`);
      break;
  }
  response.sendStatus(204);
});
