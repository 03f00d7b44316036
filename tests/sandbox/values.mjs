// What stands in the controls of a page, as Slack gives the values of its elements.

const some = (raw) => (Array.isArray(raw) ? raw : raw === undefined || raw === "" ? [] : [raw]);
const one = (raw) => some(raw)[0] ?? null;

const allOptions = (element) => [
    ...(element.options ?? []), ...(element.option_groups ?? []).flatMap((g) => g.options),
    ...(element.initial_option ? [element.initial_option] : []), ...(element.initial_options ?? [])];

// 'offered': options that a menu with a source elsewhere was given.
const options = (element, raw, offered) => some(raw).flatMap((value) => {
    const found = [...allOptions(element), ...offered].find((o) => o.value === value);
    return found ? [{ text: found.text, value: found.value }] : [];
});

const instant = (raw) => {
    const at = Date.parse(raw.endsWith("Z") ? raw : raw + "Z");
    return Number.isNaN(at) ? null : Math.floor(at / 1000);
};

const members = {
    plain_text_input: (e, raw) => ({ value: one(raw) }),
    email_text_input: (e, raw) => ({ value: one(raw) }),
    url_text_input: (e, raw) => ({ value: one(raw) }),
    number_input: (e, raw) => ({ value: one(raw) }),
    static_select: (e, raw, offered) => ({ selected_option: options(e, raw, offered)[0] ?? null }),
    external_select: (e, raw, offered) => ({ selected_option: options(e, raw, offered)[0] ?? null }),
    radio_buttons: (e, raw, offered) => ({ selected_option: options(e, raw, offered)[0] ?? null }),
    overflow: (e, raw, offered) => ({ selected_option: options(e, raw, offered)[0] ?? null }),
    multi_static_select: (e, raw, offered) => ({ selected_options: options(e, raw, offered) }),
    multi_external_select: (e, raw, offered) => ({ selected_options: options(e, raw, offered) }),
    checkboxes: (e, raw, offered) => ({ selected_options: options(e, raw, offered) }),
    users_select: (e, raw) => ({ selected_user: one(raw) }),
    multi_users_select: (e, raw) => ({ selected_users: some(raw) }),
    conversations_select: (e, raw) => ({ selected_conversation: one(raw) }),
    channels_select: (e, raw) => ({ selected_channel: one(raw) }),
    datepicker: (e, raw) => ({ selected_date: one(raw) }),
    timepicker: (e, raw) => ({ selected_time: one(raw) }),
    datetimepicker: (e, raw) => ({ selected_date_time: one(raw) ? instant(one(raw)) : null }),
    button: (e) => ({ text: e.text, value: e.value, ...(e.style ? { style: e.style } : {}) }),
};

// Of one element, as it stands in state.values or in actions[].
export function valueOf(element, raw, offered = []) {
    const read = Object.hasOwn(members, element.type) ? members[element.type] : null;
    return { type: element.type, ...(read ? read(element, raw, offered) : {}) };
}

export function elementsOf(block) {
    switch (block.type) {
    case "actions":
    case "context_actions": return block.elements;
    case "input": return [block.element];
    case "section": return block.accessory ? [block.accessory] : [];
    default: return [];
    }
}

export const findElement = (blocks, block_id, action_id) => blocks
    .filter((b) => b.block_id === block_id).flatMap(elementsOf)
    .find((e) => e.action_id === action_id);

// state.values: 'raw' is {block_id: {action_id: text or texts}}.
export function stateOf(blocks, raw, offeredTo) {
    const values = {};
    for (const block of blocks)
        for (const element of elementsOf(block)) {
            if (element.type === "button" || !element.action_id)
                continue;
            values[block.block_id] ??= {};
            values[block.block_id][element.action_id] = valueOf(
                element, raw?.[block.block_id]?.[element.action_id],
                offeredTo(block.block_id, element.action_id));
        }
    return values;
}

// Of what a person must fill in, what is empty: Slack's client says so itself.
export function missingOf(blocks, values) {
    const errors = {};
    for (const block of blocks) {
        if (block.type !== "input" || block.optional)
            continue;
        const { type, ...rest } = values[block.block_id]?.[block.element.action_id] ?? {};
        const value = Object.values(rest)[0];
        if (value === null || value === undefined || (Array.isArray(value) && !value.length))
            errors[block.block_id] = "Please complete this required field.";
    }
    return errors;
}
