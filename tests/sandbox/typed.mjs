// What somebody types, as Slack's client sends it: '@name' becomes a mention, an address a
// link, everything else is text. Twice: as rich text, and as the old encoding.

import { BOT_NAME, BOT_USER, CHANNELS, PEOPLE } from "./people.mjs";

const TOKENS = /@([a-z]+)|#([a-z]+)|(https?:\/\/[^\s<>"]+)/g;
const NAMES = new Map([[BOT_NAME, BOT_USER], ...PEOPLE.map((p) => [p.name, p.id])]);
const ROOMS = new Map(CHANNELS.map((c) => [c.name, c.id]));

export const escaped = (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function elementOf([, name, room, url]) {
    if (NAMES.has(name))
        return { type: "user", user_id: NAMES.get(name) };
    if (ROOMS.has(room))
        return { type: "channel", channel_id: ROOMS.get(room) };
    return url ? { type: "link", url } : null;
}

export function elementsOf(text) {
    const elements = [];
    let at = 0;
    const literal = (to) => to > at && elements.push({ type: "text", text: text.slice(at, to) });
    for (const found of text.matchAll(TOKENS)) {
        const element = elementOf(found);
        if (!element)
            continue;
        literal(found.index);
        elements.push(element);
        at = found.index + found[0].length;
    }
    literal(text.length);
    return elements;
}

// 'named': as a command with should_escape has it, <@U1|alice>.
export function encoded(elements, named = false) {
    const label = (id, names) => (named ? `|${[...names].find(([, v]) => v === id)?.[0] ?? ""}` : "");
    return elements.map((e) => {
        switch (e.type) {
        case "user": return `<@${e.user_id}${label(e.user_id, NAMES)}>`;
        case "channel": return `<#${e.channel_id}${label(e.channel_id, ROOMS)}>`;
        case "link": return `<${escaped(e.url)}>`;
        default: return escaped(e.text);
        }
    }).join("");
}

export const richText = (elements) =>
    [{ type: "rich_text", elements: [{ type: "rich_text_section", elements }] }];

export const mentions = (elements, user) =>
    elements.some((e) => e.type === "user" && e.user_id === user);
