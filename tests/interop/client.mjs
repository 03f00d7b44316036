// One session of an official JavaScript client: connect, list, call, say it as JSON.
//
//     node --input-type=module - '{"client": "sdk" | "client", ...}' < client.mjs
//
// Run in the folder that has node_modules. 'url' and 'headers' ('sse': HTTP+SSE), or
// 'command' (an argv); for "client" an 'era' too; 'calls' is a list of {name, arguments}.
// Prints {version, tools, calls}, where a call is its result, or {threw} when the client
// would not have it.

const spec = JSON.parse(process.argv.at(-1));
const me = { name: "tests", version: "1" };

async function open() {
    if (spec.client === "sdk") {
        const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
        const { StreamableHTTPClientTransport } =
            await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
        const { SSEClientTransport } = await import("@modelcontextprotocol/sdk/client/sse.js");
        const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
        return [new Client(me), spec.sse ? SSEClientTransport : StreamableHTTPClientTransport,
                StdioClientTransport];
    }
    const { Client, SSEClientTransport, StreamableHTTPClientTransport } =
        await import("@modelcontextprotocol/client");
    const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
    const mode = spec.era === "modern" ? { pin: "2026-07-28" } : spec.era;
    return [new Client(me, { versionNegotiation: { mode } }),
            spec.sse ? SSEClientTransport : StreamableHTTPClientTransport, StdioClientTransport];
}

const [client, Http, Stdio] = await open();
const transport = spec.command
    ? new Stdio({ command: spec.command[0], args: spec.command.slice(1) })
    : new Http(new URL(spec.url), { requestInit: { headers: spec.headers } });
let told = null; // the revision, as the older client tells its transport
if (spec.client === "sdk") {
    const tell = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => { told = version; tell?.(version); };
}
await client.connect(transport);

// Afterwards results are held against the schemas that were listed.
const { tools } = await client.listTools();
const calls = [];
for (const call of spec.calls) {
    try {
        calls.push(await client.callTool(call));
    } catch (error) {
        calls.push({ threw: String(error) });
    }
}
const version = client.getNegotiatedProtocolVersion?.() ?? told;
console.log(JSON.stringify({ version, tools, calls }));
await client.close();
