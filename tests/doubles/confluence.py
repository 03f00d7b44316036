"""A double of Confluence Cloud: what API v2 says of spaces, their permissions, pages, folders and
labels, and v1 of restrictions, groups and CQL, by their documentation. Basic auth; cursors; 429 on demand.

    with Confluence() as wiki:
        wiki.page("101", "Phishing", "<p>text</p>", labels=["runbook"])
"""

import base64
import http.server
import json
import re
import threading
import urllib.parse

USER, TOKEN = "bot@example.test", "atl-token"


class Confluence:
    def __init__(self, page_size=2):
        self.page_size = page_size
        self.pages, self.folders, self.restrictions = {}, {}, {}
        self.spaces = {"SEC": "11"}
        self.permissions = {"11": []}
        self.groups = {}            # by id: name
        self.permit("11", "group", "staff")
        self.requests = []
        self.failing = {}           # path prefix: status
        self.refuse_next = 0        # that many requests get 429
        self.lock = threading.Lock()
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                double.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.url = self.root + "/wiki"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def page(self, id, title, body, parent=None, parent_type="page", labels=(), status="current", space="11"):
        version = self.pages[id]["version"] + 1 if id in self.pages else 1
        with self.lock:
            self.pages[id] = {"id": id, "title": title, "body": body, "parent": parent,
                              "parent_type": parent_type, "labels": list(labels), "status": status,
                              "version": version, "space": space}

    def restrict(self, id, users=(), groups=()):
        """users: account id, or (account id, address)."""
        self.restrictions[id] = {
            "user": [{"type": "known", "accountId": u if isinstance(u, str) else u[0],
                      "email": "" if isinstance(u, str) else u[1]} for u in users],
            "group": [{"type": "group", "name": g, "id": "g-" + g} for g in groups]}

    def permit(self, space, kind, who, key="read", target="space"):
        """kind: user (an account id), group (a name) or role; a group gets an id of its own."""
        id = "g-" + who if kind == "group" else who
        if kind == "group":
            self.groups[id] = who
        self.permissions[space].append({"id": str(len(self.permissions[space])),
                                        "principal": {"type": kind, "id": id},
                                        "operation": {"key": key, "targetType": target}})

    def asked(self, pattern):
        return [r for r in self.requests if re.search(pattern, r)]

    # --- answers ---

    def answer(self, h):
        url = urllib.parse.urlsplit(h.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        with self.lock:
            self.requests.append(h.path)
            wanted = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
            if h.headers.get("Authorization") != wanted:
                return self.send(h, 401, {"code": 401, "message": "Unauthorized"})
            if self.refuse_next:
                self.refuse_next -= 1
                return self.send(h, 429, {"message": "slow down"}, {"Retry-After": "1"})
            for prefix, status in self.failing.items():
                if url.path.startswith(prefix):
                    return self.send(h, status, {"message": "failing"})
            for pattern, function in self.routes:
                m = re.fullmatch(pattern, url.path)
                if m:
                    return function(self, h, query, *m.groups())
            return self.send(h, 404, {"errors": [{"status": 404, "code": "NOT_FOUND"}]})

    def send(self, h, status, body, headers=None):
        data = json.dumps(body).encode()
        h.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)),
                            **(headers or {})}.items():
            h.send_header(name, value)
        h.end_headers()
        h.wfile.write(data)

    def send_list(self, h, query, results, links=True):
        """A page of results, with the next in the body and in the header."""
        at = int(query.get("cursor", "0"))
        size = min(int(query.get("limit", "25")), self.page_size)
        body, headers = {"results": results[at:at + size], "_links": {"base": self.url}}, {}
        if at + size < len(results):
            path = urllib.parse.urlsplit(h.path)
            rest = urllib.parse.urlencode({**query, "cursor": str(at + size)})
            body["_links"]["next"] = f"{path.path}?{rest}"
            if links:
                headers["Link"] = f'<{path.path}?{rest}>; rel="next", <{self.url}>; rel="base"'
        self.send(h, 200, body, headers)

    def view(self, p, with_body=False):
        out = {"id": p["id"], "status": p["status"], "title": p["title"], "spaceId": p["space"],
               "parentId": p["parent"], "parentType": p["parent_type"] if p["parent"] else None,
               "version": {"number": p["version"], "createdAt": "2026-11-20T10:00:00.000Z"},
               "_links": {"webui": f"/spaces/SEC/pages/{p['id']}"}, "body": {}}
        if with_body:
            out["body"] = {"storage": {"representation": "storage", "value": p["body"]}}
        return out

    def get_spaces(self, h, query):
        spaces = [{"id": id, "key": key, "name": key, "type": "global", "status": "current"}
                  for key, id in self.spaces.items()]
        keys = query.get("keys", ",".join(self.spaces)).split(",")
        self.send_list(h, query, [s for s in spaces if s["key"] in keys])

    def get_space_pages(self, h, query, space):
        self.send_list(h, query, [self.view(p, "body-format" in query) for p in self.pages.values()
                                  if p["space"] == space and p["status"] == query.get("status", "current")])

    def get_space_permissions(self, h, query, space):
        self.send_list(h, query, self.permissions[space])

    def get_group(self, h, query):
        if query.get("id") not in self.groups:
            return self.send(h, 404, {"statusCode": 404})
        return self.send(h, 200, {"type": "group", "name": self.groups[query["id"]], "id": query["id"]})

    def get_pages(self, h, query):
        self.get_space_pages(h, query, query.get("space-id", "11"))

    def get_page(self, h, query, id):
        if id not in self.pages:
            return self.send(h, 404, {"errors": [{"status": 404}]})
        return self.send(h, 200, self.view(self.pages[id], query.get("body-format") == "storage"))

    def get_folder(self, h, query, id):
        if id not in self.folders:
            return self.send(h, 404, {"errors": [{"status": 404}]})
        return self.send(h, 200, {"id": id, "type": "folder", "title": "F", "parentId": self.folders[id],
                                  "parentType": "page" if self.folders[id] else None,
                                  "version": {"number": 1}, "_links": {"webui": "/f"}})

    def get_labels(self, h, query, id):
        self.send_list(h, query, [{"id": str(i), "name": n, "prefix": "global"}
                                  for i, n in enumerate(self.pages[id]["labels"])])

    def get_restriction(self, h, query, id):
        found = self.restrictions.get(id, {"user": [], "group": []})
        self.send(h, 200, {"operation": "read", "restrictions": {
            kind: {"results": found[kind], "start": 0, "limit": 100, "size": len(found[kind])}
            for kind in ("user", "group")}})

    def get_search(self, h, query):
        labels = re.search(r"label in \(([^)]*)\)", query["cql"])
        wanted = re.findall(r'"([^"]*)"', labels.group(1)) if labels else None
        self.send_list(h, query, [{"content": {"id": p["id"], "type": "page", "title": p["title"]},
                                   "excerpt": "", "url": f"/spaces/SEC/pages/{p['id']}"}
                                  for p in self.pages.values()
                                  if wanted is None or set(wanted) & set(p["labels"])])

    routes = [
        (r"/wiki/api/v2/spaces", get_spaces),
        (r"/wiki/api/v2/spaces/(\d+)/pages", get_space_pages),
        (r"/wiki/api/v2/spaces/(\d+)/permissions", get_space_permissions),
        (r"/wiki/rest/api/group/by-id", get_group),
        (r"/wiki/api/v2/pages", get_pages),
        (r"/wiki/api/v2/pages/(\d+)", get_page),
        (r"/wiki/api/v2/folders/(\d+)", get_folder),
        (r"/wiki/api/v2/pages/(\d+)/labels", get_labels),
        (r"/wiki/rest/api/content/(\d+)/restriction/byOperation/read", get_restriction),
        (r"/wiki/rest/api/search", get_search),
    ]
