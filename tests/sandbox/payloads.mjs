// The bodies of what Slack sends, from what a person did; only shapes, nothing is sent.

import { APP, BOT, BOT_USER, COMMAND, CHANNELS, personOf, TEAM } from "./people.mjs";

let count = 0;
const now = () => Math.floor(Date.now() / 1000);
const actionTs = () => `${now()}.${String(++count).padStart(6, "0")}`;

const team = { id: TEAM, domain: "sandbox" };
const who = (user) => ({ id: user, username: personOf(user)?.name, name: personOf(user)?.name, team_id: TEAM });
export const channelName = (id) => CHANNELS.find((c) => c.id === id)?.name ?? "directmessage";

export function envelope(event) {
    return {
        token: "deprecated", team_id: TEAM, context_team_id: TEAM, api_app_id: APP, event,
        type: "event_callback", event_id: `Ev0SBX${now()}${++count}`, event_time: now(),
        authorizations: [{ enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true,
                           is_enterprise_install: false }],
        is_ext_shared_channel: false, event_context: "sandbox",
    };
}

export function message(kind, user, channel, ts, thread_ts, text, blocks) {
    return envelope({
        type: kind, user, text, ts, team: TEAM, blocks, channel, event_ts: ts,
        ...(thread_ts && thread_ts !== ts ? { thread_ts } : {}),
        ...(kind === "message" ? { channel_type: "im" } : {}),
    });
}

// What the app wrote in a direct message comes back to it, and so does what it changed there.
export function ownMessage(channel, { text, ts, blocks, thread_ts }, changed) {
    const m = { type: "message", user: BOT_USER, bot_id: BOT, app_id: APP, team: TEAM, text, ts, blocks,
                ...(thread_ts ? { thread_ts } : {}) };
    const more = { channel, channel_type: "im", event_ts: actionTs() };
    return envelope(changed ? { type: "message", subtype: "message_changed", hidden: true, message: m,
                                previous_message: m, ts: more.event_ts, ...more } : { ...m, ...more });
}

export const homeOpened = (user, channel, tab, view) => envelope({
    type: "app_home_opened", user, channel, tab, event_ts: actionTs(), ...(view ? { view } : {}) });

export const command = (user, channel, text, trigger_id, response_url) => ({
    token: "deprecated", team_id: TEAM, team_domain: "sandbox", channel_id: channel,
    channel_name: channelName(channel), user_id: user, user_name: personOf(user).name,
    command: COMMAND, text, api_app_id: APP, is_enterprise_install: "false", response_url, trigger_id,
});

const interaction = (type, user, more) => ({
    type, user: who(user), api_app_id: APP, token: "deprecated", team, enterprise: null,
    is_enterprise_install: false, ...more });

// 'place' {channel, message, ephemeral} or {view}
function placeOf(place) {
    if (place.view)
        return { container: { type: "view", view_id: place.view.id }, view: place.view };
    const { message: m, channel } = place;
    return {
        container: { type: "message", message_ts: m.ts, channel_id: channel,
                     is_ephemeral: place.ephemeral, ...(m.thread_ts ? { thread_ts: m.thread_ts } : {}) },
        channel: { id: channel, name: channelName(channel) },
        ...(place.ephemeral ? {} : { message: m }),
    };
}

export const blockActions = (user, place, action, values, trigger_id, response_url) =>
    interaction("block_actions", user, {
        ...placeOf(place), trigger_id, state: { values }, ...(place.view ? {} : { response_url }),
        actions: [{ ...action, action_ts: actionTs() }] });

export const suggestion = (user, place, block_id, action_id, value) =>
    interaction("block_suggestion", user, { ...placeOf(place), block_id, action_id, value });

export const submission = (user, view, values, trigger_id) =>
    interaction("view_submission", user, { view: { ...view, state: { values } }, trigger_id, response_urls: [] });

export const closed = (user, view, is_cleared) =>
    interaction("view_closed", user, { view, is_cleared });

export const onMessage = (user, callback_id, channel, m, trigger_id, response_url) =>
    interaction("message_action", user, {
        callback_id, channel: { id: channel, name: channelName(channel) }, message: m,
        message_ts: m.ts, action_ts: actionTs(), trigger_id, response_url });

export const shortcut = (user, callback_id, trigger_id) =>
    interaction("shortcut", user, { callback_id, trigger_id, action_ts: actionTs() });
