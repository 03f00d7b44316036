/* wingman chat at the gate: what the assistant wants is proposed, read, and decided. */
#include "console/chat_private.h"

#include "console/call.h"
#include "console/decide.h"
#include "console/interrupt.h"
#include "console/pick.h"

enum { PLAN_WAIT_MS = 60 * 1000 };

static const char conversation_name[] = "console";

static void note_decision(struct chat *x, const char *approval)
{
	if (x->decision_count < CHAT_DECISIONS_MAX &&
	    (x->to_decide[x->decision_count] = strdup(approval)))
		x->decision_count++;
}

static void tell(struct chat *x, const char *approval, const json_t *record)
{
	talk_record(x->talk, approval, record, json_object_get(record, "parts"));
}

/* --- proposing --- */

/* Ctrl-C while the gate and a server work out what would happen: it is taken back. */
static void take_back(struct chat *x, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;

	interrupt_forget();
	talk_stop(x->talk);
	reply = gate_link_ask(x->gate, MSG_CANCEL,
			      json_pack("{s:s, s:s}", "approval", approval, "reason",
					"interrupted on the console"),
			      &err);
	if (reply) {
		json_auto_t *record = decide_wait(x->gate, approval, 0, false, &err);

		printf("interrupted: approval %s is cancelled, nothing ran\n", approval);
		if (record)
			tell(x, approval, record);
	} else {
		printf("interrupted: approval %s stays as it is (%s); see: wingman "
		       "approvals show %s\n",
		       approval, err.message, approval);
	}
	(void)fflush(stdout);
}

/* Of several persons the one who is meant, picked by number: the arguments for that. */
static json_t *pick(const struct chat *x, const json_t *record)
{
	return call_is_interactive() && !x->console->json &&
			       strcmp(console_member(record, "state"), "refused") == 0
		       ? pick_candidate(record)
		       : NULL;
}

/* The same call with what was picked, which is the person's word. */
static json_t *picked(const json_t *members, const json_t *choice)
{
	json_auto_t *again = json_deep_copy(members);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_t *sources = json_object_get(again, "sources");

	if (!again || !json_is_array(sources) || !json_write(&text, choice, &ignored) ||
	    json_array_insert_new(sources, 0,
				  json_pack("{s:s, s:s, s:s}", "from", "requester",
					    "label", "picked", "text", text.data)) != 0 ||
	    json_object_set(again, "choices", (json_t *)(uintptr_t)choice) != 0)
		return NULL;
	return TAKE(again);
}

/* 'members' is stolen; the approval's id (new), or NULL and 'err'. */
static char *propose(struct chat *x, json_t *members, struct error *err)
{
	json_auto_t *reply = gate_link_ask(x->gate, MSG_PROPOSE, members, err);
	const char *approval = json_get_string(reply, "approval");

	if (reply && !approval)
		error_set(err, ERR_INTERNAL, "the gate named no approval");
	return approval ? strdup(approval) : NULL;
}

static void say_refused(struct chat *x, const json_t *record)
{
	if (!json_get_string(record, "tool"))
		return;
	printf("%s[%s.%s: %s]%s\n", console_dim(x->console),
	       console_member(record, "server"), console_member(record, "tool"),
	       console_member(record, "state"), console_plain(x->console));
	/* What a plan found is for the person. */
	if (strcmp(console_member(record, "state"), "refused") == 0)
		(void)decide_report(x->console, record);
	(void)fflush(stdout);
}

/* Until it waits for people or, as a freed read, is over. False: somebody else is meant, and
 * '*ret_choice' says who. */
static bool follow(struct chat *x, const char *approval, json_t **ret_choice)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = decide_wait(x->gate, approval, PLAN_WAIT_MS, true, &err);

	if (!record && interrupt_was_pressed()) {
		take_back(x, approval);
		return true;
	}
	if (!record) {
		(void)console_fail(x->console, &err);
		return true;
	}
	if (!decide_is_over(json_get_string(record, "state"))) {
		note_decision(x, approval);
	} else {
		say_refused(x, record);
		*ret_choice = pick(x, record);
		if (*ret_choice)
			return false;
	}
	tell(x, approval, record);
	return true;
}

/* Once for what the model wanted, and once more for whom the person picked. */
static void follow_to_end(struct chat *x, const char *approval, const json_t *members)
{
	json_auto_t *choice = NULL;
	json_auto_t *none = NULL;
	_cleanup_free_ char *again = NULL;
	struct error err = ERROR_INIT;
	json_t *call;

	if (follow(x, approval, &choice))
		return;
	call = picked(members, choice);
	again = call ? propose(x, call, &err) : NULL;
	if (again) {
		talk_renamed(x->talk, approval, again);
		(void)follow(x, again, &none);
		return;
	}
	(void)console_fail(x->console, &err);
	chat_look_at_open(x);
}

void chat_on_propose(void *context, int64_t number, json_t *members)
{
	struct chat *x = context;
	struct error err = ERROR_INIT;
	json_auto_t *own = members;
	_cleanup_free_ char *approval = NULL;

	chat_end_line(x);
	if (json_object_set_new(own, "conversation", json_string(conversation_name)) !=
		    0 ||
	    json_object_set_new(own, "model", json_string(x->settings.model)) != 0)
		error_oom(&err);
	else
		approval = propose(x, json_deep_copy(own), &err);
	if (!approval) {
		if (!error_is_set(&err))
			error_oom(&err);
		/* Words of a schema go to the model alone, which mends them. */
		if (err.code != ERR_INVALID_ARGUMENT)
			(void)console_fail(x->console, &err);
		talk_proposed(x->talk, number, NULL, &err);
		return;
	}
	talk_proposed(x->talk, number, approval, &err);
	follow_to_end(x, approval, own);
}

/* --- reading --- */

void chat_on_read(void *context, int64_t number, const char *uri)
{
	struct chat *x = context;
	struct error err = ERROR_INIT;
	json_auto_t *reply = gate_link_ask_unless(x->gate, MSG_CONTEXT,
						  json_pack("{s:s}", "uri", uri),
						  interrupt_was_pressed, &err);

	chat_end_line(x);
	printf("%s[%s: ", console_dim(x->console), reply ? "read" : "not read");
	console_put_visible(uri);
	printf("]%s\n", console_plain(x->console));
	(void)fflush(stdout);
	/* First, or what was to be read goes on without it. */
	if (interrupt_was_pressed())
		chat_interrupted(x);
	talk_content(x->talk, number, json_get_string(reply, "read"),
		     json_get_string(reply, "label"), json_get_string(reply, "text"),
		     json_is_true(json_object_get(reply, "cut")), &err);
}

/* --- deciding --- */

/* Whatever was decided elsewhere meanwhile. */
void chat_look_at_open(struct chat *x)
{
	json_auto_t *open = talk_open(x->talk);
	size_t i;
	json_t *approval;

	json_array_foreach(open, i, approval)
	{
		struct error err = ERROR_INIT;
		json_auto_t *record =
			decide_wait(x->gate, json_string_value(approval), 0, false, &err);

		if (record)
			tell(x, json_string_value(approval), record);
	}
}

static void decide_one(struct chat *x, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = decide_wait(x->gate, approval, PLAN_WAIT_MS, true, &err);
	json_auto_t *ended = NULL;

	if (record && decide_is_over(json_get_string(record, "state"))) {
		tell(x, approval, record);
		return;
	}
	if (!record && interrupt_was_pressed()) {
		take_back(x, approval);
		return;
	}
	if (!record || !call_is_interactive()) {
		printf("approval %s is pending; decide with: wingman approvals approve "
		       "%s\n",
		       approval, approval);
		(void)fflush(stdout);
		return;
	}
	switch (decide_ask(x->console, x->gate, record, NULL, &err)) {
	case ANSWER_REFUSED:
		(void)console_fail(x->console, &err);
		return;
	case ANSWER_LATER:
		printf("approval %s stays pending\n", approval);
		(void)fflush(stdout);
		return;
	case ANSWER_APPROVED:
	case ANSWER_DENIED:
		break;
	}
	(void)decide_say_what_is_missing(x->console, x->gate, approval);
	ended = decide_wait(x->gate, approval, -1, false, &err);
	if (!ended) {
		if (interrupt_was_pressed())
			printf("approval %s goes on; see: wingman approvals show %s\n",
			       approval, approval);
		(void)fflush(stdout);
		interrupt_forget();
		return;
	}
	(void)decide_report(x->console, ended);
	tell(x, approval, ended);
}

void chat_decide_all(struct chat *x)
{
	for (size_t i = 0; i < x->decision_count; i++) {
		decide_one(x, x->to_decide[i]);
		free(x->to_decide[i]);
		x->to_decide[i] = NULL;
	}
	x->decision_count = 0;
}
