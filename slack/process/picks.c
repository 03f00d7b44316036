/* Which of several persons is meant: who asked picks one of those that the server named. */
#include "base/log.h"
#include "slack/process/handlers.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/result/result.h"

#define ACTION                                                                           \
	"wingman.pick" /* and a number, as ids must differ; the value is "ID NUMBER" */

enum { PICKS_MAX = 20, VALUE_BYTES = 100, ACTION_BYTES = 32 };

/* --- what there is to pick from --- */

/* Borrowed; NULL: nothing. */
static const json_t *candidates_of(const json_t *record)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const char *code = json_get_string(error, "code");

	if (!code || strcmp(code, "ambiguous") != 0 || json_object_get(record, "calls"))
		return NULL;
	return json_object_get(json_object_get(error, "details"), "candidates");
}

/* The n-th (from 1) that can be picked; NULL: there is none. '*ret_choice': the arguments
 * that mean it. */
static const json_t *candidate(const json_t *record, size_t n, const json_t **ret_choice)
{
	size_t count = 0, i;
	json_t *one;

	json_array_foreach(candidates_of(record), i, one)
	{
		*ret_choice = json_object_get(one, "choice");
		if (json_is_object(*ret_choice) && ++count == n)
			return n <= PICKS_MAX ? one : NULL;
	}
	return NULL;
}

/* --- drawing --- */

static void describe(struct strbuf *sb, size_t n, const json_t *one)
{
	static const char *const members[] = { "display_name", "email", "identifier",
					       "kind", "status" };
	const char *before = ". ";

	strbuf_add_format(sb, "%s%zu", n > 1 ? "\n" : "", n);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *text = json_get_string(one, members[i]);

		if (!text || !*text)
			continue;
		strbuf_add_format(sb, "%s%s", before, text);
		before = ", ";
	}
}

bool picks_message(const json_t *record, json_t **ret, struct error *err)
{
	const char *id = json_get_string(record, "id");
	struct slack_button buttons[PICKS_MAX] = { { .action = NULL } };
	char values[PICKS_MAX][VALUE_BYTES], words[PICKS_MAX][ACTION_BYTES],
		actions[PICKS_MAX][ACTION_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *choice, *one;
	size_t count = 0;

	*ret = NULL;
	while (id && count < PICKS_MAX && (one = candidate(record, count + 1, &choice))) {
		describe(&text, count + 1, one);
		(void)snprintf(values[count], VALUE_BYTES, "%s %zu", id, count + 1);
		(void)snprintf(words[count], ACTION_BYTES, "It is %zu", count + 1);
		(void)snprintf(actions[count], ACTION_BYTES, ACTION ".%zu", count + 1);
		buttons[count] = (struct slack_button){ .action = actions[count],
							.words = words[count],
							.value = values[count] };
		count++;
	}
	if (count == 0)
		return true;
	json_auto_t *elements = strbuf_ok(&text) ? slack_elements(text.data) : NULL;
	json_auto_t *blocks =
		elements ? json_pack("[o, o]", slack_section("Who is meant?", elements),
				     slack_actions(buttons, count))
			 : NULL;

	*ret = blocks ? slack_message("Who is meant?", TAKE(blocks)) : NULL;
	return *ret || error_oom(err);
}

/* The question, answered: nothing is left to press. New. */
static json_t *answered(const json_t *record, size_t n, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *choice, *one = candidate(record, n, &choice);
	json_auto_t *elements = NULL, *blocks = NULL;
	json_t *message = NULL;

	describe(&text, n, one);
	elements = strbuf_ok(&text) ? slack_elements(text.data) : NULL;
	blocks = elements ? json_pack("[o]", slack_section("This was picked, and is "
							   "proposed now:",
							   elements))
			  : NULL;
	message = blocks ? slack_message("This was picked", TAKE(blocks)) : NULL;
	if (!message)
		error_oom(err);
	return message;
}

/* --- a press --- */

bool picks_is_press(const char *action)
{
	return strncmp(action, ACTION ".", sizeof ACTION) == 0;
}

/* The same call anew, with what was picked: the gate knows what it was. New. */
static json_t *proposal(const struct delivery *d, const char *approval,
			const json_t *choice, const char *turn, struct error *err)
{
	const struct audience a =
		who_reads(d->front->who, d->in.channel, d->front->identity.user_id);
	json_auto_t *o = json_pack("{s:s, s:s, s:O, s:b}", "turn", turn, "approval",
				   approval, "choices", choice, "outsiders", a.outsiders);

	if (!o ||
	    (a.people > 0 &&
	     json_object_set_new(o, "people", json_integer((json_int_t)a.people)) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(o);
}

/* Cosmetic: who presses again proposes the same, which is one. */
static void close_question(const struct delivery *d, const json_t *record, size_t n)
{
	struct error err = ERROR_INIT;
	json_auto_t *message = answered(record, n, &err);
	char key[OUTBOX_KEY_BYTES];
	const struct outbox_item item = { .key = key,
					  .lane = d->in.channel,
					  .method = "chat.update",
					  .arguments = message };

	(void)snprintf(key, sizeof key, "picked/%s/%s/%zu", d->in.channel, d->in.ts, n);
	if (!d->in.ts[0] || d->in.ephemeral)
		return;
	if (message && (!json_put_string(message, "channel", d->in.channel) ||
			!json_put_string(message, "ts", d->in.ts)))
		error_oom(&err);
	else if (message && outbox_put(d->front->outbox, &item, &err))
		return;
	log_failure("slack.pick", &err);
}

static bool pick(const struct delivery *d, struct error *err)
{
	char id[INBOUND_ID_BYTES];
	json_auto_t *shown = NULL, *reply = NULL;
	_cleanup_free_ char *turn = NULL;
	const json_t *record, *choice = NULL;
	const char *requester;
	json_t *members;
	size_t n = 0;

	if (!slack_result_read_value(d->in.value, id, sizeof id, &n))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the button says nothing that is known");
	shown = gate_ask(d->front->gate, MSG_SHOW, json_pack("{s:s}", "approval", id),
			 NULL, err);
	record = json_object_get(shown, "record");
	if (!shown)
		return false;
	requester = json_get_string(record, "requester");
	if (!requester || strcmp(requester, d->principal) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "who is meant says who asked for it");
	if (!candidate(record, n, &choice))
		return error_set(err, ERR_NOT_FOUND, "there is no such choice any more");
	if (!front_turn(d, NULL, &turn, err))
		return false;
	members = proposal(d, id, choice, turn, err);
	if (!members)
		return false;
	reply = gate_ask(d->front->gate, MSG_SLACK_PROPOSE, members, NULL, err);
	if (reply)
		close_question(d, record, n);
	return reply != NULL;
}

void picks_press(const struct delivery *d)
{
	struct error err = ERROR_INIT;

	if (pick(d, &err)) {
		front_count(d->front, COUNT_PROPOSED);
		return;
	}
	log_failure("slack.not_proposed", &err);
	say_privately(d, say_failure("This was not proposed", &err));
}
