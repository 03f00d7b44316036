#include "assistant/host/talk.h"

#include <string.h>

#include "assistant/host/talk_private.h"
#include "base/clock.h"
#include "base/log.h"

void talk_keep(struct talk *t)
{
	if (t->o.memory)
		memory_keep(t->o.memory, &t->conversation);
}

bool talk_said(struct talk *t, const char *by, const char *person, const char *turn,
	       const char *text, struct error *err)
{
	char *asker = strdup(person);

	if (!asker || !conversation_said(&t->conversation, by, person, turn, text,
					 clock_wall_ms())) {
		free(asker);
		return error_oom(err);
	}
	free(t->asker);
	t->asker = asker;
	t->wants_turn = true;
	talk_keep(t);
	talk_begin(t);
	return true;
}

/* --- life --- */

struct talk *talk_new(const struct talk_options *o, const char *id, const json_t *kept,
		      const struct talk_hooks *hooks, void *context, struct error *err)
{
	_cleanup_(talk_freep) struct talk *t = calloc(1, sizeof *t);

	if (!t) {
		error_oom(err);
		return NULL;
	}
	t->o = *o;
	t->hooks = *hooks;
	t->context = context;
	strbuf_init(&t->answer);
	t->mentioned = json_array();
	t->lookup_ids = json_array();
	if (!t->mentioned || !t->lookup_ids) {
		error_oom(err);
		return NULL;
	}
	if (!conversation_init(&t->conversation, id, err))
		return NULL;
	if (kept)
		talk_refresh(t, kept);
	return TAKE(t);
}

void talk_free(struct talk *t)
{
	if (!t)
		return;
	loop_remove(t->later);
	host_turn_free(t->turn);
	conversation_done(&t->conversation);
	talk_forget_reads(t);
	json_decref(t->tools);
	json_decref(t->sources);
	json_decref(t->thread);
	json_decref(t->mentioned);
	json_decref(t->lookup_ids);
	json_decref(t->self);
	free(t->self_of);
	strbuf_done(&t->answer);
	free(t->asker);
	free(t);
}

void talk_set_tools(struct talk *t, json_t *servers)
{
	json_incref(servers);
	json_decref(t->tools);
	t->tools = servers;
}

void talk_set_thread(struct talk *t, json_t *thread)
{
	json_incref(thread);
	json_decref(t->thread);
	t->thread = thread;
}

void talk_set_sources(struct talk *t, json_t *sources)
{
	json_incref(sources);
	json_decref(t->sources);
	t->sources = sources;
}

bool talk_is_busy(const struct talk *t)
{
	return t->later || t->wants_turn || t->is_looking || (t->turn && !t->is_over);
}

json_t *talk_open(const struct talk *t)
{
	json_auto_t *list = json_array();
	size_t i;
	json_t *entry;

	json_array_foreach(t->conversation.entries, i, entry)
	{
		json_t *approval = json_object_get(entry, "approval");

		if (approval && json_is_true(json_object_get(entry, "open")) &&
		    json_array_append(list, approval) != 0)
			return NULL;
	}
	return TAKE(list);
}

void talk_stop(struct talk *t)
{
	t->wants_turn = false;
	t->is_stopped = t->is_looking;
	if (t->turn && !t->is_over)
		host_turn_stop(t->turn);
}

/* By the clock alone, as the store would have. */
static void forget_old(struct talk *t)
{
	int64_t keep_ms = t->o.memory ? memory_keep_ms(t->o.memory) : 0;

	if (keep_ms > 0 &&
	    clock_wall_ms() - conversation_last_ms(&t->conversation) > keep_ms)
		conversation_clear(&t->conversation, t->conversation.epoch);
}

static void forget(struct talk *t, const char *epoch)
{
	/* What a turn waits for would be answered to nobody. */
	talk_stop(t);
	conversation_clear(&t->conversation, epoch);
	(void)json_array_clear(t->lookup_ids);
}

void talk_refresh(struct talk *t, const json_t *kept)
{
	const char *epoch = json_get_string(kept, "epoch");

	if (!kept || !conversation_is_body(kept)) {
		forget_old(t);
		return;
	}
	if (strcmp(epoch, t->conversation.epoch) != 0)
		forget(t, epoch);
	if (!conversation_take(&t->conversation, kept))
		log_error("conversation.no_memory");
}

bool talk_forget(struct talk *t, struct error *err)
{
	char epoch[DIGEST_ID_BYTES] = "";

	if (t->o.memory && !memory_forget(t->o.memory, t->conversation.id, epoch, err))
		return false;
	forget(t, epoch);
	return true;
}

void talk_forgotten(struct talk *t, const char *epoch)
{
	/* It may have been told by talk_refresh already, and gone on. */
	if (strcmp(epoch, t->conversation.epoch) != 0)
		forget(t, epoch);
}

const struct conversation *talk_conversation(const struct talk *t)
{
	return &t->conversation;
}
