import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (url: URL, request: IncomingMessage, response: ServerResponse) => unknown;

export interface RunningServer {
  url: string;
  stop(): Promise<void>;
}

/** Serves on loopback at a free port; `host` is the name for it in the address, and so the origin. */
export async function serve(host: 'localhost' | '127.0.0.1', handler: Handler): Promise<RunningServer> {
  const server = createServer(async (request, response) => {
    try {
      await handler(new URL(request.url ?? '/', 'http://unused'), request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
