// The elements that a person presses, types into or chooses from, as controls of a page.
// Their names say block and action; what they do to the app is page.js's and the server's.

import { CHANNELS, PEOPLE } from "./people.mjs";
import { h } from "./react.mjs";

const words = (text) => text?.text ?? "";

const option = (o, chosen) =>
    h("option", { key: o.value, value: o.value, selected: chosen.includes(o.value) || undefined }, words(o.text));

function menu(e, props, options, chosen, several) {
    const listed = (e.option_groups ?? []).map((g, i) =>
        h("optgroup", { key: i, label: words(g.label) }, g.options.map((o) => option(o, chosen))));
    const first = several ? [] : [h("option", { key: "", value: "" }, words(e.placeholder) || "Choose an option")];
    return h("select", { ...props, multiple: several || undefined, size: several ? 4 : undefined },
             first, listed, options.map((o) => option(o, chosen)));
}

const valuesOf = (options) => (options ?? []).map((o) => o.value);
const asOptions = (pairs) => pairs.map(([value, text]) => ({ value, text: { text } }));
const people = () => asOptions(PEOPLE.map((p) => [p.id, p.real_name]));
const channels = () => asOptions(CHANNELS.map((c) => [c.id, "#" + c.name]));

// A menu whose options the app is asked for.
function searched(e, props, several) {
    const initial = several ? e.initial_options ?? [] : e.initial_option ? [e.initial_option] : [];
    return h("span", { className: "searched" },
             h("input", { className: "query", placeholder: words(e.placeholder) || "Type to search",
                          "data-least": e.min_query_length ?? 3, "data-block": props["data-block"],
                          "data-action": props["data-action"], "aria-label": "search" }),
             menu({ placeholder: { text: "What was found" } }, props, initial, valuesOf(initial), several));
}

function boxes(e, props, type, chosen) {
    return h("span", { className: "boxes" }, (e.options ?? []).map((o, i) =>
        h("label", { key: i }, h("input", { ...props, type, value: o.value,
            name: `${props["data-block"]} ${props["data-action"]}`,
            defaultChecked: chosen.includes(o.value) }), " ", words(o.text))));
}

const utc = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16);
const typed = (e, props, more) => h("input", { ...props, type: "text", defaultValue: e.initial_value,
                                              placeholder: words(e.placeholder), ...more });

const makers = {
    button: (e, props) => h("button", { ...props, type: "button", className: `button ${e.style ?? ""}`,
        "data-confirm": e.confirm ? JSON.stringify([words(e.confirm.title), words(e.confirm.text),
                                                    words(e.confirm.confirm), words(e.confirm.deny)]) : undefined },
                            words(e.text)),
    plain_text_input: (e, props) => (e.multiline
        ? h("textarea", { ...props, rows: 4, maxLength: e.max_length, defaultValue: e.initial_value,
                          placeholder: words(e.placeholder) })
        : typed(e, props, { maxLength: e.max_length })),
    email_text_input: (e, props) => typed(e, props),
    url_text_input: (e, props) => typed(e, props),
    number_input: (e, props) => typed(e, props, { type: "number", min: e.min_value, max: e.max_value,
                                                  step: e.is_decimal_allowed ? "any" : 1 }),
    datepicker: (e, props) => typed({ initial_value: e.initial_date }, props, { type: "date" }),
    timepicker: (e, props) => typed({ initial_value: e.initial_time }, props, { type: "time" }),
    datetimepicker: (e, props) => h("span", {}, typed(
        { initial_value: e.initial_date_time ? utc(e.initial_date_time) : undefined }, props,
        { type: "datetime-local" }), " UTC"),
    static_select: (e, props) => menu(e, props, e.options ?? [], valuesOf(e.initial_option && [e.initial_option])),
    multi_static_select: (e, props) => menu(e, props, e.options ?? [], valuesOf(e.initial_options), true),
    overflow: (e, props) => menu({ placeholder: { text: "…" } }, props, e.options ?? [], []),
    external_select: (e, props) => searched(e, props, false),
    multi_external_select: (e, props) => searched(e, props, true),
    users_select: (e, props) => menu(e, props, people(), [e.initial_user]),
    multi_users_select: (e, props) => menu(e, props, people(), e.initial_users ?? [], true),
    channels_select: (e, props) => menu(e, props, channels(), [e.initial_channel]),
    conversations_select: (e, props) => menu(e, props, channels(), [e.initial_conversation]),
    radio_buttons: (e, props) => boxes(e, props, "radio", valuesOf(e.initial_option && [e.initial_option])),
    checkboxes: (e, props) => boxes(e, props, "checkbox", valuesOf(e.initial_options)),
};

// 'acts': a change is told to the app at once, as everywhere but in a form's inputs.
export function control(block, element, acts) {
    const make = Object.hasOwn(makers, element.type) ? makers[element.type] : null;
    const props = { "data-block": block.block_id, "data-action": element.action_id,
                    "data-kind": element.type, "data-acts": acts ? "1" : undefined, "aria-label": element.action_id };
    return make ? make(element, props) : h("em", {}, `(an element of the type ${element.type})`);
}
