// The made-up workspace: two of the team, one who is not, and where they talk.

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

export const SCOPES = [
    "app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write",
    "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history",
    "im:read", "im:write", "mpim:read", "reactions:write", "team:read", "usergroups:read",
    "users:read", "users:read.email",
];

export const personOf = (id) => PEOPLE.find((p) => p.id === id);
export const userToken = (id) => `xoxp-sandbox-${id}`;
