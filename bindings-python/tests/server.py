"""A service that answers at once, for tests that make many calls. Prints its address; ends with its standard input.

The connection's id in the path says what happens: `hang…` is never answered, `slow…` after 50 ms, `pending…` stays
pending; everything else is active and has a token. `GET /counters` tells what the server saw.
"""

import asyncio
import json
import sys

TOKEN = {"access_token": "ya29.canary", "token_type": "Bearer", "expires_in": 3599, "auth_type": "o_auth"}
counters = {"connections": 0, "requests": 0, "open": 0, "hanging": 0}


def http(data, status=b"200 OK"):
    body = json.dumps({"status": "success", "message": "ok", "data": data}).encode()
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


TOKEN_ANSWER = http(TOKEN)


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def connection_made(self, transport):
        counters["connections"] += 1
        counters["open"] += 1
        self.transport, self.received, self.hanging = transport, b"", False

    def connection_lost(self, _error):
        counters["open"] -= 1
        counters["hanging"] -= self.hanging

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, rest = self.received[:end].lower(), self.received[end + 4 :]
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(rest) < length:
                return
            self.received = rest[length:]
            self.answer(self.transport, head)

    def answer_late(self):
        if not self.transport.is_closing():
            self.transport.write(TOKEN_ANSWER)

    def answer(self, transport, head):
        counters["requests"] += 1
        path = head.split(b" ", 2)[1].decode()
        if path.endswith("/token") and "/hang" not in path and "/slow" not in path:
            transport.write(TOKEN_ANSWER)
        elif path == "/counters":
            counters["requests"] -= 1
            transport.write(json.dumps(counters).encode())
            transport.close()
        elif "/hang" in path:
            self.hanging = True
            counters["hanging"] += 1
        elif "/slow" in path:
            asyncio.get_running_loop().call_later(0.05, self.answer_late)
        elif path.startswith("/apps"):
            apps = [{"id": f"app{n}", "name": f"App {n}", "description": "x" * 600} for n in range(20)]
            transport.write(http({"apps": apps, "page": 1, "limit": 20, "total": 20}))
        else:
            status = "pending" if "/pending" in path else "active"
            transport.write(http({"id": path.rpartition("/")[2], "status": status}))


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())
