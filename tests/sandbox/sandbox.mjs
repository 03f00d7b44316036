// The made-up workspace as a whole: emulator, Web API, page. The app behind it is not
// started here; it needs 'api.url' and posts are sent to 'urls'.

import { createServer } from "node:net";

import { startEmulator } from "./emulator.mjs";
import { WebApi } from "./webapi.mjs";
import { PageServer } from "./server.mjs";
import { Sender } from "./sender.mjs";
import { Views } from "./views.mjs";
import { Workspace } from "./workspace.mjs";

// All are held until all are known, so that none comes twice.
export async function freePorts(count) {
    const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve) => {
        const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
    })));
    const ports = servers.map((server) => server.address().port);
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    return ports;
}

// One base for all four, as the manifest has them.
export const urlsBelow = (base) => ({
    events: `${base}/slack/events`, commands: `${base}/slack/commands`,
    interactions: `${base}/slack/interactions`, options: `${base}/slack/options` });

export async function startSandbox({ secret, urls, port = 0, shortcuts, control, triggerMs, patienceMs, tokens = [] }) {
    const [apiPort, emulatorPort] = await freePorts(2);
    const emulator = await startEmulator(emulatorPort, `http://127.0.0.1:${apiPort}`);
    const sender = new Sender({ secret, urls, patienceMs });
    const views = new Views({ changed: () => workspace.changed(), triggerMs });
    const workspace = new Workspace({ emulator, views, sender, shortcuts });
    const api = new WebApi({ emulator, views, workspace });
    await api.listen(apiPort);
    for (const token of tokens)
        api.tokens.add(token);
    workspace.responseBase = api.url;
    const page = new PageServer({ workspace, api, sender, control });
    await page.listen(port);
    const close = async () => {
        page.close();
        api.close();
        await emulator.close();
    };
    return { url: page.url, api, emulator, sender, workspace, views, close };
}
