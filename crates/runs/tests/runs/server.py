"""ClickHouse's HTTP interface over chDB, as much as its Rust client asks for: a query as the body or as a field of a form, its parameters
as fields `param_*` or in the address, or a query in the address and what it inserts as the body.

    python server.py FOLDER [PORT]    listens on this port or a free one, which it prints; ends when its standard input does
"""
import os
import sys
import tempfile
import threading
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

USER, PASSWORD = "default", ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = dict(parse_qsl(urlsplit(self.path).query))
        body = self.body()
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            for part in form.get_payload():
                asked[part.get_param("name", header="content-disposition")] = part.get_payload(decode=True).decode()
            body = b""
        elif "query" not in asked:
            asked["query"], body = body.decode(), b""
        given = self.headers.get("X-ClickHouse-User", USER), self.headers.get("X-ClickHouse-Key", PASSWORD)
        if given != (USER, os.environ.get("CHDB_PASSWORD", PASSWORD)):
            return self.answer(403, b"Code: 516. DB::Exception: default: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)\n")
        try:
            self.answer(200, self.server.ask(asked, body))
        except RuntimeError as error:
            self.answer(500, f"{error}\n".encode())

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while length := int(self.rfile.readline(), 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # Who asked was killed.


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder, port=0):
        super().__init__(("127.0.0.1", int(port)), Handler)
        self.session, self.one = Session(folder), threading.Lock()

    def ask(self, asked, body):
        query = asked["query"]
        params = {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}
        with self.one:
            # A database that is not there yet is the query's to name.
            self.session.query(f"USE `{asked.get('database') or 'default'}`")
            if not body:
                return self.session.query(query, asked.get("default_format", "TabSeparated"), params=params).bytes()
            with tempfile.NamedTemporaryFile() as rows:
                rows.write(body)
                rows.flush()
                insert, form = query.rsplit(" FORMAT ", 1)
                self.session.query(f"{insert} FROM INFILE '{rows.name}' FORMAT {form}")
            return b""


def main():
    server = Server(*sys.argv[1:])
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    # The engine's own end takes five minutes now and then; what it was given is in its files.
    os._exit(0)


main()
