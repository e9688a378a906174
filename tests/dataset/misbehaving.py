"""Https servers that misbehave: one function a behaviour, given a request and free to answer it in any way."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Behaviour = Callable[["Talk"], None]


@dataclass
class Talk:
    """One request to a server, and what it takes to answer it."""

    stream: socket.socket
    content: bytes
    offset: int
    """The first byte asked for."""
    attempt: int
    """How many requests came before this one."""
    scale: float
    """Seconds here for each second in the wild."""
    port: int
    closing: threading.Event

    def send(self, data: bytes | str) -> None:
        """Send at once."""
        self.stream.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds of the wild."""
        if self.closing.wait(seconds * self.scale):
            raise ConnectionError

    def head(self, status: str = "", **headers: str) -> None:
        """The right head for what was asked, or one with this status; `headers` replace its own, "" leaves one out."""
        size = len(self.content)
        right = {"Content-Length": str(size - self.offset), "ETag": '"it"'}
        if self.offset:
            right["Content-Range"] = f"bytes {self.offset}-{size - 1}/{size}"
        if status:
            right = {"Content-Length": "0"}
        right |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in right.items() if value)
        self.send(f"HTTP/1.1 {status or ('206 Partial Content' if self.offset else '200 OK')}\r\n{lines}\r\n")

    def body(self, until: int | None = None) -> None:
        """The bytes asked for, up to offset `until`."""
        self.send(self.content[self.offset : until])

    def rest(self, start: int, rate: float) -> None:
        """The bytes from `start` on, so many a second of this clock."""
        step = max(1, int(rate / 20))
        for position in range(max(start, self.offset), len(self.content), step):
            self.send(self.content[position : position + step])
            if self.closing.wait(step / rate):
                raise ConnectionError

    def drip(self, data: bytes, every: float) -> None:
        """One byte at a time, again and again, `every` so many seconds of the wild."""
        while True:
            for value in data:
                self.send(bytes([value]))
                self.pause(every)

    def reset(self) -> None:
        """Hang up with a reset instead of an end."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server:
    """One server on this machine; `plain` leaves TLS out, and the request."""

    def __init__(
        self, behaviour: Behaviour, content: bytes, scale: float, context: ssl.SSLContext, plain: bool = False
    ) -> None:
        self._behaviour, self._content, self._scale, self._context, self._plain = (
            behaviour,
            content,
            scale,
            context,
            plain,
        )
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._requests = 0
        self.url = f"https://localhost:{self._port}/archive.tar.gz"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError), self._listener:
            while not self._closing.is_set():
                stream = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        with suppress(OSError), stream:
            if self._plain:
                self._behaviour(Talk(stream, self._content, 0, 0, self._scale, self._port, self._closing))
                return
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._context.wrap_socket(stream, server_side=True) as secure:
                request = b""
                while b"\r\n\r\n" not in request:
                    received = secure.recv(65536)
                    if not received:
                        return
                    request += received
                asked = request.partition(b"Range: bytes=")[2].partition(b"-")[0]
                attempt, self._requests = self._requests, self._requests + 1
                self._behaviour(
                    Talk(secure, self._content, int(asked or 0), attempt, self._scale, self._port, self._closing)
                )


@contextmanager
def serving(*servers: Server) -> Iterator[tuple[str, ...]]:
    """The addresses of servers that are closed in the end."""
    try:
        yield tuple(server.url for server in servers)
    finally:
        for server in servers:
            server.close()
