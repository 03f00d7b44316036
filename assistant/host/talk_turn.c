/* One turn after the other: its worker, its answer, its end. */
#include "assistant/host/talk_private.h"

#include <string.h>

#include "assistant/words.h"
#include "base/log.h"

static void on_say(void *context, const char *text, bool final)
{
	struct talk *t = context;

	strbuf_add_string(&t->answer, text);
	if (final && t->answer.length > 0) {
		json_t *entry = json_pack("{s:s, s:s}", "kind", "answered", "text",
					  t->answer.data);

		if (!entry || !conversation_add(&t->conversation, entry))
			log_error("conversation.no_memory");
		strbuf_clear(&t->answer);
	}
	t->hooks.say(t->context, text, final);
}

static void on_ended(void *context, enum assistant_code code, const char *why)
{
	struct talk *t = context;

	(void)why;
	t->is_over = true;
	if (t->answer.length > 0)
		on_say(t, "", true);
	talk_keep(t);
	t->hooks.ended(t->context, code,
		       code == ASSISTANT_OK || code == ASSISTANT_STOPPED
			       ? NULL
			       : assistant_words(code));
	talk_begin(t);
}

static const struct host_hooks turn_hooks = { on_say, talk_on_propose, talk_on_read,
					      on_ended };

static bool start(struct talk *t, struct error *err)
{
	const struct context_input in = {
		.conversation = &t->conversation,
		.asker = t->asker,
		.thread = t->thread,
		.house_notes = t->o.house_notes,
		.team_notes = t->o.team_notes,
		.tools = t->tools,
		.sources = t->sources,
		.limits = &t->o.settings->turn,
	};
	json_t *message;

	if (!talk_note_people(t))
		return error_oom(err);
	message = context_build(&in, err);
	if (!message)
		return false;
	t->serial++;
	t->is_over = false;
	strbuf_clear(&t->answer);
	t->turn = host_turn_new(t->o.host, t->asker, message, &turn_hooks, t, err);
	return t->turn != NULL;
}

void talk_start(struct talk *t)
{
	struct error err = ERROR_INIT;

	if (start(t, &err))
		return;
	log_failure("assistant.no_turn", &err);
	t->hooks.ended(t->context, ASSISTANT_FAULT, assistant_words(ASSISTANT_FAULT));
}

void talk_not_started(struct talk *t)
{
	t->is_stopped = false;
	t->hooks.ended(t->context, ASSISTANT_STOPPED, NULL);
	if (t->wants_turn)
		talk_begin(t);
}

/* From the loop, so that no turn is freed from within its own hook. */
static void on_later(void *context)
{
	struct talk *t = context;

	t->later = NULL;
	if (t->is_looking || (t->turn && !t->is_over))
		return;
	host_turn_free(t->turn);
	t->turn = NULL;
	if (!t->wants_turn || !t->asker)
		return;
	t->wants_turn = false;
	talk_forget_reads(t);
	talk_look_up(t);
}

void talk_begin(struct talk *t)
{
	struct error err = ERROR_INIT;

	if (t->later || (t->turn && !t->is_over))
		return;
	t->later = loop_add_timer(host_loop(t->o.host), 0, false, on_later, t, &err);
	if (!t->later)
		log_failure("assistant.no_turn", &err);
}
