// app/hooks/connect/route.js
import { WebhookVerificationError, webhooks } from '@pabbly/connect-platform';

export async function POST(request) {
  let event;
  try {
    event = webhooks.verify(request.headers, await request.text(), process.env.PC_WEBHOOK_SECRET);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return new Response(error.code, { status: 400 });
  }
  if (event.type === 'connection.needs_reconnection') {
    console.log(`ask for ${event.data.connection.id} again: ${event.data.reason}`);
  }
  return new Response(null, { status: 204 });
}
