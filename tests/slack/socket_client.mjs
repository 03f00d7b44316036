// Slack's own client of Socket Mode, to prove the double: prints each event's type, body type,
// and whether it may be answered, a line of JSON each.
//   NODE_PATH=build/npm/node_modules node socket_client.mjs API_URL TOKEN
import { createRequire } from "node:module";

const { SocketModeClient } = createRequire(process.env.NODE_PATH + "/")("@slack/socket-mode");
const [slackApiUrl, appToken] = process.argv.slice(2);
const client = new SocketModeClient({ appToken, clientOptions: { slackApiUrl }, logLevel: "error" });
const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");

client.on("slack_event", async ({ ack, type, body, retry_num, accepts_response_payload }) => {
  await ack(accepts_response_payload ? { text: "seen" } : undefined);
  say({ type, body: body.type ?? body.command, retry: retry_num ?? 0, accepts_response_payload });
});
client.on("connected", () => say({ connected: true }));
process.stdin.on("end", () => process.exit(0)).resume();
await client.start();
