// An app on @slack/bolt in Wingman's place: it judges every signature by Slack's own code
// and takes what the sandbox sends apart by Slack's own types.
//
//     peer.mjs SANDBOX-OPTIONS-AS-JSON     prints {url, control, app} once both are up
//
// What it was told stands in what it posts.

import { once } from "node:events";

import { load } from "./npm.mjs";
import { BOT_TOKEN } from "./people.mjs";
import { freePorts, startSandbox, urlsBelow } from "./sandbox.mjs";

const { App, HTTPReceiver } = load("@slack/bolt");

const options = JSON.parse(process.argv[2] ?? "{}");
const [port] = await freePorts(1);
const app_url = `http://127.0.0.1:${port}`;
const sandbox = await startSandbox({
    secret: options.sign_with ?? "peer-secret", urls: urlsBelow(app_url), control: options.control,
    shortcuts: [{ id: "keep", name: "Keep" }], triggerMs: 60000, patienceMs: 60000 });

const receiver = new HTTPReceiver({
    signingSecret: "peer-secret",
    endpoints: ["/slack/events", "/slack/interactions", "/slack/options", "/slack/commands"] });
const app = new App({ token: BOT_TOKEN, receiver,
                      clientOptions: { slackApiUrl: `${sandbox.api.url}/api/` }, logLevel: "error" });

const plain = (text) => ({ type: "plain_text", text });
const button = (action_id, text, more) => ({ type: "button", action_id, text: plain(text), value: `of ${action_id}`, ...more });
const input = (block_id, element, more) => ({ type: "input", block_id, label: plain(block_id), optional: true,
                                              element: { action_id: "v", ...element }, ...more });
const choices = ["one", "two"].map((value) => ({ text: plain(value), value }));

const prompt = (who) => [
    { type: "header", text: plain("A prompt *of* peers") },
    { type: "rich_text", elements: [{ type: "rich_text_preformatted", elements: [
        { type: "text", text: options.value ?? "value" }] }] },
    { type: "section", text: { type: "plain_text", text: options.value ?? "value" } },
    { type: "table", rows: [[{ type: "raw_text", text: options.value ?? "value" }, { type: "raw_text", text: who }]] },
    { type: "actions", elements: [
        button("approve", "Approve", { style: "primary", confirm: {
            title: plain("Are you sure?"), text: plain("It cannot be undone"), confirm: plain("Approve"), deny: plain("Go back") } }),
        button("deny", "Deny", { style: "danger" }),
        { type: "static_select", action_id: "pick", options: choices }] }];

const everyInput = {
    type: "modal", callback_id: "every", title: plain("Every input"), submit: plain("Send"), notify_on_close: true,
    blocks: [
        input("text", { type: "plain_text_input" }, { optional: false, hint: plain("say *anything*") }),
        input("lines", { type: "plain_text_input", multiline: true, initial_value: "a\nb" }),
        input("number", { type: "number_input", is_decimal_allowed: false, min_value: "0", max_value: "10" }),
        input("one", { type: "static_select", options: choices, initial_option: choices[1] }),
        input("several", { type: "multi_static_select", options: choices }),
        input("found", { type: "external_select", min_query_length: 0 }),
        input("yes", { type: "radio_buttons", options: choices }),
        input("boxes", { type: "checkboxes", options: choices, initial_options: [choices[0]] }),
        input("day", { type: "datepicker" }),
        input("time", { type: "timepicker" }),
        input("moment", { type: "datetimepicker", initial_date_time: 1795370400 }),
        input("person", { type: "users_select" }),
        input("people", { type: "multi_users_select", initial_users: ["U0BOB00001"] }),
    ] };

app.command("/wingman", async ({ command, ack, client, respond }) => {
    if (command.text === "form") {
        await ack();
        await client.views.open({ trigger_id: command.trigger_id, view: everyInput });
    } else if (command.text === "later") {
        await ack();
        await respond({ text: "said *later*" });
    } else {
        await ack({ response_type: "ephemeral", text: `you said: ${command.text}` });
    }
});
app.options("v", ({ options: asked, ack }) => ack({ options: [
    { text: plain(`found ${asked.value}`), value: `f-${asked.value}` }] }));
app.view("every", async ({ view, ack, client, body }) => {
    const { values } = view.state;
    if (values.text.v.value === "wrong")
        return ack({ response_action: "errors", errors: { text: "that is wrong" } });
    await ack(values.text.v.value === "more" ? { response_action: "push", view: { ...everyInput, callback_id: "above", title: plain("Above") } } : undefined);
    await client.chat.postMessage({ channel: body.user.id, text: "state", blocks: [
        { type: "rich_text", elements: [{ type: "rich_text_preformatted", elements: [
            { type: "text", text: "state: " + JSON.stringify(values) }] }] }] });
});
app.view({ callback_id: /^(every|above)$/, type: "view_closed" }, async ({ ack, client, body }) => {
    await ack();
    await client.chat.postMessage({ channel: body.user.id, text: `closed, all: ${body.is_cleared}` });
});
app.event("app_mention", async ({ event, say }) => {
    await say({ text: "prompt", blocks: prompt(event.user), thread_ts: event.thread_ts ?? event.ts });
});
app.message(async ({ message, say }) => {
    await say({ text: `heard: ${message.text}`, thread_ts: message.ts });
});
for (const name of ["approve", "deny", "pick"])
    app.action(name, async ({ ack, body, action, client, respond }) => {
        await ack();
        if (body.user.id === "U0MALLORY1")
            return respond({ response_type: "ephemeral", replace_original: false, text: "you may not" });
        await client.chat.update({
            channel: body.channel.id, ts: body.message.ts, text: "done",
            blocks: [{ type: "header", text: plain(`${name} by ${body.user.id}: ${action.value ?? action.selected_option?.value}`) }] });
    });
app.event("app_home_opened", async ({ event, client }) => {
    if (event.tab === "home")
        await client.views.publish({ user_id: event.user, view: { type: "home", blocks: [
            { type: "section", text: plain(`home of ${event.user}`), accessory: button("at_home", "Press") },
            { type: "actions", elements: [{ type: "external_select", action_id: "v", min_query_length: 1 }] }] } });
});
app.action("at_home", async ({ ack, body, client }) => {
    await ack();
    await client.views.publish({ user_id: body.user.id, view: { type: "home", blocks: [
        { type: "section", text: plain("pressed at home") }] } });
});
app.action("v", async ({ ack, action, body, client }) => {
    await ack();
    await client.views.publish({ user_id: body.user.id, view: { type: "home", blocks: [
        { type: "section", text: plain(`chose ${action.selected_option.text.text}`) }] } });
});
app.shortcut("keep", async ({ ack, client, shortcut }) => {
    await ack();
    await client.chat.postMessage({ channel: shortcut.user.id, text: `kept: ${shortcut.message.text}` });
});

await app.start(port);
console.log(JSON.stringify({ url: sandbox.url, api: sandbox.api.url, app: app_url }));
process.on("SIGTERM", async () => {
    await app.stop();
    await sandbox.close();
    process.exit(0);
});
await once(process, "SIGTERM");
