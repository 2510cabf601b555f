"""A loopback server that speaks as much of the Hugging Face hub as a download needs."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def reply(repositories, path):
    """(status, body, headers) for a path."""
    api = path.startswith("api/models/")
    owner, name, *rest = [*path.removeprefix("api/models/").split("/"), ""]
    folder = repositories.get(f"{owner}/{name}")
    if folder is None:
        return missing("RepoNotFound")
    what, revision, *file = [*rest, "", ""]
    if revision not in ("", "main", COMMIT):
        return missing("RevisionNotFound")
    if not api:
        return content(folder / "/".join(file).strip("/"))
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    names = [str(file.relative_to(folder)) for file in files]
    if what == "tree":
        sizes = zip(names, files, strict=True)
        answer = [
            {"type": "file", "path": name, "size": file.stat().st_size, "oid": COMMIT}
            for name, file in sizes
        ]
        return 200, json.dumps(answer).encode(), {}
    siblings = [{"rfilename": name} for name in names]
    info = {"id": f"{owner}/{name}", "sha": COMMIT, "siblings": siblings}
    return 200, json.dumps(info).encode(), {}


def missing(what):
    return 404, b"{}", {"X-Error-Code": what}


def content(file):
    if not file.is_file():
        return missing("EntryNotFound")
    data = file.read_bytes()
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    return 200, data, {"ETag": etag, "X-Repo-Commit": COMMIT}


@contextmanager
def hub_server(repositories):
    """Serves folders by repository id, each with one commit on `main`; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = unquote(urlsplit(self.path).path).strip("/")
            status, body, headers = reply(repositories, path)
            self.send_response(status)
            for name, value in {"Content-Length": len(body), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
