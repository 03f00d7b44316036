// The whole page for one person: where they are, what stands there, what is open above it.

import { drawBlocks, drawText } from "./draw.mjs";
import { BOT_USER, PEOPLE, personOf } from "./people.mjs";
import { Fragment, h, renderToStaticMarkup } from "./react.mjs";
import { rooms } from "./workspace.mjs";

const HOME = "home";

const address = (as, at, thread) =>
    `?as=${encodeURIComponent(as)}&at=${encodeURIComponent(at)}${thread ? `&thread=${encodeURIComponent(thread)}` : ""}`;

const clock = (ts) => new Date(Number(ts) * 1000).toISOString().slice(11, 19);
const nameOf = (id) => (id === BOT_USER ? "Wingman" : personOf(id)?.real_name ?? id);

function sidebar({ as, at }) {
    const link = (id, text, on) => h("a", { key: id, href: address(...id), className: on ? "on" : "" }, text);
    return h("nav", { id: "side" },
             h("h2", {}, "You are"),
             PEOPLE.map((p) => h("a", { key: p.id, href: address(p.id, at.startsWith("D") ? p.direct : at),
                                        className: p.id === as ? "on" : "", "data-person": p.name },
                                 p.real_name, h("small", {}, p.team ? " of the team" : " an outsider"))),
             h("h2", {}, "Conversations"),
             rooms(as).map((r) => link([as, r.id], r.name, r.id === at)),
             h("h2", {}, "App"),
             link([as, HOME], "App Home", at === HOME));
}

function message(m, { as, at, shortcuts, reply }) {
    const place = m.onlyYou ? { channel: at, ephemeral: m.id } : { channel: at, ts: m.ts };
    return h("article", { key: m.ts + (m.id ?? ""), className: m.onlyYou ? "ephemeral" : "",
                          "data-ts": m.ts, "data-by": m.user, "data-place": JSON.stringify(place) },
             h("header", {}, h("b", {}, nameOf(m.user)), m.user === BOT_USER && h("i", { className: "app" }, "APP"),
               h("time", {}, clock(m.ts)), m.edited && h("small", {}, " (edited)"),
               m.onlyYou && h("small", {}, ` Only visible to you, ${nameOf(as)}`),
               reply && h("a", { href: address(as, at, reply) }, "Reply in thread"),
               !m.onlyYou && m.user !== BOT_USER && shortcuts.map((s) =>
                   h("button", { key: s.id, type: "button", "data-shortcut": s.id }, s.name))),
             m.blocks?.length ? drawBlocks(m.blocks) : drawText(m.text),
             (m.files ?? []).map((f, i) => h("div", { key: i, className: "file" },
                 h("b", {}, f.title || f.name), f.text && h("pre", {}, f.text))));
}

// Threads stand below their first message.
function conversation(w, ctx) {
    const { as, at } = ctx;
    const all = [...w.messages(at).map((m) => ({ ...m, files: filesOf(w, m) })),
                 ...w.ephemeralsOf(as, at).map((e) => ({ ...e, user: BOT_USER, onlyYou: true }))]
        .sort((a, b) => Number(a.ts) - Number(b.ts));
    const known = new Set(all.map((m) => m.ts));
    const isReply = (m) => m.thread_ts && m.thread_ts !== m.ts && known.has(m.thread_ts);
    return h("div", { id: "room", "data-room": at }, all.filter((m) => !isReply(m)).map((m) =>
        h("section", { key: m.ts + (m.id ?? ""), className: m.ts === ctx.thread ? "thread on" : "thread" },
          message(m, { ...ctx, shortcuts: w.shortcuts, reply: m.onlyYou ? null : m.ts }),
          h("div", { className: "replies" }, all.filter((r) => r.thread_ts === m.ts && r.ts !== m.ts).map((r) =>
              message(r, { ...ctx, shortcuts: w.shortcuts }))))));
}

const TEXT_SHOWN = 20000;

// What was uploaded, if it is text.
function filesOf(w, m) {
    return (m.files ?? []).map((f) => {
        const bytes = Buffer.from(w.emulator.slack.fileUploadSessions.findOneBy(
            "file_id", f.file_id ?? f.id)?.content_base64 ?? "", "base64");
        const text = bytes.includes(0) ? null : bytes.toString("utf8").slice(0, TEXT_SHOWN);
        return { title: f.title, name: f.name, text };
    });
}

function home(w, { as }) {
    const view = w.views.homeOf(as);
    return h("div", { id: "room", "data-room": HOME, className: "home",
                      "data-place": view ? JSON.stringify({ view: view.id }) : undefined },
             view ? drawBlocks(view.blocks) : h("p", { className: "plain" }, "The app has published nothing yet."));
}

function composer({ as, at, thread }) {
    if (at === HOME)
        return null;
    return h("form", { id: "composer", "data-room": at, "data-thread": thread || undefined },
             thread && h("small", {}, "In a thread. ", h("a", { href: address(as, at) }, "Leave it")),
             h("input", { id: "say", autoComplete: "off", autoFocus: true,
                          placeholder: thread ? "Reply…" : "Say something, @wingman …, or /wingman help" }),
             h("button", { type: "submit" }, "Send"));
}

function modal(w, { as }) {
    const stack = w.views.stackOf(as);
    const view = stack.at(-1);
    if (!view)
        return h("div", { id: "modal" });
    const errors = w.errors.get(view.id) ?? {};
    const words = (text, otherwise) => text?.text ?? otherwise;
    return h("div", { id: "modal", className: "open" },
             h("form", { className: "modal", "data-view": view.id, "data-place": JSON.stringify({ view: view.id }) },
               h("header", {}, h("b", {}, words(view.title, "")),
                 h("button", { type: "button", "data-close": "all", "aria-label": "close all" }, "×")),
               h("div", { className: "body" }, errors[""] && h("div", { className: "error" }, errors[""]),
                 drawBlocks(view.blocks, errors)),
               h("footer", {}, h("button", { type: "button", "data-close": "one" }, words(view.close, stack.length > 1 ? "Back" : "Cancel")),
                 view.submit && h("button", { type: "submit", className: "button primary" }, words(view.submit)))));
}

function body(w, ctx) {
    const room = rooms(ctx.as).find((r) => r.id === ctx.at);
    return h(Fragment, {},
             h("div", { id: "banner" }, h("b", {}, "Not Slack. "),
               "A sandbox on this machine: made-up people, an emulated workspace, a real Wingman behind it."),
             sidebar(ctx),
             h("main", { "data-as": ctx.as, "data-at": ctx.at },
               h("h1", {}, ctx.at === HOME ? "App Home" : room.name,
                 h("small", {}, " ", ctx.at === HOME ? "as Slack's Home tab of the app" : room.topic)),
               h("div", { id: "notice" }, w.notices.get(ctx.as)),
               ctx.at === HOME ? home(w, ctx) : conversation(w, ctx),
               composer(ctx)),
             modal(w, ctx));
}

// 'ctx' {as, at, thread} as the address says; what it may not see is answered with what it may.
export function draw(w, { as, at, thread }) {
    const person = personOf(as) ?? PEOPLE[0];
    const known = at === HOME || rooms(person.id).some((r) => r.id === at);
    const ctx = { as: person.id, at: known ? at : rooms(person.id)[0].id, thread: known ? thread : "" };
    return "<!doctype html>" + renderToStaticMarkup(
        h("html", { lang: "en" },
          h("head", {}, h("meta", { charSet: "utf-8" }), h("title", {}, "Sandbox (not Slack)"),
            h("link", { rel: "stylesheet", href: "/blocks.css" }), h("link", { rel: "stylesheet", href: "/page.css" }),
            h("script", { src: "/page.js", defer: true })),
          h("body", {}, body(w, ctx))));
}
