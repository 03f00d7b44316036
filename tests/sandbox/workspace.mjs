// What persons do in the workspace, told to the app as Slack tells it, and what they then
// see that only Slack knows: ephemeral messages, notices, errors at the fields of a form.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";

import * as payloads from "./payloads.mjs";
import { APP, BOT, BOT_TOKEN, BOT_USER, CHANNELS, PEOPLE, TEAM, personOf, userToken } from "./people.mjs";
import { elementsOf as typedElements, encoded, mentions, richText } from "./typed.mjs";
import { findElement, missingOf, stateOf, valueOf } from "./values.mjs";
import { asHeld } from "./views.mjs";

const RESPONSE_USES = 5;
const RESPONSE_MS = 30 * 60 * 1000;
const EPHEMERALS_KEPT = 200;

export class Refused extends Error {}

export class Workspace extends EventEmitter {
    constructor({ emulator, views, sender, shortcuts = [] }) {
        super();
        this.setMaxListeners(0);
        Object.assign(this, { emulator, views, sender, shortcuts });
        this.ephemerals = [];           // {id, user, channel, thread_ts?, ts, text, blocks}
        this.notices = new Map();       // user: text
        this.errors = new Map();        // view id: {block_id: words}
        this.offered = new Map();       // "place block action": options
        this.responses = new Map();     // id: {user, channel, ephemeral?, uses, until}
        this.version = 0;
    }

    changed() {
        this.version++;
        this.emit("changed");
    }

    // ---- What there is to see ----

    messages(channel) {
        return this.emulator.slack.messages.all().filter((m) => m.channel_id === channel);
    }

    mayRead(user, channel) {
        return this.emulator.slack.channels.findOneBy("channel_id", channel)?.members.includes(user);
    }

    ephemeralsOf(user, channel) {
        return this.ephemerals.filter((e) => e.user === user && e.channel === channel);
    }

    held(m) {
        const own = m.user === BOT_USER ? { bot_id: BOT, app_id: APP } : {};
        return { type: "message", user: m.user, ts: m.ts, text: m.text, team: TEAM, ...own,
                 ...(m.blocks ? { blocks: m.blocks } : {}),
                 ...(m.thread_ts ? { thread_ts: m.thread_ts } : {}),
                 ...(m.metadata ? { metadata: m.metadata } : {}) };
    }

    // What the Web API was asked to do.
    told(method, args, answer) {
        if (!answer.ok)
            return;
        if (method === "chat.postEphemeral")
            this.addEphemeral({ user: args.user, channel: args.channel, thread_ts: args.thread_ts,
                                text: args.text, blocks: args.blocks, ts: answer.message_ts });
        if (/^chat\.(postMessage|update)$/.test(method) && answer.channel?.startsWith("D"))
            this.sender.event(payloads.ownMessage(answer.channel, { ...args, ts: answer.ts },
                                                  method === "chat.update"));
        if (/^(chat|files|reactions)\./.test(method))
            this.changed();
    }

    addEphemeral(e) {
        const held = { ...e, id: randomBytes(6).toString("hex"), blocks: e.blocks ? asHeld(e.blocks) : undefined,
                       ts: e.ts ?? `${Math.floor(Date.now() / 1000)}.000001` };
        this.ephemerals.push(held);
        this.ephemerals.splice(0, this.ephemerals.length - EPHEMERALS_KEPT);
        this.changed();
        return held;
    }

    notice(user, text) {
        this.notices.set(user, text);
        this.changed();
    }

    // ---- response_url ----

    newResponse(user, channel, ephemeral) {
        const id = randomBytes(12).toString("hex");
        this.responses.set(id, { user, channel, ephemeral, uses: 0, until: Date.now() + RESPONSE_MS });
        return `${this.responseBase}/response/${id}`;
    }

    // The text that Slack answers with: "ok" or an error.
    async responded(id, body) {
        const to = this.responses.get(id);
        if (!to || Date.now() > to.until)
            return "expired_url";
        if (++to.uses > RESPONSE_USES)
            return "used_url";
        if ((body.replace_original || body.delete_original) && to.ephemeral)
            this.ephemerals = this.ephemerals.filter((e) => e.id !== to.ephemeral);
        if (body.delete_original) {
            this.changed();
            return "ok";
        }
        await this.show(to.user, to.channel, body);
        return "ok";
    }

    async show(user, channel, { response_type, text, blocks, thread_ts }) {
        if (response_type !== "in_channel")
            this.addEphemeral({ user, channel, thread_ts, text: text ?? "", blocks });
        else
            await this.ask(BOT_TOKEN, "chat.postMessage", {
                channel, text, thread_ts, blocks: blocks && asHeld(blocks) });
        this.changed();
    }

    // ---- What persons do ----

    async ask(token, method, args) {
        const reply = await fetch(`${this.emulator.url}/api/${method}`, {
            method: "POST", body: JSON.stringify(args),
            headers: { "content-type": "application/json", authorization: `Bearer ${token}` } });
        return reply.json();
    }

    async say(user, channel, text, thread_ts) {
        this.must(user, channel);
        if (text.startsWith("/"))
            return this.command(user, channel, text, thread_ts);
        const elements = typedElements(text);
        const blocks = asHeld(richText(elements));
        const plain = encoded(elements);
        const posted = await this.ask(userToken(user), "chat.postMessage", {
            channel, text: plain, blocks, ...(thread_ts ? { thread_ts } : {}) });
        if (!posted.ok)
            throw new Refused(posted.error);
        this.changed();
        const direct = channel.startsWith("D");
        if (direct || mentions(elements, BOT_USER))
            await this.tell(user, this.sender.event(payloads.message(
                direct ? "message" : "app_mention", user, channel, posted.ts, thread_ts, plain, blocks)), true);
    }

    async command(user, channel, text, thread_ts) {
        const [, name, rest] = /^(\/\S+)\s*(.*)$/s.exec(text);
        if (name !== "/wingman" || thread_ts)
            return this.notice(user, thread_ts ? "Slack has no commands in threads."
                : `${name} is not a valid command here; there is /wingman.`);
        const fields = payloads.command(user, channel, encoded(typedElements(rest), true),
                                        this.views.newTrigger(user), this.newResponse(user, channel));
        const reply = await this.tell(user, this.sender.command(fields));
        if (reply.ok && (reply.json?.text || reply.json?.blocks))
            await this.show(user, channel, reply.json);
        else if (reply.ok && reply.text && !reply.json)
            await this.show(user, channel, { text: reply.text });
    }

    // 'place' {channel, ts} or {channel, ephemeral: id} or {view: id}
    placeOf(user, place) {
        if (place.view) {
            const home = this.views.homeOf(user);
            const view = home?.id === place.view ? home
                : this.views.stackOf(user).find((v) => v.id === place.view);
            if (!view)
                throw new Refused("that view is closed");
            return { view, blocks: view.blocks, key: view.id };
        }
        this.must(user, place.channel);
        const m = place.ephemeral ? this.ephemeralsOf(user, place.channel).find((e) => e.id === place.ephemeral)
            : this.messages(place.channel).find((x) => x.ts === place.ts);
        if (!m)
            throw new Refused("that message is gone");
        return { channel: place.channel, message: place.ephemeral ? m : this.held(m), key: m.ts,
                 blocks: m.blocks ?? [], ephemeral: !!place.ephemeral, id: place.ephemeral };
    }

    async press(user, placed, block_id, action_id, raw, rawState) {
        const place = this.placeOf(user, placed);
        const element = findElement(place.blocks, block_id, action_id);
        if (!element)
            throw new Refused("that is not there any more");
        const offeredTo = (b, a) => this.offered.get(`${place.key} ${b} ${a}`) ?? [];
        const values = stateOf(place.blocks, rawState, offeredTo);
        if (values[block_id]?.[action_id])
            values[block_id][action_id] = valueOf(element, raw, offeredTo(block_id, action_id));
        if (place.view)
            place.view = { ...place.view, state: { values } };
        await this.tell(user, this.sender.interaction(payloads.blockActions(
            user, place, { ...valueOf(element, raw, offeredTo(block_id, action_id)), action_id, block_id },
            values, this.views.newTrigger(user),
            place.view ? undefined : this.newResponse(user, place.channel, place.id))));
    }

    // The options for what was typed into a menu.
    async suggest(user, placed, block_id, action_id, typed) {
        const place = this.placeOf(user, placed);
        const reply = await this.tell(user, this.sender.interaction(
            payloads.suggestion(user, place, block_id, action_id, typed)));
        const groups = reply.json?.option_groups ?? [];
        const options = reply.json?.options ?? groups.flatMap((g) => g.options);
        const key = `${place.key} ${block_id} ${action_id}`;
        this.offered.set(key, [...(this.offered.get(key) ?? []), ...options]);
        return options.map((o) => ({ text: o.text?.text ?? "", value: o.value }));
    }

    async submit(user, viewId, raw) {
        const { view, key } = this.placeOf(user, { view: viewId });
        const values = stateOf(view.blocks, raw, (b, a) => this.offered.get(`${key} ${b} ${a}`) ?? []);
        const missing = missingOf(view.blocks, values);
        if (Object.keys(missing).length)
            return this.setErrors(viewId, missing);
        const reply = await this.tell(user, this.sender.interaction(
            payloads.submission(user, view, values, this.views.newTrigger(user))));
        if (!reply.ok)
            return;
        this.setErrors(viewId, {});
        this.respond(user, view, reply.json ?? {});
    }

    respond(user, view, { response_action, errors, view: next }) {
        if (response_action === "errors")
            return this.setErrors(view.id, errors ?? {}, view);
        if (response_action === "update" || response_action === "push") {
            const bad = this.views.wrong(next, "modal");
            if (bad)
                return this.notice(user, `The app answered with a view that Slack does not take: ${bad}`);
            if (response_action === "update")
                return this.views.replace(user, view, next);
            return this.views.put(user, next, true) ?? this.notice(user, "push_limit_reached");
        }
        // The person may have got another view meanwhile.
        if (response_action === "clear" || this.views.stackOf(user).at(-1)?.id === view.id)
            this.views.close(user, response_action === "clear");
    }

    setErrors(viewId, errors, view) {
        const inputs = view?.blocks.filter((b) => b.type === "input").map((b) => b.block_id);
        if (inputs && Object.keys(errors).some((id) => !inputs.includes(id)))
            errors = { "": "We had some trouble connecting. Try again? (an error for what is no input)" };
        this.errors.set(viewId, errors);
        this.changed();
    }

    async close(user, viewId, all) {
        this.placeOf(user, { view: viewId });
        for (const view of this.views.close(user, all))
            if (view.notify_on_close)
                await this.tell(user, this.sender.interaction(payloads.closed(user, view, all)));
    }

    // 'tab': "home", or "messages" for the conversation with the app.
    opened(user, tab) {
        return this.tell(user, this.sender.event(payloads.homeOpened(
            user, personOf(user).direct, tab, tab === "home" ? this.views.homeOf(user) : null)), true);
    }

    async shortcut(user, callback, placed) {
        const trigger = this.views.newTrigger(user);
        if (!placed)
            return this.tell(user, this.sender.interaction(payloads.shortcut(user, callback, trigger)));
        const { channel, message } = this.placeOf(user, placed);
        return this.tell(user, this.sender.interaction(payloads.onMessage(
            user, callback, channel, message, trigger, this.newResponse(user, channel))));
    }

    // ----

    must(user, channel) {
        if (!PEOPLE.some((p) => p.id === user) || !this.mayRead(user, channel))
            throw new Refused("not in that conversation");
    }

    // A failure is shown as Slack's client does; of events it shows nothing, and sends them again.
    async tell(user, sending, isEvent = false) {
        const reply = await sending;
        if (!reply.ok)
            this.notice(user, isEvent ? `(Slack would send the event again: ${reply.why})`
                : `Slack: the app did not answer (${reply.why})`);
        else if (this.notices.delete(user))
            this.changed();
        return reply;
    }
}

export const rooms = (user) => [
    ...CHANNELS.filter((c) => !c.members || c.members.includes(user)).map((c) => ({ id: c.id, name: `# ${c.name}`, topic: c.topic })),
    { id: personOf(user).direct, name: "Wingman", topic: "Direct messages with the app" },
];
