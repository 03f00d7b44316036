// Slack's end of Socket Mode, as far as its clients can see: apps.connections.open, single-use
// tickets, hello, pings, envelopes and acknowledgements; and what goes wrong there. On npm's
// 'ws'. Written from Slack's documentation, and held against Slack's own client by the test.
//
//   NODE_PATH=build/npm/node_modules node socket_double.mjs [cert key]
//
// Prints {"port"} and then, a line of JSON each, what happens: opened, refused, up, frame,
// pong, closed. Reads commands, a line of JSON each:
//   {do: send, to?, frame | text, pieces?}   to connection number 'to', else to one of them
//   {do: binary | close | drop | ping, to?}  close with the handshake, drop without
//   {do: set, ...}     mode of what comes: see 'mode'
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import readline from "node:readline";

const { WebSocketServer } = createRequire(process.env.NODE_PATH + "/")("ws");
const [cert, key] = process.argv.slice(2);
const mode = {
  error: null, // of apps.connections.open
  status: 0, retry_after: 0,
  url: null, // instead of the right one
  hello: true, pong: true, ping_ms: 5000,
  refuse_upgrade: 0, redirect: null, app: "A0WINGMAN1",
  greeting: null, // a frame right after hello
};
const connections = new Map(), tickets = new Set();
let last = 0, port = 0;
const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");

function answer(q, s) {
  const reply = (o) => {
    s.setHeader("content-type", "application/json; charset=utf-8");
    s.end(JSON.stringify(o));
  };
  if (q.url !== "/api/apps.connections.open") return s.writeHead(404).end();
  if (mode.status) {
    say({ refused: mode.status });
    s.writeHead(mode.status, mode.retry_after ? { "retry-after": mode.retry_after } : {});
    return s.end("no");
  }
  const error = mode.error ??
    (/^Bearer xapp-/.test(q.headers.authorization ?? "") ? null : "not_allowed_token_type");
  if (error) {
    say({ refused: error });
    return reply({ ok: false, error });
  }
  const ticket = randomUUID();
  tickets.add(ticket);
  say({ opened: ticket });
  reply({ ok: true, url: mode.url ??
    `${cert ? "wss" : "ws"}://localhost:${port}/link/?ticket=${ticket}&app_id=A0WINGMAN1` });
}

function connect(ws) {
  const id = ++last;
  const ping = setInterval(() => ws.ping("Ping from applink"), mode.ping_ms);
  connections.set(id, ws);
  ws.on("message", (d) => say({ frame: JSON.parse(d), on: id }));
  ws.on("ping", () => say({ pinged: id }));
  ws.on("pong", () => say({ pong: id }));
  ws.on("error", () => {});
  ws.on("close", (code) => {
    connections.delete(id);
    clearInterval(ping);
    say({ closed: id, code, left: connections.size });
  });
  if (mode.hello)
    ws.send(JSON.stringify({ type: "hello", num_connections: connections.size,
      connection_info: { app_id: mode.app },
      debug_info: { host: "applink-1", build_number: 1, approximate_connection_time: 18060 } }));
  if (mode.greeting) ws.send(JSON.stringify(mode.greeting));
  say({ up: id, connections: connections.size });
}

const server = cert
  ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer)
  : http.createServer(answer);
const sockets = new WebSocketServer({ noServer: true, autoPong: false });
server.on("upgrade", (q, socket, head) => {
  socket.on("error", () => {});
  if (mode.refuse_upgrade || mode.redirect || !tickets.delete(
        new URL(q.url, "http://x").searchParams.get("ticket"))) {
    say({ turned_away: true });
    return socket.end(mode.redirect
      ? `HTTP/1.1 302 Found\r\nLocation: ${mode.redirect}\r\nContent-Length: 0\r\n\r\n`
      : `HTTP/1.1 ${mode.refuse_upgrade || 403} No\r\nContent-Length: 0\r\n\r\n`);
  }
  sockets.handleUpgrade(q, socket, head, (ws) => {
    ws.on("ping", (d) => { if (mode.pong) ws.pong(d); });
    connect(ws);
  });
});

// In 'pieces' frames of one message.
function send(ws, data, pieces = 1) {
  const size = Math.ceil(data.length / pieces);
  for (let at = 0; at < data.length; at += size)
    ws.send(data.subarray(at, at + size), { binary: false, fin: at + size >= data.length });
}

const deeds = {
  send: (ws, c) => send(ws, Buffer.from(c.text ?? JSON.stringify(c.frame)), c.pieces),
  binary: (ws) => ws.send(Buffer.from([1, 2, 3]), { binary: true }),
  close: (ws, c) => ws.close(c.code ?? 1000),
  drop: (ws) => ws.terminate(),
  ping: (ws) => ws.ping("Ping from applink"),
};
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const c = JSON.parse(line);
  if (c.do === "set") {
    Object.assign(mode, c.mode);
    return say({ set: true });
  }
  const ws = c.to ? connections.get(c.to) : [...connections.values()][0];
  if (!ws) return say({ nobody: true });
  deeds[c.do](ws, c);
}).on("close", () => process.exit(0));
server.listen(0, "127.0.0.1", () => {
  port = server.address().port;
  say({ port });
});
