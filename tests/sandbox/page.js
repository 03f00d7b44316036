// What the page does: tells the sandbox what was pressed, typed and chosen, and shows what
// changed. It knows nothing of Slack; whatever it shows was drawn by the server.

"use strict";

const NEAR = 80;    // pixels above the end, where one reads along

const main = document.querySelector("main");
const as = main.dataset.as;

async function act(what, more) {
    const reply = await fetch("/do", {
        method: "POST", body: JSON.stringify({ as, what, ...more }),
        headers: { "content-type": "application/json", "x-sandbox": "1" } });
    const answer = await reply.json();
    if (answer.error)
        document.getElementById("notice").textContent = answer.error;
    return answer;
}

const placeOf = (element) => JSON.parse(element.closest("[data-place]").dataset.place);

// ---- What stands in the controls ----

const controls = (root) => root.querySelectorAll("[data-block][data-action]:not(button):not(.query)");

function valueOf(control) {
    if (control.type === "radio" || control.type === "checkbox")
        return control.checked ? [control.value] : [];
    if (control.multiple)
        return [...control.selectedOptions].map((o) => o.value);
    return control.value;
}

function valuesIn(root) {
    const values = {};
    for (const control of controls(root)) {
        const { block, action } = control.dataset;
        values[block] ??= {};
        const value = valueOf(control);
        values[block][action] = Array.isArray(value) && values[block][action]
            ? [...values[block][action], ...value] : value;
    }
    return values;
}

// What was typed stays where block and action are the same, as in Slack.
function keep(from, to) {
    for (const control of controls(to)) {
        const { block, action } = control.dataset;
        const same = [...controls(from)].find((c) => c.dataset.block === block && c.dataset.action === action
            && (c.type !== "radio" && c.type !== "checkbox" || c.value === control.value));
        if (!same || same.dataset.kind !== control.dataset.kind)
            continue;
        if (control.tagName === "SELECT")
            control.replaceChildren(...[...same.children].map((o) => o.cloneNode(true)));
        if (control.type === "radio" || control.type === "checkbox")
            control.checked = same.checked;
        else if (control.multiple)
            [...control.options].forEach((o, i) => { o.selected = same.options[i].selected; });
        else
            control.value = same.value;
    }
}

// ---- Showing what changed ----

const shown = {};
let running = false, again = false;

async function refresh() {
    if (running) {
        again = true;
        return;
    }
    running = true;
    try {
        const text = await (await fetch(location.href, { headers: { "x-sandbox": "1" } })).text();
        const next = new DOMParser().parseFromString(text, "text/html");
        for (const id of ["notice", "room", "modal"])
            show(id, next.getElementById(id));
    } finally {
        running = false;
    }
    if (again) {
        again = false;
        refresh();
    }
}

function show(id, next) {
    const html = next.outerHTML;
    if (shown[id] === html)
        return;
    shown[id] = html;
    const old = document.getElementById(id);
    const form = next.querySelector("form"), before = old.querySelector("form");
    if (form && before && form.dataset.view === before.dataset.view)
        keep(before, form);
    const { scrollTop } = old;
    const atEnd = old.scrollHeight - scrollTop - old.clientHeight < NEAR && next.dataset.room !== "home";
    old.replaceWith(next);
    next.scrollTop = atEnd ? next.scrollHeight : scrollTop;
}

// ---- What a person does ----

function asked(button) {
    const [title, text, yes, no] = JSON.parse(button.dataset.confirm);
    const dialog = document.createElement("dialog");
    const element = (tag, words) => Object.assign(document.createElement(tag), { textContent: words });
    const buttons = [element("button", no), element("button", yes)];
    buttons[1].className = "button primary";
    dialog.append(element("b", title), element("p", text), ...buttons);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
        buttons[0].addEventListener("click", () => dialog.close("no"));
        buttons[1].addEventListener("click", () => dialog.close("yes"));
    });
}

async function press(control) {
    if (control.dataset.confirm && !await asked(control))
        return;
    const root = control.closest("[data-place]");
    await act("press", { place: placeOf(control), block: control.dataset.block, action: control.dataset.action,
                         value: control.tagName === "BUTTON" ? undefined : valueOf(control), values: valuesIn(root) });
}

document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button)
        return;
    if (button.dataset.kind === "button")
        press(button);
    else if (button.dataset.close)
        act("close", { view: placeOf(button).view, all: button.dataset.close === "all" });
    else if (button.dataset.shortcut)
        act("shortcut", { callback: button.dataset.shortcut, place: placeOf(button) });
});

const waiting = new Map();

document.addEventListener("input", (e) => {
    const query = e.target.closest(".query");
    if (!query || query.value.length < Number(query.dataset.least))
        return;
    clearTimeout(waiting.get(query));
    waiting.set(query, setTimeout(async () => {
        const { options } = await act("suggest", { place: placeOf(query), block: query.dataset.block,
                                                   action: query.dataset.action, typed: query.value });
        const select = query.parentElement.querySelector("select");
        const chosen = [...select.selectedOptions].filter((o) => o.value);
        const first = select.multiple ? [] : [new Option("What was found", "")];
        select.replaceChildren(...first, ...chosen, ...(options ?? []).map((o) => new Option(o.text, o.value)));
    }, 200));
});

document.addEventListener("change", (e) => {
    if (e.target.dataset?.acts && e.target.dataset.block && e.target.value !== "")
        press(e.target);
});

document.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (e.target.id === "composer") {
        const say = document.getElementById("say");
        const text = say.value.trim();
        say.value = "";
        if (text)
            await act("say", { channel: e.target.dataset.room, thread: e.target.dataset.thread, text });
    } else if (e.target.dataset.view) {
        await act("submit", { view: e.target.dataset.view, values: valuesIn(e.target) });
    }
});

if (main.dataset.at === "home")
    act("opened", { tab: "home" });
else if (main.dataset.at.startsWith("D"))
    act("opened", { tab: "messages" });
new EventSource("/changes").addEventListener("message", refresh);
if (main.dataset.at !== "home")
    document.getElementById("room").scrollTop = document.getElementById("room").scrollHeight;
