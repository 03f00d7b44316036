// One session of an official JavaScript client: connect, list, call, say it as JSON.
//
//     node --input-type=module - '{"client": "sdk" | "client", ...}' < client.mjs
//
// Run in the folder that has node_modules. 'url' and 'headers' ('sse': HTTP+SSE), or
// 'command' (an argv); for "client" an 'era' too; 'calls' is a list of {name, arguments}.
// With 'page' ("accept", "decline") the client can show pages, and its person says that of
// each. Prints {version, tools, calls, pages}, where a call is its result, or {threw} when the
// client would not have it; 'pages' are their addresses.

const spec = JSON.parse(process.argv.at(-1));
const me = { name: "tests", version: "1" };
const can = spec.page ? { capabilities: { elicitation: { url: {} } } } : {};
const pages = [];

async function see(request) {
    pages.push(request.params.url);
    // Whoever decides is told of it by this line.
    process.stderr.write(`page ${request.params.url}\n`);
    return { action: spec.page };
}

async function open() {
    if (spec.client === "sdk") {
        const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
        const { StreamableHTTPClientTransport } =
            await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
        const { SSEClientTransport } = await import("@modelcontextprotocol/sdk/client/sse.js");
        const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
        const client = new Client(me, can);
        if (spec.page) {
            const { ElicitRequestSchema } = await import("@modelcontextprotocol/sdk/types.js");
            client.setRequestHandler(ElicitRequestSchema, see);
        }
        return [client, spec.sse ? SSEClientTransport : StreamableHTTPClientTransport,
                StdioClientTransport];
    }
    const { Client, SSEClientTransport, StreamableHTTPClientTransport } =
        await import("@modelcontextprotocol/client");
    const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
    const mode = spec.era === "modern" ? { pin: "2026-07-28" } : spec.era;
    const client = new Client(me, { ...can, versionNegotiation: { mode } });
    if (spec.page)
        client.setRequestHandler("elicitation/create", see);
    return [client,
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
        calls.push({ threw: String(error), code: error.code, data: error.data });
    }
}
const version = client.getNegotiatedProtocolVersion?.() ?? told;
console.log(JSON.stringify({ version, tools, calls, pages }));
await client.close();
