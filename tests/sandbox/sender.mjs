// Requests as Slack sends them: signed over the raw bytes, answered within three seconds.

import { createHmac } from "node:crypto";

const KEPT = 2000;

export function sign(secret, raw, at = Math.floor(Date.now() / 1000)) {
    const mac = createHmac("sha256", secret).update(`v0:${at}:`).update(raw).digest("hex");
    return { "x-slack-request-timestamp": String(at), "x-slack-signature": `v0=${mac}` };
}

export class Sender {
    // 'urls' {events, interactions, commands, options}
    constructor({ secret, urls, patienceMs = 3000 }) {
        Object.assign(this, { secret, urls, patienceMs });
        this.sent = [];     // {kind, type, raw, headers, status, ms, why?}
    }

    event(envelope) {
        return this.send("events", "application/json", JSON.stringify(envelope));
    }

    interaction(payload) {
        const kind = payload.type === "block_suggestion" ? "options" : "interactions";
        return this.send(kind, "application/x-www-form-urlencoded",
                         new URLSearchParams({ payload: JSON.stringify(payload) }).toString());
    }

    command(fields) {
        return this.send("commands", "application/x-www-form-urlencoded",
                         new URLSearchParams(fields).toString());
    }

    // {ok, json}; what went wrong is in 'why', in Slack's words where it has some.
    async send(kind, type, raw) {
        const headers = { "content-type": type, "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                          ...sign(this.secret, raw) };
        const note = { kind, raw, headers, at: Date.now() };
        this.sent.push(note);
        this.sent.splice(0, this.sent.length - KEPT);
        try {
            const reply = await fetch(this.urls[kind], { method: "POST", headers, body: raw, redirect: "manual",
                                                         signal: AbortSignal.timeout(this.patienceMs) });
            note.status = reply.status;
            note.text = await reply.text();
        } catch (e) {
            note.why = e.name === "TimeoutError" ? "operation_timeout" : "dispatch_failed";
        }
        note.ms = Date.now() - note.at;
        if (!note.why && (note.status < 200 || note.status > 299))
            note.why = `http ${note.status}`;
        return { ok: !note.why, why: note.why, json: parsed(note.text), text: note.text ?? "" };
    }
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}
