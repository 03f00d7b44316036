// Slack's Web API as the app sees it: the emulator, and in front of it what that lacks:
// modals, user groups, streams, tokens that are checked, limits on demand, a record of all.

import http from "node:http";

import { BOT_SCOPES, BOT_TOKEN, PEOPLE, USERGROUP, TEAM } from "./people.mjs";
import { asHeld } from "./views.mjs";

const BODY_MAX = 8 * 1024 * 1024;
const CALLS_KEPT = 5000;
const JSON_MEMBERS = ["blocks", "view", "metadata", "files", "chunks", "prompts"];
// Cosmetic, or of surfaces that this page does not draw.
const JUST_OK = /^(assistant\.threads\.|agents\.sessions\.)/;

export function readBody(req, limit = BODY_MAX) {
    return new Promise((resolve, reject) => {
        const parts = [];
        let size = 0;
        req.on("data", (part) => {
            size += part.length;
            if (size > limit)
                req.destroy();
            else
                parts.push(part);
        });
        req.on("end", () => resolve(Buffer.concat(parts)));
        req.on("error", reject);
        req.on("close", () => reject(new Error("closed")));
    });
}

function readArguments(req, body) {
    const query = Object.fromEntries(new URL(req.url, "http://x").searchParams);
    const text = body.toString("utf8");
    const json = /json/.test(req.headers["content-type"] ?? "");
    const more = json ? JSON.parse(text || "{}") : Object.fromEntries(new URLSearchParams(text));
    const all = { ...query, ...more };
    for (const name of JSON_MEMBERS)
        if (typeof all[name] === "string")
            all[name] = JSON.parse(all[name]);
    return all;
}

export class WebApi {
    constructor({ emulator, views, workspace }) {
        Object.assign(this, { emulator, views, workspace });
        this.tokens = new Set([BOT_TOKEN]);
        this.calls = [];    // {method, args, answer, at}
        this.faults = [];   // {method, times, status?, headers?, body?, delay_ms?}
        this.methods = {
            "views.open": (a) => views.show(a, false),
            "views.push": (a) => views.show(a, true),
            "views.update": (a) => views.update(a),
            "views.publish": (a) => views.publish(a),
            "usergroups.list": () => ({ usergroups: [
                { id: USERGROUP, team_id: TEAM, handle: "secteam", name: "Security team", date_delete: 0 }] }),
            "usergroups.users.list": (a) => (a.usergroup === USERGROUP
                ? { users: PEOPLE.filter((p) => p.team).map((p) => p.id) } : "no_such_subteam"),
            "users.info": (a, token) => this.userInfo(a, token),
            "users.list": (a, token) => this.userList(a, token),
            "chat.postMessage": (a, token) => this.post("chat.postMessage", a, token),
            "chat.update": (a, token) => this.post("chat.update", a, token),
            "chat.startStream": (a, token) => this.stream(a, token),
            "chat.appendStream": (a, token) => this.append(a, token, false),
            "chat.stopStream": (a, token) => this.append(a, token, true),
        };
        this.streams = new Map();   // ts: blocks so far
    }

    async listen(port) {
        this.server = http.createServer((req, res) => this.serve(req, res).catch(() => res.destroy()));
        await new Promise((done) => this.server.listen(port, "127.0.0.1", done));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }

    // ---- One request ----

    async serve(req, res) {
        const body = await readBody(req);
        const path = new URL(req.url, "http://x").pathname;
        if (req.headers.host !== new URL(this.url).host)
            return res.writeHead(421).end();
        if (path.startsWith("/response/"))
            return res.end(await this.workspace.responded(path.slice("/response/".length), JSON.parse(body)));
        if (path.startsWith("/upload/"))
            return this.handOn(req, res, body);
        if (!path.startsWith("/api/"))
            return res.writeHead(404).end();
        const method = path.slice("/api/".length);
        const fault = this.takeFault(method);
        if (fault?.delay_ms)
            await new Promise((done) => setTimeout(done, fault.delay_ms));
        const call = { method, at: Date.now() };
        this.calls.push(call);
        this.calls.splice(0, this.calls.length - CALLS_KEPT);
        if (fault?.status || fault?.body) {
            call.answer = fault.body ?? { ok: false, error: "ratelimited" };
            res.writeHead(fault.status ?? 200, { "content-type": "application/json", ...fault.headers });
            return res.end(JSON.stringify(call.answer));
        }
        call.args = readArguments(req, body);
        const token = (req.headers.authorization ?? "").replace(/^Bearer /, "") || call.args.token || "";
        delete call.args.token;
        call.answer = await this.answer(method, call.args, token);
        res.writeHead(200, { "content-type": "application/json; charset=utf-8",
                             "x-oauth-scopes": BOT_SCOPES.join(",") });
        res.end(JSON.stringify(call.answer));
        this.workspace.told(method, call.args, call.answer);
    }

    takeFault(method) {
        const fault = this.faults.find((f) => f.method === method || f.method === "*");
        if (fault && --fault.times <= 0)
            this.faults.splice(this.faults.indexOf(fault), 1);
        return fault;
    }

    async answer(method, args, token) {
        if (!this.tokens.has(token))
            return { ok: false, error: token ? "invalid_auth" : "not_authed" };
        const own = this.methods[method] ?? (JUST_OK.test(method) ? () => ({}) : null);
        const got = own ? await own(args, token) : await this.ask(method, args, token);
        if (typeof got === "string")
            return { ok: false, error: got };
        return { ok: true, ...got };
    }

    // The emulator, which answers what is no method of its own with a page of its own.
    async ask(method, args, token) {
        const reply = await fetch(`${this.emulator.url}/api/${method}`, {
            method: "POST", body: JSON.stringify(args),
            headers: { "content-type": "application/json; charset=utf-8",
                       authorization: `Bearer ${token}` } });
        if (reply.status === 404)
            return { ok: false, error: "unknown_method", req_method: method };
        return reply.json();
    }

    // Uploads go to an address that the emulator named.
    async handOn(req, res, body) {
        const reply = await fetch(this.emulator.url + req.url, {
            method: req.method, body: body.length ? body : undefined,
            headers: { "content-type": req.headers["content-type"] ?? "application/octet-stream" } });
        res.writeHead(reply.status, { "content-type": "text/plain" });
        res.end(await reply.text());
    }

    // ---- What the emulator lacks ----

    async userInfo(args, token) {
        const got = await this.ask("users.info", args, token);
        return got.ok ? { ...got, user: this.wholeUser(got.user) } : got;
    }

    async userList(args, token) {
        const got = await this.ask("users.list", args, token);
        return got.ok ? { ...got, members: got.members.map((u) => this.wholeUser(u)) } : got;
    }

    wholeUser(user) {
        return { is_restricted: false, is_ultra_restricted: false, is_stranger: false,
                 is_email_confirmed: true, is_app_user: false, updated: 1, tz: "UTC",
                 tz_offset: 0, ...user };
    }

    // A bot's message says whose it is, and its blocks have ids.
    async post(method, args, token) {
        const blocks = Array.isArray(args.blocks) ? asHeld(args.blocks) : undefined;
        const held = { ...args, ...(blocks ? { blocks } : {}) };
        if (args.markdown_text && !args.blocks)
            Object.assign(held, { text: args.markdown_text,
                                  blocks: asHeld([{ type: "markdown", text: args.markdown_text }]) });
        return this.ask(method, held, token);
    }

    // What stands is all chunks so far; while it is open that is said below it.
    async stream({ markdown_text = "", chunks = [], ...args }, token) {
        const held = blocksOf(markdown_text, chunks);
        const got = await this.post("chat.postMessage", {
            ...args, text: "…", blocks: [...held, WRITING] }, token);
        if (got.ok)
            this.streams.set(got.ts, held);
        return got;
    }

    async append({ channel, ts, markdown_text = "", chunks = [], blocks = [] }, token, last) {
        if (!this.streams.has(ts))
            return "message_not_in_streaming_state";
        const held = [...this.streams.get(ts), ...blocksOf(markdown_text, chunks)];
        if (last)
            this.streams.delete(ts);
        else
            this.streams.set(ts, held);
        const shown = last ? [...held, ...blocks] : [...held, WRITING];
        return this.post("chat.update", { channel, ts, text: "…",
            ...(shown.length ? { blocks: shown } : {}) }, token);
    }
}

const WRITING = { type: "context", elements: [{ type: "plain_text", text: "writing…" }] };

const blocksOf = (text, chunks) => [
    ...(text ? [{ type: "markdown", text }] : []),
    ...chunks.flatMap((c) => c.type === "blocks" ? c.blocks
        : c.type === "markdown_text" ? [{ type: "markdown", text: c.text }] : [])];
