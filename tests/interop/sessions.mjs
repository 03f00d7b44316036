// The official JavaScript client of the handshake revisions in one session: what it is
// told and asked while calls are under way, said as JSON.
//
//     node --input-type=module - '{"transport": "http" | "sse" | "stdio", "url": URL}' \
//         < sessions.mjs
//
// Run in the folder that has node_modules, against our server for the official suite; for
// stdio 'command' is the program, which gets the URL.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
    CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema,
    ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

const spec = JSON.parse(process.argv.at(-1));
const client = new Client({ name: "tests", version: "1" },
                          { capabilities: { elicitation: {}, sampling: {} } });
const heard = { logs: [], progress: [] };
client.setRequestHandler(ElicitRequestSchema, async () => (
    { action: "accept", content: { username: "ada", email: "ada@example.test" } }));
client.setRequestHandler(CreateMessageRequestSchema, async (request) => (
    { role: "assistant", model: "m",
      content: { type: "text", text: "re: " + request.params.messages[0].content.text } }));
client.setNotificationHandler(LoggingMessageNotificationSchema, (n) => {
    heard.logs.push(n.params.data);
});
const listChanged = new Promise((resolve) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve(true));
});

const url = new URL(spec.url);
const transport = spec.transport === "sse" ? new SSEClientTransport(url)
    : spec.transport === "stdio" ? new StdioClientTransport(
        { command: spec.command, args: [spec.url], stderr: "ignore" })
    : new StreamableHTTPClientTransport(url);
await client.connect(transport);

const call = async (name, args = {}, options = undefined) =>
    (await client.callTool({ name, arguments: args }, undefined, options)).content[0].text;

await client.setLoggingLevel("info");
heard.logged = await call("test_tool_with_logging");
heard.progressed = await call("test_tool_with_progress", {},
                              { onprogress: (p) => heard.progress.push(p.progress) });
heard.sampled = await call("test_sampling", { prompt: "hello" });
heard.elicited = await call("test_elicitation", { message: "who?" });
heard.reconnected = await call("test_reconnection");

const abort = new AbortController();
heard.aborted = await call("test_tool_with_progress", {}, {
    signal: abort.signal, onprogress: () => abort.abort("enough"),
}).catch(() => "aborted");

await call("test_trigger_tool_change");
heard.listChanged = await listChanged;
heard.subscribed = await client.subscribeResource({ uri: "test://watched-resource" });
heard.unsubscribed = await client.unsubscribeResource({ uri: "test://watched-resource" });
heard.pong = await client.ping();
if (spec.transport === "http") {
    await transport.terminateSession();
}
console.log(JSON.stringify(heard));
await client.close();
