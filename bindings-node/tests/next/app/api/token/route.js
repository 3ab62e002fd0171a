import { PabblyConnectPlatform } from '@pabbly/connect-platform';

export const dynamic = 'force-dynamic';

export function GET() {
  const pc = new PabblyConnectPlatform({ apiKey: 'pk_live_any' });
  return Response.json({ method: typeof pc.getToken });
}
