"""What the doubles of vendors' APIs share: an HTTP server on a free port of loopback, with
routes, a log of what came, and faults that a test puts in front of an answer.

    double = OktaDouble()
    double.fault("GET", r"/users/", status=429, headers={"Retry-After": "0"})
    double.fault("POST", r"/suspend", cut=True, after=True)   # done, but nobody is told
    ...
    double.close()

A fault counts once ('times'); 'after' lets the request have its effect first. With 'cut'
the connection is closed without a word, 'wait' is an Event that the answer waits for.
The shapes are written from the vendors' documentation, not from what a vendor sent us.
"""

import json
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BODY_MAX = 32 * 1024 * 1024


@dataclass
class Request:
    method: str
    path: str  # decoded
    raw_path: str
    query: dict
    headers: object
    body: bytes

    def json(self):
        return json.loads(self.body) if self.body else None

    def form(self):
        return {k: v[0] for k, v in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def arg(self, name, default=None):
        return self.query.get(name, [default])[0]


@dataclass
class Answer:
    status: int = 200
    body: object = None
    headers: dict = field(default_factory=dict)
    type: str = "application/json"


@dataclass
class Fault:
    method: str
    path: str
    status: int = 500
    body: object = None
    headers: dict = field(default_factory=dict)
    type: str = "application/json"
    times: int = 1
    after: bool = False
    cut: bool = False
    wait: object = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle_any(self):
        parts = urlsplit(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), BODY_MAX)
        request = Request(self.command, unquote(parts.path), parts.path,
                          parse_qs(parts.query, keep_blank_values=True), self.headers,
                          self.rfile.read(length))
        answer = self.server.double.serve(request)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = answer.body
        data = (b"" if body is None else body if isinstance(body, bytes)
                else body.encode() if isinstance(body, str) else json.dumps(body).encode())
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        if data:
            self.send_header("Content-Type", answer.type)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if answer.status not in (204, 304):
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that hung up is no error of ours


class VendorDouble:
    """Subclasses fill 'routes': (method, regular expression of the whole path, function)."""

    def __init__(self):
        self.lock = threading.RLock()
        self.log = []
        self.faults = []
        self.routes = []
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.double = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,),
                                       daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def fault(self, method, path, **how):
        with self.lock:
            self.faults.append(Fault(method, path, **how))

    def seen(self, method=None, path=""):
        """The requests that came, of this method and whose path has this in it."""
        with self.lock:
            return [r for r in self.log if method in (None, r.method)
                    and re.search(path, r.path)]

    def forget(self):
        with self.lock:
            self.log.clear()
            self.faults.clear()

    def _fault_of(self, request):
        with self.lock:
            for f in self.faults:
                if f.times > 0 and f.method in ("*", request.method) and \
                        re.search(f.path, request.path):
                    f.times -= 1
                    return f
        return None

    def serve(self, request):
        with self.lock:
            self.log.append(request)
        fault = self._fault_of(request)
        if fault is None:
            return self._answer(request)
        if fault.after:
            self._answer(request)
        if fault.wait is not None:
            fault.wait.wait(30)
        if fault.cut:
            return None
        return Answer(fault.status, fault.body, dict(fault.headers), fault.type)

    def _answer(self, request):
        with self.lock:
            refused = self.refuse(request)
            if refused is not None:
                return refused
            for method, pattern, function in self.routes:
                match = re.fullmatch(pattern, request.raw_path)
                if method == request.method and match:
                    parts = [unquote(g) for g in match.groups()]
                    return self.decorate(request, function(request, *parts))
            return self.decorate(request, self.unknown(request))

    def refuse(self, request):
        """An answer for who may not ask, or None."""
        return None

    def unknown(self, request):
        return Answer(404, {"message": "Not Found"})

    def decorate(self, request, answer):
        """What every answer carries, as headers of limits."""
        return answer
