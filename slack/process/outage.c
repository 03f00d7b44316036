#include "slack/process/outage.h"

#include "base/log.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"

static const char nothing_done[] =
	"Nothing was done: the store in which I keep track of what was asked does not "
	"answer. Please try again in a few minutes.";
static const char nothing_yet[] =
	"Nothing was done yet: the store in which I keep track of what was asked does "
	"not "
	"answer. If you hear nothing more from me, ask again in a few minutes.";

/* --- once --- */

/* Slack sends an event three times more; it is told of once. */
static bool is_first(struct front *f, const char *event)
{
	bool known = false;

	(void)pthread_mutex_lock(&f->work_lock);
	for (size_t i = 0; i < FRONT_OUTAGES; i++)
		known = known || strcmp(f->outages[i], event) == 0;
	if (!known) {
		(void)snprintf(f->outages[f->outage_next], INBOUND_ID_BYTES, "%s", event);
		f->outage_next = (f->outage_next + 1) % FRONT_OUTAGES;
	}
	(void)pthread_mutex_unlock(&f->work_lock);
	return !known;
}

/* --- later, by a worker --- */

static void tell(void *argument)
{
	struct delivery *d = argument;
	const bool comes_again = d->in.kind == INBOUND_MENTION ||
				 d->in.kind == INBOUND_MESSAGE;

	say_aside(d, say_words(comes_again ? nothing_yet : nothing_done, NULL));
	delivery_free(d);
}

static void tell_later(struct front *f, const struct ingress_delivery *from,
		       struct inbound *in)
{
	struct delivery *d = delivery_new(f, from, in);

	if (d && front_submit(f, tell, d))
		return;
	delivery_free(d);
	log_warn("slack.busy");
}

/* --- at once --- */

/* Beside an input, so that what was typed stays; a modal without any says it in its place. */
static json_t *submitted(const struct inbound *in)
{
	json_auto_t *state = json_copy(in->state);
	const char *block = state ? json_object_iter_key(json_object_iter(state)) : NULL;

	if (block)
		return json_pack("{s:s, s:{s:s}}", "response_action", "errors", "errors",
				 block, nothing_done);
	return json_pack("{s:s, s:o}", "response_action", "update", "view",
			 say_notice_view("Nothing was done", nothing_done, NULL));
}

bool outage_take(struct front *f, const struct ingress_delivery *from, struct inbound *in,
		 json_t **ret_ack)
{
	switch (in->kind) {
	case INBOUND_COMMAND:
		*ret_ack = json_pack("{s:s, s:s}", "response_type", "ephemeral", "text",
				     nothing_done);
		return *ret_ack != NULL;
	case INBOUND_SUBMIT:
		*ret_ack = submitted(in);
		return *ret_ack != NULL;
	case INBOUND_PRESS:
	case INBOUND_ON_MESSAGE:
	case INBOUND_SHORTCUT:
		tell_later(f, from, in);
		return true;
	case INBOUND_MENTION:
	case INBOUND_MESSAGE:
		if (is_first(f, in->event))
			tell_later(f, from, in);
		return false;
	default:
		return false;
	}
}
