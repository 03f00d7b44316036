// 'make sandbox': the made-up workspace with Wingman behind it, until Ctrl-C.
//
//     main.mjs [--dir DIR] [--bin DIR] [--port N] [--patient]
//
// One line of JSON on stdout when all is up, unless that is a terminal; words for people
// on stderr.
// With --patient triggers and answers have a minute instead of Slack's three seconds; the
// environment's SANDBOX_CONTROL is a token with which tests read along.

import path from "node:path";
import { parseArgs } from "node:util";

import { ROOT } from "./npm.mjs";
import { startSandbox, urlsBelow } from "./sandbox.mjs";
import { SHORTCUTS, Suite } from "./suite.mjs";

const PATIENT_MS = 60 * 1000;
const TRIES = 3;

const { values: options } = parseArgs({ options: {
    dir: { type: "string", default: path.join(ROOT, "build", "sandbox") },
    bin: { type: "string", default: path.join(ROOT, "build", "bin") },
    port: { type: "string", default: "0" }, patient: { type: "boolean", default: false } } });

const say = (words) => process.stderr.write(`sandbox: ${words}\n`);
const suite = new Suite(path.resolve(options.dir), path.resolve(options.bin));
let sandbox, stopping = false;

async function stop(status) {
    if (stopping)
        return;
    stopping = true;
    await suite.stop();
    await sandbox?.close();
    process.exit(status);
}
for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => stop(0));

// On ports of its own, again if somebody was quicker.
async function startSuite(tries) {
    try {
        await suite.start(sandbox.api.url, say);
    } catch (e) {
        if (tries <= 1 || !suite.lostPort())
            throw e;
        await suite.stop();
        await suite.plan();
        Object.assign(sandbox.sender, { secret: suite.secret, urls: urlsBelow(suite.base) });
        await startSuite(tries - 1);
    }
}

try {
    await suite.plan();
    const patience = options.patient ? { triggerMs: PATIENT_MS, patienceMs: PATIENT_MS } : {};
    sandbox = await startSandbox({
        secret: suite.secret, urls: urlsBelow(suite.base), port: Number(options.port), shortcuts: SHORTCUTS,
        control: process.env.SANDBOX_CONTROL, ...patience });
    await startSuite(TRIES);
    for (const child of suite.children)
        child.once("exit", (status) => {
            if (stopping)
                return;
            say(`${path.basename(child.spawnfile)} ended with status ${status}; see ${suite.dir}/run`);
            stop(1);
        });
    if (!process.stdout.isTTY)
        process.stdout.write(JSON.stringify({ url: sandbox.url, api: sandbox.api.url, app: suite.base, suite: suite.ready }) + "\n");
    say(`open ${sandbox.url} (this is not Slack; Ctrl-C ends all of it)`);
} catch (e) {
    say(e.message);
    await stop(1);
}
