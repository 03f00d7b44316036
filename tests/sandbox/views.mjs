// Modals and App Home as Slack keeps them: triggers that serve once and not for long, a
// stack of at most three, hashes.

import { randomBytes } from "node:crypto";

import { APP, BOT, TEAM } from "./people.mjs";

const STACK_MAX = 3;

let count = 0;
const nextId = (letter) => `${letter}0SBX${String(++count).padStart(5, "0")}`;
const nextHash = () => `${Math.floor(Date.now() / 1000)}.${randomBytes(4).toString("hex")}`;

// What Slack adds to blocks that are sent to it.
export function asHeld(blocks) {
    const add = (v) => {
        if (Array.isArray(v))
            return v.map(add);
        if (!v || typeof v !== "object")
            return v;
        const more = v.type === "rich_text_preformatted" ? { border: 0 } : {};
        return { ...Object.fromEntries(Object.entries(v).map(([k, x]) => [k, add(x)])), ...more };
    };
    return blocks.map((b) => ({ ...add(b), block_id: b.block_id || randomBytes(3).toString("hex") }));
}

export class Views {
    // 'changed' is called with the user whose screen is another now.
    constructor({ changed, triggerMs = 3000 }) {
        Object.assign(this, { changed, triggerMs });
        this.triggers = new Map();  // trigger: {user, until, used}
        this.stacks = new Map();    // user: [view], the topmost last
        this.homes = new Map();     // user: view
    }

    newTrigger(user) {
        const trigger = `${Date.now()}.${++count}.${randomBytes(8).toString("hex")}`;
        this.triggers.set(trigger, { user, until: Date.now() + this.triggerMs, used: false });
        return trigger;
    }

    stackOf(user) {
        return this.stacks.get(user) ?? [];
    }

    find(id) {
        for (const [user, stack] of this.stacks)
            for (const view of stack)
                if (view.id === id || (view.external_id && view.external_id === id))
                    return { user, view };
        return null;
    }

    homeOf(user) {
        return this.homes.get(user) ?? null;
    }

    // ---- What the app calls: an object is the answer, a text the error ----

    spend(trigger) {
        const known = this.triggers.get(trigger);
        if (!known)
            return "invalid_trigger_id";
        if (known.used)
            return "exchanged_trigger_id";
        if (Date.now() > known.until)
            return "expired_trigger_id";
        known.used = true;
        return known;
    }

    held(view, more) {
        return {
            id: nextId("V"), team_id: TEAM, app_id: APP, bot_id: BOT, app_installed_team_id: TEAM,
            callback_id: "", private_metadata: "", external_id: "", close: null, submit: null,
            clear_on_close: false, notify_on_close: false, previous_view_id: null,
            state: { values: {} }, ...view, blocks: asHeld(view.blocks), hash: nextHash(), ...more,
        };
    }

    wrong(view, type) {
        if (!view || view.type !== type || !Array.isArray(view.blocks) || view.blocks.length > 100)
            return "invalid_arguments";
        if (type === "modal" && (!view.title?.text || [...view.title.text].length > 24))
            return "invalid_arguments";
        if (type === "modal" && view.blocks.some((b) => b.type === "input") && !view.submit)
            return "invalid_arguments";
        return JSON.stringify(view).length > 250 * 1000 ? "view_too_large" : null;
    }

    // 'onTop' of the modal that is open, else in place of all.
    show({ trigger_id, view }, onTop) {
        const bad = this.wrong(view, "modal");
        if (bad)
            return bad;
        const known = this.spend(trigger_id);
        if (typeof known === "string")
            return known;
        return this.put(known.user, view, onTop) ?? "push_limit_reached";
    }

    put(user, view, onTop) {
        const below = onTop ? this.stackOf(user) : [];
        if (below.length >= STACK_MAX)
            return null;
        const held = this.held(view, { previous_view_id: below.at(-1)?.id ?? null });
        held.root_view_id = below[0]?.id ?? held.id;
        this.stacks.set(user, [...below, held]);
        this.changed(user);
        return { view: held };
    }

    update({ view_id, external_id, view, hash }) {
        const found = this.find(view_id || external_id);
        if (!found)
            return "not_found";
        const bad = this.wrong(view, found.view.type);
        if (bad)
            return bad;
        if (hash && hash !== found.view.hash)
            return "hash_conflict";
        return { view: this.replace(found.user, found.view, view) };
    }

    replace(user, old, view) {
        const held = this.held(view, { id: old.id, root_view_id: old.root_view_id,
                                       previous_view_id: old.previous_view_id });
        this.stacks.set(user, this.stackOf(user).map((v) => (v.id === old.id ? held : v)));
        this.changed(user);
        return held;
    }

    publish({ user_id, view, hash }) {
        const bad = this.wrong(view, "home");
        if (bad)
            return bad;
        const old = this.homes.get(user_id);
        if (hash && old && hash !== old.hash)
            return "hash_conflict";
        const held = this.held(view, old ? { id: old.id } : {});
        held.root_view_id = held.id;
        this.homes.set(user_id, held);
        this.changed(user_id);
        return { view: held };
    }

    // ---- What the person does ----

    // What was closed, the topmost first.
    close(user, all) {
        const stack = this.stackOf(user);
        const gone = all ? [...stack].reverse() : stack.slice(-1);
        this.stacks.set(user, all ? [] : stack.slice(0, -1));
        this.changed(user);
        return gone;
    }
}
