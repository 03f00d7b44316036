// Wingman itself behind the page: a folder of its own, configured for the made-up workspace,
// and 'wingman up' in it. Everything else in the folder is what 'wingman up' makes of any.

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

import { APP, BOT_TOKEN, PEOPLE, TEAM } from "./people.mjs";
import { freePorts } from "./sandbox.mjs";

const SERVERS = ["people", "accounts", "playbooks"];
const STOP_MS = 20 * 1000;
const READY_MS = 30 * 1000;
const MARK = "sandbox.pid";

// Of message shortcuts in this workspace: what the page offers, and the tool each opens.
export const SHORTCUTS = [
    { id: "block_author", name: "Block who wrote this", tool: "accounts.block_account", author: "person", link: "reason" },
    { id: "search_playbooks", name: "Search playbooks", tool: "playbooks.search_playbooks", text: "query" },
];

const PANEL = "playbook://after-an-incident.md";    // of App Home

const write = (dir, name, text) => {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(dir, name), text, { mode: 0o600 });
};

const yaml = (value) => JSON.stringify(value);     // JSON is YAML

function suiteConfig(ports) {
    return `sample: true\nports: ${yaml(ports)}\n`;
}

// Alice is also whoever sits at the console.
function gateConfig(ports, approvals) {
    return `listen: {address: 127.0.0.1, port: ${ports.gate}}\n` +
        `persons:\n` + PEOPLE.filter((p) => p.team).map((p, i) =>
            `  - {id: ${p.email}, slack: [${p.id}]${i === 0 ? `, unix: [${process.getuid()}]` : ""}}\n`).join("") +
        `team: [${PEOPLE.filter((p) => p.team).map((p) => p.email).join(", ")}]\n` +
        `slack: ${yaml({ unix: process.getuid(), app: APP, teams: [TEAM], signing_secrets: ["keys/slack"],
                         allow_shared_uid: true, ...approvals })}\n` +
        `context: ${yaml({ templates: [{ server: "playbooks", uri: PANEL }] })}\n` +
        `servers:\n` + SERVERS.map((s) => `  - {name: ${s}, url: 'http://127.0.0.1:${ports[s]}/mcp'}\n`).join("");
}

function slackConfig(port, apiUrl) {
    const shortcuts = Object.fromEntries(SHORTCUTS.map(({ id, name, ...rest }) => [id, rest]));
    return yaml({ app: APP, teams: [TEAM], api: { token_file: "tokens/slack-bot", url: `${apiUrl}/api` },
                  listen: { port }, signing_secrets: ["keys/slack"], shortcuts,
                  panels: [{ title: "When it is over", server: "playbooks", uri: PANEL }] }) + "\n";
}

export class Suite {
    constructor(dir, bin) {
        Object.assign(this, { dir, bin, children: [] });
    }

    // Before anything starts: the page must know where to send, and with what secret. The
    // workspace is a new one each time, so is what Wingman remembers of it.
    async plan() {
        this.clear();
        mkdirSync(this.dir, { recursive: true, mode: 0o700 });
        write(this.dir, MARK, String(process.pid));
        this.secret = randomBytes(16).toString("hex");
        const names = ["directory", "gate", ...SERVERS, "slack"];
        const ports = await freePorts(names.length);
        this.ports = Object.fromEntries(names.map((name, i) => [name, ports[i]]));
        this.base = `http://127.0.0.1:${this.ports.slack}`;
    }

    // Only what a sandbox made is thrown away.
    clear() {
        const mark = path.join(this.dir, MARK);
        if (!existsSync(mark)) {
            if (existsSync(path.join(this.dir, "config")))
                throw new Error(`${this.dir} is the folder of something else`);
            return;
        }
        const pid = Number(readFileSync(mark, "utf8"));
        if (pid !== process.pid && runs(pid))
            throw new Error(`a sandbox runs in ${this.dir} already, as process ${pid}; end it, or remove ${mark}`);
        // One that was killed has left its suite behind.
        spawnSync(path.join(this.bin, "wingman"), ["--dir", this.dir, "down"], { stdio: "ignore" });
        rmSync(this.dir, { recursive: true });
    }

    async start(apiUrl, say) {
        const { slack, ...ports } = this.ports;
        write(this.dir, "config/suite.yaml", suiteConfig(ports));
        write(this.dir, "config/gate.yaml", gateConfig(ports));
        write(this.dir, "config/slack.yaml", slackConfig(slack, apiUrl));
        write(this.dir, "keys/slack", this.secret);
        write(this.dir, "tokens/slack-bot", BOT_TOKEN);
        this.up = this.run("wingman", ["--dir", this.dir, "up", "--no-console"], "up", "pipe");
        this.ready = JSON.parse(await firstLine(this.up, `wingman up, see ${this.dir}/run,`));
        say(`suite in ${this.dir}`);
        await this.untilAnswers();
    }

    // Whether somebody else took a port between its choice and its use.
    lostPort() {
        const log = path.join(this.dir, "run", "up.log");
        return existsSync(log) && /port \d+ .*in use/.test(readFileSync(log, "utf8"));
    }

    // What it says goes to run/NAME.log, as of everything in a suite.
    run(program, args, name, out) {
        mkdirSync(path.join(this.dir, "run"), { recursive: true, mode: 0o700 });
        const log = openSync(path.join(this.dir, "run", `${name}.log`), "a", 0o600);
        const child = spawn(path.join(this.bin, program), args, { stdio: ["ignore", out ?? log, log] });
        this.children.push(child);
        return child;
    }

    async untilAnswers() {
        const until = Date.now() + READY_MS;
        while (Date.now() < until && this.up.exitCode === null) {
            const reply = await fetch(`${this.base}/readyz`).catch(() => null);
            if (reply?.ok)
                return;
            await new Promise((done) => setTimeout(done, 100));
        }
        throw new Error(`the Slack process does not answer; see ${this.dir}/run/wingman-slack.log`);
    }

    async stop() {
        await Promise.all(this.children.map((child) => new Promise((done) => {
            if (child.exitCode !== null || child.signalCode !== null)
                return done();
            const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
            child.once("exit", () => {
                clearTimeout(late);
                done();
            });
            child.kill("SIGTERM");
        })));
        this.children = [];
    }
}

function runs(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch (e) {
        return e.code === "EPERM";
    }
}

const firstLine = (child, name) => new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (status) => reject(new Error(`${name} ended with status ${status}`)));
    child.once("error", reject);
});
