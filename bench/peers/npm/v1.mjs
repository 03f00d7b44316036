// The official TypeScript SDK 1.x, a session reused: node v1.mjs TOOLS
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as z from 'zod';

const tools = Number(process.argv[2]);
const schema = { inputSchema: { text: z.string() }, outputSchema: { text: z.string() } };
const echo = async ({ text }) => ({ content: [{ type: 'text', text }], structuredContent: { text } });
const sessions = new Map();

function newServer() {
	const server = new McpServer({ name: 'peer', version: '1' });
	server.registerTool('echo_text', { description: 'Says it again.', ...schema }, echo);
	for (let i = 1; i < tools; i++)
		server.registerTool(`tool_${i}`, { description: 'Says it again.', ...schema }, echo);
	return server;
}

async function begin() {
	const transport = new StreamableHTTPServerTransport({
		sessionIdGenerator: randomUUID,
		enableJsonResponse: true,
		onsessioninitialized: (id) => { sessions.set(id, transport); },
	});
	await newServer().connect(transport);
	return transport;
}

const http = createServer(async (req, res) => {
	const transport = sessions.get(req.headers['mcp-session-id']) ?? await begin();
	await transport.handleRequest(req, res);
});
http.listen(0, '127.0.0.1', 4096, () => console.log(http.address().port));
