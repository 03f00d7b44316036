// The page's server: loopback only, and for this page only. A page from elsewhere that a
// browser has open can neither read it nor press anything here: Host, Origin and a header
// that no form sends must be right.

import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";

import { readFileOf, ROOT } from "./npm.mjs";
import { draw } from "./screen.mjs";
import { readBody } from "./webapi.mjs";
import { Refused } from "./workspace.mjs";

const BODY_MAX = 512 * 1024;
const TEXT_MAX = 40 * 1000;

const POLICY = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'",
    "connect-src 'self'", "img-src data:", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'",
].join("; ");

const here = (name) => readFileSync(path.join(ROOT, "tests", "sandbox", name), "utf8");

const files = {
    "/page.js": ["text/javascript", here("page.js")],
    "/page.css": ["text/css", here("page.css")],
    "/blocks.css": ["text/css", readFileOf("slack-blocks-to-jsx", "dist", "style.css")
        .replace(/@import[^;]*;/g, "")],
};

const text = (value) => {
    if (typeof value !== "string" || value.length > TEXT_MAX)
        throw new Refused("that is no text, or too long");
    return value;
};

// What a page may ask for.
const acts = {
    say: (w, as, m) => w.say(as, text(m.channel), text(m.text), m.thread && text(m.thread)),
    press: (w, as, m) => w.press(as, m.place ?? {}, text(m.block), text(m.action), m.value, m.values),
    suggest: async (w, as, m) => ({ options: await w.suggest(as, m.place ?? {}, text(m.block), text(m.action), text(m.typed)) }),
    submit: (w, as, m) => w.submit(as, text(m.view), m.values),
    close: (w, as, m) => w.close(as, text(m.view), m.all === true),
    opened: (w, as, m) => w.opened(as, m.tab === "home" ? "home" : "messages"),
    shortcut: (w, as, m) => w.shortcut(as, text(m.callback), m.place),
};

const same = (a, b) => {
    const digest = (x) => createHash("sha256").update(String(x)).digest();
    return timingSafeEqual(digest(a), digest(b));
};

export class PageServer {
    // 'control' is a token for tests, which may read what was sent and make calls fail.
    constructor({ workspace, api, sender, control }) {
        Object.assign(this, { workspace, api, sender, control });
    }

    async listen(port) {
        this.server = http.createServer((req, res) => this.serve(req, res).catch((e) => {
            if (!res.headersSent)
                this.say(res, e instanceof Refused ? 409 : 500, "application/json", JSON.stringify({ error: e.message }));
            else
                res.destroy();
        }));
        await new Promise((done, failed) => this.server.once("error", failed).listen(port, "127.0.0.1", done));
        this.host = `127.0.0.1:${this.server.address().port}`;
        this.url = `http://${this.host}/`;
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }

    say(res, status, type, body) {
        res.writeHead(status, {
            "content-type": `${type}; charset=utf-8`, "content-security-policy": POLICY,
            "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store" });
        res.end(body);
    }

    async serve(req, res) {
        if (req.headers.host !== this.host)
            return this.say(res, 421, "text/plain", "not this host");
        const url = new URL(req.url, this.url);
        if (url.pathname.startsWith("/_control/"))
            return this.controlled(req, res, url.pathname.slice("/_control/".length));
        if (req.method === "POST" && url.pathname === "/do")
            return this.act(req, res);
        if (req.method !== "GET")
            return this.say(res, 405, "text/plain", "no");
        if (url.pathname === "/changes")
            return this.changes(req, res);
        if (files[url.pathname])
            return this.say(res, 200, ...files[url.pathname]);
        if (url.pathname !== "/")
            return this.say(res, 404, "text/plain", "nothing here");
        const { as = "", at = "", thread = "" } = Object.fromEntries(url.searchParams);
        this.say(res, 200, "text/html", draw(this.workspace, { as, at, thread }));
    }

    async act(req, res) {
        if (req.headers.origin !== `http://${this.host}` || req.headers["x-sandbox"] !== "1" ||
            !/^application\/json\b/.test(req.headers["content-type"] ?? ""))
            return this.say(res, 403, "application/json", JSON.stringify({ error: "not from this page" }));
        const m = JSON.parse(await readBody(req, BODY_MAX));
        if (!Object.hasOwn(acts, m.what))
            throw new Refused("no such thing to do");
        const answer = await acts[m.what](this.workspace, text(m.as), m);
        this.say(res, 200, "application/json", JSON.stringify(answer && answer.options ? answer : { ok: true }));
    }

    // One line whenever something changed.
    changes(req, res) {
        res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
        const tell = () => res.write(`data: ${this.workspace.version}\n\n`);
        tell();
        this.workspace.on("changed", tell);
        req.on("close", () => this.workspace.off("changed", tell));
    }

    async controlled(req, res, what) {
        if (!this.control || !same(req.headers["x-control"], this.control))
            return this.say(res, 403, "application/json", "{}");
        if (what === "faults")
            this.api.faults.push(...JSON.parse(await readBody(req, BODY_MAX)));
        else if (what === "event")
            await this.workspace.sender.event(JSON.parse(await readBody(req, BODY_MAX)));
        const answer = { calls: { calls: this.api.calls }, sent: { sent: this.sender.sent } }[what] ?? {};
        this.say(res, 200, "application/json", JSON.stringify(answer));
    }
}
