// Blocks drawn: what is only read by slack-blocks-to-jsx, plain text and controls here.
//
// That library takes plain text for mrkdwn, which Slack's client does not: a name with
// stars in it would come out bold. So it gets rich text, mrkdwn and Markdown alone. Every
// address in what it draws is made inert: nothing on this page leads or loads anywhere.

import { control } from "./controls.mjs";
import { BOT_NAME, BOT_USER, CHANNELS, PEOPLE, USERGROUP } from "./people.mjs";
import { Fragment, h, Message, renderToStaticMarkup } from "./react.mjs";

const data = {
    users: [...PEOPLE.map((p) => ({ id: p.id, name: p.real_name })), { id: BOT_USER, name: BOT_NAME }],
    channels: CHANNELS.map((c) => ({ id: c.id, name: c.name })),
    user_groups: [{ id: USERGROUP, name: "secteam" }],
};

// React escapes quotes in texts, so these stand in tags alone.
const inert = (markup) => markup.replace(/<link [^>]*>/g, "")
    .replace(/ (href|src)="/g, " data-$1=\"").replace(/ id="[^"]*"/g, (id) => (id.includes("slack_blocks") ? id : ""));

function byLibrary(block) {
    const markup = renderToStaticMarkup(h(Message, {
        blocks: [block], withoutWrapper: true, theme: "light", name: "", logo: "data:,",
        time: new Date(0), data }));
    return h("div", { dangerouslySetInnerHTML: { __html: inert(markup) } });
}

const literal = (text, className) => h("div", { className: `plain ${className ?? ""}` }, text);

// The library shows the name in <@U1|name> and nobody's face; Slack's client never does.
const mrkdwn = (text) => byLibrary({ type: "section", text: {
    type: "mrkdwn", text: text.replace(/<([@#][A-Z0-9]+)\|[^>]*>/g, "<$1>") || " " } });

function textObject(text) {
    if (!text)
        return null;
    return text.type === "plain_text" ? literal(text.text) : mrkdwn(text.text);
}

const asRich = (cell) => (cell.type !== "raw_text" ? cell : {
    type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: cell.text || " " }] }] });

function section(block) {
    return h("div", { className: "section" },
             h("div", { className: "grow" }, textObject(block.text),
               block.fields && h("div", { className: "fields" },
                                 block.fields.map((f, i) => h("div", { key: i }, textObject(f))))),
             block.accessory && h("div", {}, control(block, block.accessory, true)));
}

function context(block) {
    return h("div", { className: "context" }, block.elements.map((e, i) =>
        h("span", { key: i }, e.type === "image" ? literal(`[${e.alt_text}]`) : textObject(e))));
}

function input(block, errors) {
    const error = errors[block.block_id];
    return h("div", { className: "input" },
             h("div", { className: "label" }, block.label.text, block.optional && h("i", {}, " (optional)")),
             control(block, block.element, block.dispatch_action),
             block.hint && literal(block.hint.text, "hint"),
             error && h("div", { className: "error", "data-error": block.block_id }, error));
}

const drawers = {
    header: (b) => h("h3", { className: "header" }, b.text.text),
    divider: () => h("hr"),
    section,
    context,
    input,
    actions: (b) => h("div", { className: "actions" }, b.elements.map((e, i) =>
        h(Fragment, { key: i }, control(b, e, true)))),
    image: (b) => literal(`[image: ${b.alt_text}]`),
    table: (b) => byLibrary({ ...b, rows: b.rows.map((row) => row.map(asRich)) }),
    alert: (b) => h("div", { className: "alert" }, textObject(b.text)),
};

const BY_LIBRARY = new Set(["rich_text", "markdown", "container", "card", "carousel", "task_card", "plan"]);

function one(block, errors) {
    if (Object.hasOwn(drawers, block.type))
        return drawers[block.type](block, errors);
    return BY_LIBRARY.has(block.type) ? byLibrary(block) : literal(`(a block of the type ${block.type})`);
}

// Each by itself, so that one that cannot be drawn takes nothing else with it.
export function drawBlocks(blocks, errors = {}) {
    return blocks.map((b, i) => {
        let markup;
        try {
            markup = renderToStaticMarkup(one(b, errors));
        } catch (e) {
            markup = renderToStaticMarkup(h("div", { className: "alert" }, `This block cannot be drawn: ${e.message}`));
        }
        return h("div", { key: i, className: "block", "data-block-type": String(b?.type),
                          dangerouslySetInnerHTML: { __html: markup } });
    });
}

export const drawText = (text) => mrkdwn(text ?? "");
