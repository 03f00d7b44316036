// The made-up workspace: two of the team, one who is not, and where they talk.

import { readFileSync } from "node:fs";
import path from "node:path";

import { load, ROOT } from "./npm.mjs";

export const TEAM = "T0SANDBOX1";
export const APP = "A0SANDBOX1";
export const BOT_USER = "U0WINGMAN1";
export const BOT = "B0WINGMAN1";
export const BOT_NAME = "wingman";
export const COMMAND = "/wingman";
export const USERGROUP = "S0SECTEAM1";
export const BOT_TOKEN = "xoxb-sandbox-bot";

export const PEOPLE = [
    { id: "U0ALICE001", name: "alice", real_name: "Alice Analyst",
      email: "alice@example.test", team: true, direct: "D0ALICE001" },
    { id: "U0BOB00001", name: "bob", real_name: "Bob Responder",
      email: "bob@example.test", team: true, direct: "D0BOB00001" },
    { id: "U0MALLORY1", name: "mallory", real_name: "Mallory Outsider",
      email: "mallory@example.test", team: false, direct: "D0MALLORY1" },
];

// Without 'members' everybody is in it.
export const CHANNELS = [
    { id: "C0SECOPS01", name: "secops", topic: "Security operations: the team alone",
      members: ["U0ALICE001", "U0BOB00001"] },
    { id: "C0GENERAL1", name: "general", topic: "Everybody, outsiders too" },
];

// The bot may what the manifest asks for and no more, so the tests here fail for want of a scope.
const manifest = load("yaml").parse(readFileSync(path.join(ROOT, "deploy", "slack", "manifest.yaml"), "utf8"));
export const BOT_SCOPES = manifest.oauth_config.scopes.bot;
export const PERSON_SCOPES = ["chat:write"];

export const personOf = (id) => PEOPLE.find((p) => p.id === id);
export const userToken = (id) => `xoxp-sandbox-${id}`;
