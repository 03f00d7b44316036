/*
 * Slack as a surface: which peer is its process, what that hears, and whether a request
 * that it hands on is Slack's.
 */
#include "gate/keeper.h"

#include "gate/notice.h"
#include "gate/slack_where.h"

enum {
	SKEW_S = 60, /* beyond what a signature is good for, of one clock or another */
	ONCE_SIGNED_MS = (2 * SLACK_WINDOW_S + SKEW_S) * 1000,
	/* Nothing says how old a request is that nobody signed; longer than any prompt. */
	ONCE_UNSIGNED_MS = 25 * 3600 * 1000,
};

/* --- the process --- */

const char *keeper_reader(const struct keeper *k, const struct peer *p)
{
	return p->is_slack ? NOTICE_SLACK : keeper_person(k, p);
}

bool keeper_slack_hello(struct keeper *k, struct peer *p, struct error *err)
{
	const struct slack_settings *s = &k->settings->slack;
	char who[32];

	if (s->is_on && p->uid == s->uid) {
		p->is_slack = true;
		p->watch_count = 0; /* what a console asked for before is not told here */
		p->wants_notices = false;
		return true;
	}
	error_set(err, ERR_PERMISSION_DENIED,
		  s->is_on ? "uid %u is not the Slack process's"
			   : "uid %u is no Slack process: this gate knows no Slack",
		  (unsigned)p->uid);
	(void)snprintf(who, sizeof who, "uid %u", (unsigned)p->uid);
	keeper_audit_refusal(
		k, "surface.refused", who,
		json_pack("{s:I, s:s}", "uid", (json_int_t)p->uid, "surface", "slack"),
		err);
	return false;
}

/* --- what it hears of --- */

bool keeper_slack_concerns(const struct keeper *k, const json_t *body)
{
	const json_t *policy = json_object_get(body, "policy");
	struct slack_where where;

	if (!k->settings->slack.is_on || json_object_get(body, "bundle"))
		return false;
	where = slack_where_of(body, &k->settings->slack);
	if (where.kind != SLACK_CHANNEL)
		return where.kind != SLACK_NOWHERE;
	return json_object_get(body, "prompt") &&
	       !json_is_true(json_object_get(policy, "free"));
}

json_t *keeper_slack_to(const struct keeper *k, const json_t *body)
{
	const struct slack_where where = slack_where_of(body, &k->settings->slack);

	return slack_where_json(&where, body, k->policy);
}

json_t *keeper_slack_json(const struct keeper *k, const struct approval *a, bool is_event)
{
	json_auto_t *o = json_pack("{s:s, s:s, s:o}", "approval", a->id, "state",
				   record_state_name(a->state), "to",
				   keeper_slack_to(k, a->body));
	json_auto_t *progress = NULL;

	if (!o)
		return NULL;
	if (is_event &&
	    (json_object_set_new(o, "m", json_string(message_name(MSG_EVENT))) != 0 ||
	     json_object_set_new(o, "record", record_public(a->body)) != 0))
		return NULL;
	progress = is_event ? keeper_progress_json(k, a->id) : NULL;
	if (progress && json_object_set(o, "progress", progress) != 0)
		return NULL;
	return TAKE(o);
}

void keeper_slack_tell_changed(struct keeper *k, const char *what, const char *server,
			       const char *uri)
{
	json_auto_t *event =
		json_pack("{s:s, s:s}", "m", message_name(MSG_EVENT), "changed", what);

	if (!json_put_string(event, "server", server) ||
	    !json_put_string(event, "uri", uri))
		return; /* it is a hint: whoever looks finds the same */
	for (struct peer *p = k->peers; p; p = p->next)
		if (p->is_slack && p->wants_all)
			(void)channel_send(p->channel, event);
}

json_t *keeper_on_slack_open(struct keeper *k, struct peer *p, const struct fields *f,
			     struct error *err)
{
	json_auto_t *list = json_array();

	(void)f;
	for (const struct approval *a = k->approvals; list && a; a = a->next)
		if (!a->ended && keeper_slack_concerns(k, a->body) &&
		    json_array_append_new(
			    list, json_pack("{s:s, s:s}", "approval", a->id, "state",
					    record_state_name(a->state))) != 0) {
			error_oom(err);
			return NULL;
		}
	p->wants_all = true;
	return json_pack("{s:O}", "approvals", list);
}

/* What the surface knows and we do not: guests, and who was deactivated. */
static void log_refused(struct keeper *k, const struct fields *f)
{
	struct error why = ERROR_INIT;

	error_set(&why, ERR_PERMISSION_DENIED, "%.200s", f->reason);
	keeper_audit_refusal(k, "surface.refused", "slack",
			     json_pack("{s:s, s:s}", "user", f->user, "surface", "slack"),
			     &why);
}

json_t *keeper_on_slack_who(struct keeper *k, struct peer *p, const struct fields *f,
			    struct error *err)
{
	const char *person;
	json_auto_t *who = NULL;

	(void)p;
	if (f->reason)
		log_refused(k, f);
	if (!keeper_refresh_policy(k, err))
		return NULL;
	person = policy_person_of_slack(k->policy, f->user);
	/* That it is not known is no answer, which would be believed for a minute. */
	if (policy_is_listed(k->policy, person) && !keeper_door_is_known(k)) {
		policy_check_team(k->policy, person, err);
		return NULL;
	}
	who = json_pack("{s:b, s:I}", "team", policy_in_team(k->policy, person),
			"good_ms", (json_int_t)keeper_door_good_ms(k));
	if (!who ||
	    (person && (json_object_set_new(who, "principal", json_string(person)) != 0 ||
			json_object_set_new(who, "slack",
					    json_deep_copy(policy_slack_of(
						    k->policy, person))) != 0))) {
		error_oom(err);
		return NULL;
	}
	return TAKE(who);
}

/* --- what a request proves --- */

void keeper_slack_word_done(struct slack_word *w)
{
	json_decref(w->payload);
	w->payload = NULL;
}

const char *keeper_slack_evidence(const struct slack_word *w)
{
	return w->is_signed ? "signed" : "socket mode";
}

/*
 * Whatever was taken before the store began anew may be forgotten there, so what Slack
 * says is from before that counts no more.
 */
static bool check_epoch(struct keeper *k, int64_t at_s, struct error *err)
{
	int64_t epoch_ms = 0;

	if (!coord_epoch_ms(k->coordination, &epoch_ms, err))
		return false;
	if (at_s * 1000 >= epoch_ms)
		return true;
	return error_set(err, ERR_CONFLICT,
			 "this was done before the gate began anew: do it again");
}

static bool check_signature(struct keeper *k, const struct fields *f,
			    struct slack_word *w, struct error *err)
{
	const struct slack_evidence e = { f->timestamp, f->signature, f->raw,
					  strlen(f->raw) };
	struct slack_secrets secrets = { { NULL }, 0 };
	bool ok = slack_secrets_read(&secrets, &k->settings->slack, k->dir, err) &&
		  slack_signature_check(&e, (const struct secret *const *)secrets.all,
					secrets.count, k->now_ms / 1000, err);

	slack_secrets_done(&secrets);
	if (!ok)
		return false;
	/* There, and at most twelve digits: the signature's check has seen to it. */
	w->at_s = f->timestamp ? strtoll(f->timestamp, NULL, 10) : 0;
	w->is_signed = true;
	digest_sha256_hex(f->raw, strlen(f->raw), w->digest);
	return check_epoch(k, w->at_s, err);
}

bool keeper_slack_believe(struct keeper *k, const struct fields *f,
			  struct slack_word *ret, struct error *err)
{
	struct slack_word w = { .payload = NULL };

	if (f->timestamp || f->signature) {
		if (!check_signature(k, f, &w, err))
			return false;
		w.payload = slack_payload_read(f->raw, strlen(f->raw), &w.delivery, err);
	} else if (k->settings->slack.socket_mode) {
		w.payload = slack_envelope_read(f->raw, strlen(f->raw), &w.delivery, err);
		if (w.payload && !slack_payload_digest(w.payload, w.digest, err))
			keeper_slack_word_done(&w);
	} else {
		return error_set(err, ERR_PERMISSION_DENIED,
				 "nobody signed this, and the gate is not configured to "
				 "believe the Slack process");
	}
	if (!w.payload)
		return false;
	*ret = w;
	return true;
}

static void once_key(char key[static COORD_KEY_MAX + 1], const char *digest)
{
	(void)snprintf(key, COORD_KEY_MAX + 1, "slack/%s", digest);
}

bool keeper_slack_once(struct keeper *k, const struct slack_word *w, const char *value,
		       int64_t least_ms, bool *ret_first, char **ret_before,
		       struct error *err)
{
	int64_t ttl_ms = w->is_signed ? ONCE_SIGNED_MS : ONCE_UNSIGNED_MS;
	char key[COORD_KEY_MAX + 1];

	once_key(key, w->digest);
	return coord_claim(k->coordination, key, value,
			   ttl_ms > least_ms ? ttl_ms : least_ms, ret_first, ret_before,
			   err);
}

bool keeper_slack_before(struct keeper *k, const char *digest, char **ret,
			 struct error *err)
{
	char key[COORD_KEY_MAX + 1];

	once_key(key, digest);
	return coord_get(k->coordination, key, ret, err);
}

bool keeper_slack_is_ours(const struct keeper *k, const char *app, const char *team,
			  struct error *err)
{
	const struct slack_settings *s = &k->settings->slack;

	if (strcmp(app, s->app) != 0)
		return error_set(err, ERR_PERMISSION_DENIED, "it is of another app");
	return slack_settings_has_team(s, team) ||
	       error_set(err, ERR_PERMISSION_DENIED, "it is of another team");
}

bool keeper_slack_person(const struct keeper *k, const char *user, char ret[static 129],
			 struct error *err)
{
	const char *person = policy_person_of_slack(k->policy, user);

	if (!person)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the gate knows nobody with the Slack id '%s'", user);
	if (!policy_check_team(k->policy, person, err))
		return false;
	(void)snprintf(ret, 129, "%s", person);
	return true;
}
