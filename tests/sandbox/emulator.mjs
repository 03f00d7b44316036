// The independent double of Slack's Web API (npm's 'emulate') with the people and channels
// of people.mjs under ids that stay the same; by itself it draws ids at each start.

import { readdirSync } from "node:fs";
import path from "node:path";

import { loadFile, MODULES, readFileOf } from "./npm.mjs";
import { APP, BOT, BOT_NAME, BOT_SCOPES, BOT_TOKEN, BOT_USER, CHANNELS, PEOPLE, PERSON_SCOPES, TEAM, userToken }
    from "./people.mjs";

const SIGNED_BY_NOBODY = "the emulator sends no events here";

// Its files are named after their content.
function chunkOfSlack() {
    const name = readdirSync(path.join(MODULES, "emulate", "dist")).find(
        (f) => /^dist-.*\.js$/.test(f) && readFileOf("emulate", "dist", f).includes("\n  slackPlugin\n};"));
    return loadFile("emulate", "dist", name);
}

const profile = (name, real_name, email) => ({
    display_name: name, real_name, email, image_48: "", image_192: "",
    display_name_normalized: name, real_name_normalized: real_name,
    status_text: "", status_emoji: "", status_emoji_display_info: [], status_expiration: 0,
});

const user = (id, name, real_name, email, is_bot) => ({
    user_id: id, team_id: TEAM, name, real_name, email, is_admin: false, is_bot, deleted: false,
    profile: profile(name, real_name, email), presence: "active", manual_presence: "auto",
    connection_count: 1, last_activity: 0,
});

const channel = (id, name, members, more) => ({
    channel_id: id, team_id: TEAM, name, is_channel: true, is_private: false,
    is_archived: false, topic: { value: "", creator: "", last_set: 0 },
    purpose: { value: "", creator: "", last_set: 0 }, members, creator: members[0],
    num_members: members.length, ...more,
});

function fill(slack) {
    slack.teams.insert({ team_id: TEAM, name: "Sandbox", domain: "sandbox" });
    for (const p of PEOPLE)
        slack.users.insert(user(p.id, p.name, p.real_name, p.email, false));
    slack.users.insert(user(BOT_USER, BOT_NAME, "Wingman", "", true));
    for (const c of CHANNELS) {
        const members = [...(c.members ?? PEOPLE.map((p) => p.id)), BOT_USER];
        slack.channels.insert(channel(c.id, c.name, members, {
            topic: { value: c.topic, creator: "", last_set: 0 } }));
    }
    for (const p of PEOPLE)
        slack.channels.insert(channel(p.direct, p.name, [BOT_USER, p.id].sort(), {
            is_channel: false, is_private: true, is_im: true, is_mpim: false, user: p.id,
            is_open_by_user: { [BOT_USER]: true, [p.id]: true }, last_read: {} }));
}

const seed = {
    strict_scopes: true,
    signing_secret: SIGNED_BY_NOBODY,
    oauth_apps: [{ app_id: APP, client_id: "1.2", client_secret: "x", name: "Wingman",
                   bot_name: BOT_NAME, bot_id: BOT, bot_user_id: BOT_USER, redirect_uris: [],
                   scopes: BOT_SCOPES }],
    tokens: [
        { token: BOT_TOKEN, type: "bot", user_id: BOT_USER, bot_id: BOT, bot_user_id: BOT_USER,
          app_id: APP, client_id: "1.2", scopes: BOT_SCOPES },
        ...PEOPLE.map((p) => ({ token: userToken(p.id), type: "user", user_id: p.id,
                                scopes: PERSON_SCOPES })),
    ],
};

// {url, slack, close}: 'slack' is what it holds, to be read and not written.
// Addresses that it names begin with 'baseUrl'.
export async function startEmulator(port, baseUrl) {
    const { createEmulator } = await loadFile("emulate", "dist", "api.js");
    const { getSlackStore, slackPlugin } = await chunkOfSlack();
    let slack;
    slackPlugin.seed = (store) => {
        slack = getSlackStore(store);
        fill(slack);
    };
    const running = await createEmulator({
        service: "slack", port, hostname: "127.0.0.1", baseUrl,
        seed: { slack: seed } });
    return { url: `http://127.0.0.1:${port}`, slack, close: () => running.close() };
}
