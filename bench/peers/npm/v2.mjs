// The official TypeScript SDK 2.x as its pages show it, a factory that makes tools and their
// schemas for each request: node v2.mjs TOOLS. With 'once' behind it the schemas are made once
// and shared, as somebody does who has measured.
import { createServer } from 'node:http';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler }
	from '@modelcontextprotocol/node';
import * as z from 'zod';

const tools = Number(process.argv[2]);
const made = () => ({
	inputSchema: z.object({ text: z.string() }),
	outputSchema: z.object({ text: z.string() }),
});
const shared = made();
const schemas = process.argv[3] === 'once' ? () => shared : made;
const echo = async ({ text }) => ({ content: [{ type: 'text', text }], structuredContent: { text } });

const handler = createMcpHandler(() => {
	const server = new McpServer({ name: 'peer', version: '1' });
	server.registerTool('echo_text', { description: 'Says it again.', ...schemas() }, echo);
	for (let i = 1; i < tools; i++)
		server.registerTool(`tool_${i}`, { description: 'Says it again.', ...schemas() }, echo);
	server.registerTool('tell_all', { description: 'Tells all who listen.', inputSchema: z.object({}) }, async () => {
		handler.notify.toolsChanged();
		return { content: [] };
	});
	return server;
}, { maxSubscriptions: 20000 });

const validHost = localhostHostValidation();
const validOrigin = localhostOriginValidation();
const node = toNodeHandler(handler);
const http = createServer((req, res) => {
	if (validHost(req, res) && validOrigin(req, res))
		node(req, res);
});
http.listen(0, '127.0.0.1', 4096, () => console.log(http.address().port));
