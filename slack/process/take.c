/* A delivery: read, counted once across replicas, acknowledged; the work goes on after. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/form/form.h"
#include "slack/process/handlers.h"
#include "slack/process/outage.h"

struct rest_patience front_patience(const struct front *f, int64_t ms)
{
	struct rest_patience patience = rest_patience(ms);

	patience.cancel = &f->is_stopping;
	return patience;
}

void front_count(struct front *f, enum front_count which)
{
	atomic_fetch_add(&f->counts[which], 1);
}

bool front_submit(struct front *f, workers_function *fn, void *argument)
{
	bool ok;

	(void)pthread_mutex_lock(&f->work_lock);
	ok = !f->work_is_over && workers_submit(f->workers, fn, argument);
	(void)pthread_mutex_unlock(&f->work_lock);
	return ok;
}

struct inbound_self front_self(const struct front *f)
{
	return (struct inbound_self){
		.app = f->settings.app,
		.bot_user = f->identity.user_id,
		.teams = f->settings.teams,
		.team_count = f->settings.team_count,
		.command = f->settings.command,
		.responses = f->settings.responses,
	};
}

/* --- a delivery of its own --- */

void delivery_free(struct delivery *d)
{
	if (!d)
		return;
	inbound_done(&d->in);
	free(d->raw);
	free(d->timestamp);
	free(d->signature);
	free(d);
}

/* Takes 'in'. */
struct delivery *delivery_new(struct front *f, const struct ingress_delivery *from,
			      struct inbound *in)
{
	struct delivery *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->front = f;
	d->kind = from->kind;
	d->taken_ms = clock_mono_ms();
	d->length = from->length;
	d->raw = strndup(from->raw, from->length);
	if (from->timestamp)
		d->timestamp = strdup(from->timestamp);
	if (from->signature)
		d->signature = strdup(from->signature);
	if (!d->raw || (from->timestamp && !d->timestamp) ||
	    (from->signature && !d->signature)) {
		delivery_free(d);
		return NULL;
	}
	d->in = *in;
	*in = (struct inbound){ .kind = INBOUND_NOTHING };
	return d;
}

json_t *delivery_evidence(const struct delivery *d)
{
	json_auto_t *o = json_pack("{s:s%}", "raw", d->raw, d->length);

	if (!json_put_string(o, "timestamp", d->timestamp) ||
	    !json_put_string(o, "signature", d->signature))
		return NULL;
	return TAKE(o);
}

bool front_turn(const struct delivery *d, const char *begun, char **ret_turn,
		struct error *err)
{
	json_t *members = delivery_evidence(d);
	json_auto_t *reply = NULL;
	const char *turn;

	if (!json_put_string(members, "begun", begun)) {
		json_decref(members);
		return error_oom(err);
	}
	reply = gate_ask(d->front->gate, MSG_SLACK_TURN, members, NULL, err);
	turn = json_get_string(reply, "turn");
	if (!reply)
		return false;
	*ret_turn = turn ? strdup(turn) : NULL;
	return *ret_turn || error_set(err, ERR_INTERNAL, "the gate named no turn");
}

/* --- once --- */

static bool once_key(const struct ingress_delivery *d, const struct inbound *in,
		     char key[static FRONT_KEY_BYTES], struct error *err)
{
	char digest[DIGEST_HEX_BYTES];

	if (in->event[0]) {
		(void)snprintf(key, FRONT_KEY_BYTES, "once/%s", in->event);
		return true;
	}
	if (!slack_payload_digest(d->payload, digest, err))
		return false;
	(void)snprintf(key, FRONT_KEY_BYTES, "once/%s", digest);
	return true;
}

static void forget(struct front *f, const char *key)
{
	_cleanup_free_ char *value = NULL;
	struct error ignored = ERROR_INIT;

	(void)coord_take(f->store, key, &value, &ignored);
}

/* --- by kind --- */

static bool read_delivery(struct front *f, const struct ingress_delivery *d,
			  struct inbound *in, struct error *err)
{
	const struct inbound_self self = front_self(f);

	switch (d->kind) {
	case SLACK_EVENT:
		return inbound_read_event(d->payload, &self, in, err);
	case SLACK_INTERACTION:
		return inbound_read_interaction(d->payload, &self, in, err);
	case SLACK_COMMAND:
		return inbound_read_command(d->payload, &self, in, err);
	}
	return error_set(err, ERR_INTERNAL, "a delivery of no kind");
}

static bool is_form(const struct inbound *in)
{
	return in->kind == INBOUND_SUBMIT &&
	       strcmp(in->callback, SLACK_FORM_CALLBACK) == 0;
}

static void work(void *argument)
{
	struct delivery *d = argument;

	handle(d);
	delivery_free(d);
}

/* New work; whoever comes again finds it done. */
static bool begin(struct front *f, const struct ingress_delivery *from,
		  struct inbound *in, json_t **ret_ack, struct error *err)
{
	const bool waits_for_errors = is_form(in);
	_cleanup_(delivery_freep) struct delivery *d = delivery_new(f, from, in);

	if (!d)
		return error_oom(err);
	if (waits_for_errors)
		return form_submit(TAKE(d), ret_ack, err);
	if (!front_submit(f, work, d))
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "too much waits already");
	(void)TAKE(d);
	return true;
}

static bool take_once(struct front *f, const struct ingress_delivery *d,
		      struct inbound *in, json_t **ret_ack, struct error *err)
{
	char key[FRONT_KEY_BYTES];
	bool first = false;

	if (!once_key(d, in, key, err))
		return false;
	if (!coord_claim(f->store, key, f->replica, FRONT_ONCE_MS, &first, NULL, err)) {
		log_failure("slack.store", err);
		front_count(f, COUNT_FAILED);
		return outage_take(f, d, in, ret_ack);
	}
	if (!first) {
		front_count(f, COUNT_REPEATED);
		return true;
	}
	front_count(f, COUNT_EVENTS);
	if (begin(f, d, in, ret_ack, err))
		return true;
	forget(f, key);
	return false;
}

static bool options(struct front *f, const struct ingress_delivery *from,
		    struct inbound *in, json_t **ret_ack, struct error *err)
{
	_cleanup_(delivery_freep) struct delivery *d = delivery_new(f, from, in);

	return d ? form_options(d, ret_ack, err) : error_oom(err);
}

static bool take_read(struct front *f, const struct ingress_delivery *d,
		      struct inbound *in, json_t **ret_ack, struct error *err)
{
	switch (in->kind) {
	case INBOUND_CHALLENGE:
		*ret_ack = json_pack("{s:s}", "challenge", in->text);
		return *ret_ack || error_oom(err);
	case INBOUND_NOTHING:
		front_count(f, COUNT_IGNORED);
		log_debug("slack.ignored", LOG_STR("why", in->why ? in->why : ""));
		return true;
	case INBOUND_SLOWED:
		log_warn("slack.slowed",
			 LOG_STR("why", "Slack holds events back: there are too many"));
		return true;
	case INBOUND_GONE:
		log_error("slack.gone",
			  LOG_STR("why", "the app was removed, or its token revoked"));
		return true;
	case INBOUND_TEAM:
		who_forget(f->who, in->user[0] ? in->user : NULL);
		return true;
	case INBOUND_OPTIONS:
		return options(f, d, in, ret_ack, err);
	default:
		return take_once(f, d, in, ret_ack, err);
	}
}

bool front_take(void *context, const struct ingress_delivery *d, json_t **ret_ack,
		struct error *err)
{
	struct front *f = context;
	struct inbound in = { .kind = INBOUND_NOTHING };
	struct error why = ERROR_INIT;
	bool ok;

	*ret_ack = NULL;
	/* Who we are is part of what is ours: before, nothing can be judged. */
	if (!atomic_load(&f->is_known))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Slack has not said yet who we are");
	if (!read_delivery(f, d, &in, &why)) {
		/* To send it again would change nothing. */
		front_count(f, COUNT_IGNORED);
		log_failure("slack.not_for_us", &why);
		inbound_done(&in);
		return true;
	}
	ok = take_read(f, d, &in, ret_ack, err);
	inbound_done(&in);
	return ok;
}
