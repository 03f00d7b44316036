/* What was said before in a thread, as all replicas know it; and forgetting it. */
#include "assistant/host/memory.h"

#include "base/log.h"
#include "slack/process/talks_private.h"

enum { TOLD_MS = 24 * 3600 * 1000 }; /* it is known who tells how an approval ended */

const char talks_forgetful[] =
	"I cannot look up at the moment what was said here before, so I go on without. "
	"What waits for a decision waits all the same.";

bool talks_open_memory(struct talks *t, struct error *err)
{
	const struct memory_options o = {
		.coordination = t->front->store,
		.keep_ms = t->settings.memory_hours * 3600 * 1000,
		.at_most = t->settings.memory_conversations,
	};

	t->memory = memory_new(&o, err);
	return t->memory != NULL;
}

void talks_remember(struct job *j)
{
	struct error err = ERROR_INIT;

	if (memory_load(j->talks->memory, j->id, &j->kept, &err))
		return;
	log_failure("conversation.not_known", &err);
	j->is_forgetful = true;
}

bool talks_is_told_elsewhere(const struct front *f, const char *approval)
{
	char key[FRONT_KEY_BYTES];
	_cleanup_free_ char *who = NULL;
	struct error ignored = ERROR_INIT;
	bool first = false;

	(void)snprintf(key, sizeof key, "talk-told/%s", approval);
	return coord_claim(f->store, key, f->replica, TOLD_MS, &first, &who, &ignored) &&
	       !first && who && strcmp(who, f->replica) != 0;
}

/* --- forgetting --- */

/* In 'message': the new epochs, by the ids of conversations. */
static void on_forgotten(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	const char *id;
	json_t *epoch;

	json_object_foreach(j->message, id, epoch)
	{
		struct chat *c = talks_find(j->talks, id);

		if (c)
			talk_forgotten(c->talk, json_string_value(epoch));
	}
}

/* A thread's, or without one all of the channel. New reference. */
static json_t *ids_of(struct talks *t, const struct inbound *in, struct error *err)
{
	char id[TALKS_ID_BYTES];
	json_t *ids;

	(void)snprintf(id, sizeof id, "%s/%s", in->channel, in->thread_ts);
	if (!in->thread_ts[0])
		return memory_list(t->memory, id, err);
	ids = json_pack("[s]", id);
	if (!ids)
		error_oom(err);
	return ids;
}

static bool forget_all(struct job *j, const json_t *ids, const char *by,
		       struct error *err)
{
	json_t *list = (json_t *)(uintptr_t)ids;
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(one);
		char epoch[DIGEST_ID_BYTES];

		if (!memory_forget(j->talks->memory, id, epoch, err))
			return false;
		if (json_object_set_new(j->message, id, json_string(epoch)) != 0)
			return error_oom(err);
		log_info("conversation.forgotten", LOG_STR("id", id), LOG_STR("by", by));
	}
	return true;
}

bool talks_forget(struct talks *t, const struct delivery *d, size_t *ret_count,
		  struct error *err)
{
	json_auto_t *ids = ids_of(t, &d->in, err);
	struct job *j = ids ? calloc(1, sizeof *j) : NULL;
	bool ok;

	if (!ids)
		return false;
	if (!j || !(j->message = json_object())) {
		talks_job_free(j);
		return error_oom(err);
	}
	j->talks = t;
	j->then = on_forgotten;
	ok = forget_all(j, ids, d->principal, err);
	*ret_count = json_array_size(ids);
	talks_back(j); /* also when only some are forgotten */
	return ok;
}
