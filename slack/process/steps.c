/* The steps of a playbook that suggest a call: a button opens the form, begun with it. Who
 * wrote the page wrote that: a person reads it, sends it in, and another says yes. */
#include "base/log.h"
#include "show/suggested.h"
#include "slack/process/approvals.h"
#include "slack/process/handlers.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/process/tools.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/result/result.h"
#include "slack/text/text.h"

#define ACTION "wingman.step" /* and its number; the value is "ID NUMBER" */

enum {
	STEPS_MAX = 20, /* that have a button */
	STEP_MAX = 9999,
	VALUE_BYTES = 100,
	WORDS_BYTES = 32,
	LINE_UNITS = 200,
	NOTE_UNITS = 400,
};

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

/* What get_playbook answered, borrowed; NULL: this is no such answer. */
static const json_t *page_of(const json_t *record)
{
	const json_t *result = json_object_get(record, "result");

	if (!is(json_get_string(record, "server"), "playbooks") ||
	    !is(json_get_string(record, "tool"), "get_playbook") ||
	    !is(json_get_string(record, "state"), "succeeded") ||
	    json_is_true(json_object_get(result, "isError")))
		return NULL;
	return json_object_get(result, "structuredContent");
}

/* --- drawing --- */

static void describe(struct strbuf *sb, int64_t number, const json_t *step,
		     const json_t *call)
{
	const char *text = json_get_string(step, "text");

	strbuf_add_format(sb, "%s%lld. ", sb->length > 0 ? "\n" : "", (long long)number);
	slack_text_words(sb, text ? text : "", LINE_UNITS);
	strbuf_add_string(sb, "\n   ");
	slack_text_words(sb, json_get_string(call, "tool"), LINE_UNITS);
}

bool steps_message(const json_t *record, json_t **ret, struct error *err)
{
	const char *id = json_get_string(record, "id");
	const json_t *page = page_of(record);
	struct slack_button buttons[STEPS_MAX] = { { .action = NULL } };
	char values[STEPS_MAX][VALUE_BYTES], words[STEPS_MAX][WORDS_BYTES],
		actions[STEPS_MAX][WORDS_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t count = 0, i;
	json_t *step;

	*ret = NULL;
	json_array_foreach(json_object_get(page, "steps"), i, step)
	{
		const int64_t number = json_get_int64(step, "step", 0);
		struct error none = ERROR_INIT;
		const json_t *call = suggested_call(step, &none);

		if (!id || !call || number < 1 || number > STEP_MAX || count == STEPS_MAX)
			continue;
		describe(&text, number, step, call);
		(void)snprintf(values[count], VALUE_BYTES, "%s %lld", id,
			       (long long)number);
		(void)snprintf(words[count], WORDS_BYTES, "Propose step %lld",
			       (long long)number);
		(void)snprintf(actions[count], WORDS_BYTES, ACTION ".%lld",
			       (long long)number);
		buttons[count] = (struct slack_button){ .action = actions[count],
							.words = words[count],
							.value = values[count] };
		count++;
	}
	if (count == 0)
		return true;
	json_auto_t *elements = strbuf_ok(&text) ? slack_elements(text.data) : NULL;
	json_auto_t *blocks =
		elements ? json_pack("[o, o]",
				     slack_section("Steps of this page that suggest a "
						   "call. A button opens its form.",
						   elements),
				     slack_actions(buttons, count))
			 : NULL;

	*ret = blocks ? slack_message("Steps that suggest a call", TAKE(blocks)) : NULL;
	return *ret || error_oom(err);
}

/* --- a press --- */

bool steps_is_press(const char *action)
{
	return strncmp(action, ACTION ".", sizeof ACTION) == 0;
}

/* "first steps.md, step 4: suggested, and by nobody judged." */
static bool add_note(struct strbuf *sb, const json_t *page, const json_t *step)
{
	const char *title = json_get_string(page, "title");
	const char *text = json_get_string(step, "text");

	strbuf_add_string(sb, "Playbook '");
	slack_text_words(sb, title ? title : "?", LINE_UNITS);
	strbuf_add_format(sb,
			  "', step %lld: ", (long long)json_get_int64(step, "step", 0));
	slack_text_words(sb, text ? text : "", NOTE_UNITS - LINE_UNITS);
	return strbuf_ok(sb);
}

static bool open_step(const struct delivery *d, const json_t *page, size_t number,
		      struct error *err)
{
	const json_t *step = suggested_step(page, (int64_t)number, err);
	const json_t *call = step ? suggested_call(step, err) : NULL;
	const char *name = json_get_string(call, "tool");
	_cleanup_strbuf_ struct strbuf note = STRBUF_INIT;
	json_auto_t *tool = name ? tools_find(d->front, name, err) : NULL;
	json_auto_t *values = NULL;

	if (!tool)
		return false;
	values = suggested_arguments(json_object_get(tool, "inputSchema"), call);
	if (!values || !add_note(&note, page, step))
		return error_oom(err);
	const struct form_start start = { .values = values, .note = note.data };

	form_open_with(d, name, &start);
	return true;
}

static bool take(const struct delivery *d, struct error *err)
{
	char id[INBOUND_ID_BYTES];
	json_auto_t *shown = NULL;
	const json_t *record;
	size_t number = 0;

	if (!slack_result_read_value(d->in.value, id, sizeof id, &number))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the button says nothing that is known");
	shown = gate_ask(d->front->gate, MSG_SHOW, json_pack("{s:s}", "approval", id),
			 NULL, err);
	record = json_object_get(shown, "record");
	if (!shown)
		return false;
	if (!approvals_concern(record, d->principal))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "this is for who asked, and for who may decide it");
	if (!page_of(record))
		return error_set(err, ERR_NOT_FOUND, "that is no playbook");
	return open_step(d, page_of(record), number, err);
}

void steps_press(const struct delivery *d)
{
	struct error err = ERROR_INIT;

	if (take(d, &err))
		return;
	log_failure("slack.step", &err);
	say_privately(d, say_failure("That step cannot be proposed", &err));
}
