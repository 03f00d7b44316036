/* Break-glass in the keeper: the probe, who may, what is written down, and the review. */
#include "gate/keeper.h"

#include "base/clock.h"
#include "gate/notice.h"

static const char collection[] = "emergencies";

/* --- the usual surface --- */

static bool is_configured(const struct keeper *k)
{
	return k->settings->emergency_probe[0] != '\0';
}

void keeper_probe_surface(struct keeper *k)
{
	int64_t now_ms = clock_mono_ms();
	json_auto_t *message = NULL;

	if (!is_configured(k) || !k->url[0] ||
	    (k->probed_ms > 0 && now_ms - k->probed_ms < EMERGENCY_PROBE_MS))
		return;
	k->probed_ms = now_ms;
	message = json_pack("{s:s, s:s}", "m", message_name(MSG_PROBE), "url",
			    k->settings->emergency_probe);
	if (message && k->caller)
		(void)channel_send(k->caller, message);
}

bool keeper_on_probed(struct keeper *k, const struct fields *f, struct error *err)
{
	(void)err;
	surface_health_note(&k->surface, f->up, clock_mono_ms());
	return true;
}

/* --- uses --- */

static bool add_use(void *context, const struct document *doc)
{
	return json_array_append(context, doc->body) == 0;
}

/* Those that nobody has reviewed, oldest first. New reference. */
static json_t *unreviewed(struct keeper *k, struct error *err)
{
	static const struct documents_filter filters[] = { { "state", "unreviewed" },
							   { NULL, NULL } };
	json_auto_t *list = json_array();

	if (!list) {
		error_oom(err);
		return NULL;
	}
	return documents_query(k->documents, collection, filters, NULL, false, 100,
			       add_use, list, err)
		       ? TAKE(list)
		       : NULL;
}

static size_t count_others(const json_t *uses, const char *approval)
{
	size_t i, n = 0;
	json_t *use;

	json_array_foreach(uses, i, use)
	{
		const char *id = json_get_string(use, "approval");

		n += !id || strcmp(id, approval) != 0;
	}
	return n;
}

/* --- may it be used now? --- */

static bool check_surface(const struct keeper *k, struct error *err)
{
	int64_t down_ms = surface_health_down_ms(&k->surface, clock_mono_ms());

	if (!is_configured(k)) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "this gate is not configured for emergencies");
		return error_hint(err, "config/gate.yaml: emergency: {probe: URL}");
	}
	if (down_ms >= EMERGENCY_DOWN_MS)
		return true;
	error_set(err, ERR_PERMISSION_DENIED,
		  "the gate has not seen the usual surface down for %d minutes: %s",
		  EMERGENCY_DOWN_MS / 60000,
		  down_ms > 0 ? "it is down for a shorter time" : "it is not down");
	return error_hint(
		err, down_ms > 0 ? "wait %lld s, or decide as usual" : "decide as usual",
		(long long)(EMERGENCY_DOWN_MS - down_ms + 999) / 1000);
}

static bool check_uses(struct keeper *k, const char *approval, struct error *err)
{
	json_auto_t *uses = unreviewed(k, err);

	if (!uses)
		return false;
	if (count_others(uses, approval) < EMERGENCY_UNREVIEWED_MAX)
		return true;
	error_set(err, ERR_PERMISSION_DENIED,
		  "%d emergencies have not been reviewed, so there is no further one",
		  EMERGENCY_UNREVIEWED_MAX);
	return error_hint(err, "somebody else of the team reviews them: wingman "
			       "emergency status, wingman emergency review ID");
}

static bool check_call(const struct approval *a, struct error *err)
{
	if (keeper_is_bundle(a))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "an emergency is one call: propose it by itself");
	if (emergency_is_never(json_get_string(a->body, "server"),
			       json_get_string(a->body, "tool")))
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"never in an emergency: policy, pins, keys, the team and "
			"who is who wait for the usual way");
	return true;
}

static bool open_keys(struct keeper *k, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(k->dir, "keys/emergency");

	if (k->emergency_keys)
		return true;
	if (!path)
		return error_oom(err);
	k->emergency_keys = keyring_open(path, err);
	return k->emergency_keys != NULL;
}

bool keeper_emergency_check(struct keeper *k, const struct approval *a, const char *word,
			    struct emergency_word *ret, struct error *err)
{
	struct error why = ERROR_INIT;
	const char *shown = json_get_string(a->body, "shown");

	if (!check_call(a, err) || !check_surface(k, err) || !check_uses(k, a->id, err))
		return false;
	if (!open_keys(k, &why))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "there is no emergency key: %s", why.message);
	return emergency_open(word, k->emergency_keys, a->id, shown ? shown : "",
			      k->now_ms, ret, err);
}

/* --- what is written down, before it counts --- */

static json_t *use_json(const struct keeper *k, const struct approval *a,
			const struct emergency_word *word, const char *person)
{
	return json_pack("{s:i, s:s, s:s, s:O, s:O, s:O, s:s, s:s, s:s, s:I}", "v", 1,
			 "approval", a->id, "state", "unreviewed", "server",
			 json_object_get(a->body, "server"), "tool",
			 json_object_get(a->body, "tool"), "requester",
			 json_object_get(a->body, "requester"), "by", person, "reason",
			 word->reason, "kid", word->kid, "at", (json_int_t)k->now_ms);
}

/* To the whole team, whoever did it included when there is nobody else. */
static json_t *notice_json(const struct keeper *k, const json_t *use)
{
	const char *by = json_get_string(use, "by");
	json_auto_t *to = json_array();
	char id[RECORD_KEY_BYTES + 16];
	const char *person;

	for (size_t i = 0; to && (person = policy_member(k->policy, i)); i++)
		if (strcmp(person, by) != 0 &&
		    json_array_append_new(to, json_string(person)) != 0)
			return NULL;
	if (json_array_size(to) == 0 && json_array_append_new(to, json_string(by)) != 0)
		return NULL;
	(void)snprintf(id, sizeof id, "%s.emergency", json_get_string(use, "approval"));
	return json_pack("{s:i, s:s, s:O, s:s, s:O, s:O, s:O, s:I, s:O, s:O, s:b, s:O}",
			 "v", 1, "id", id, "approval", json_object_get(use, "approval"),
			 "state", "approved", "server", json_object_get(use, "server"),
			 "tool", json_object_get(use, "tool"), "requester",
			 json_object_get(use, "requester"), "at", (json_int_t)k->now_ms,
			 "by", json_object_get(use, "by"), "why",
			 json_object_get(use, "reason"), "emergency", 1, "to", to);
}

bool keeper_emergency_note(struct keeper *k, const struct approval *a,
			   const struct emergency_word *word, const char *person,
			   struct error *err)
{
	json_auto_t *use = use_json(k, a, word, person);
	json_auto_t *notice = use ? notice_json(k, use) : NULL;
	int64_t revision;

	if (!notice)
		return error_oom(err);
	return audit_append(k->audit, "emergency.used", json_incref(use), NULL, err) &&
	       documents_put(k->documents, collection, a->id, use, DOCUMENT_ANY,
			     &revision, err) &&
	       keeper_notice_keep(k, notice, err);
}

/* --- what surfaces ask --- */

json_t *keeper_on_emergencies(struct keeper *k, struct peer *p, const struct fields *f,
			      struct error *err)
{
	json_auto_t *uses = unreviewed(k, err);
	struct error why = ERROR_INIT;
	bool may;

	(void)p;
	(void)f;
	if (!uses)
		return NULL;
	may = check_surface(k, &why) && check_uses(k, "", &why);
	return json_pack(
		"{s:b, s:b, s:s*, s:I, s:O}", "configured", is_configured(k), "may", may,
		"why", may ? NULL : why.message, "down_s",
		(json_int_t)(surface_health_down_ms(&k->surface, clock_mono_ms()) / 1000),
		"unreviewed", uses);
}

static json_t *reviewed(const struct keeper *k, const json_t *use, const char *person,
			const char *note)
{
	json_auto_t *next = json_copy((json_t *)(uintptr_t)use);
	json_auto_t *review =
		json_pack("{s:s, s:I}", "by", person, "at", (json_int_t)k->now_ms);

	if (!json_put_string(review, "note", note) || !next ||
	    json_object_set(next, "review", review) != 0 ||
	    json_object_set_new(next, "state", json_string("reviewed")) != 0)
		return NULL;
	return TAKE(next);
}

/* Not by who used it, unless the team has nobody else. */
static bool check_reviewer(const struct keeper *k, const json_t *use, const char *person,
			   struct error *err)
{
	const char *by = json_get_string(use, "by");
	const char *state = json_get_string(use, "state");

	if (!state || strcmp(state, "unreviewed") != 0)
		return error_set(err, ERR_CONFLICT, "this is reviewed already");
	if (by && person && strcmp(by, person) == 0 && policy_member(k->policy, 1))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "somebody else of the team reviews what you did");
	return true;
}

json_t *keeper_on_review(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err)
{
	char person[129];
	struct document d = { 0 };
	json_auto_t *use = NULL;
	json_auto_t *next = NULL;
	bool found = false;
	int64_t revision;

	if (!keeper_refresh_policy(k, err))
		return NULL;
	(void)snprintf(person, sizeof person, "%s",
		       keeper_person(k, p) ? keeper_person(k, p) : "");
	if (!policy_in_team(k->policy, person) || !name_is_id(f->approval) ||
	    !documents_get(k->documents, collection, f->approval, &d, &found, err) ||
	    !found) {
		error_set(err, ERR_NOT_FOUND, "there was no such emergency");
		return NULL;
	}
	use = json_incref(d.body);
	document_done(&d);
	if (f->reason && strlen(f->reason) > EMERGENCY_REASON_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "a note has %d bytes at most",
			  EMERGENCY_REASON_MAX);
		return NULL;
	}
	if (!check_reviewer(k, use, person, err))
		return NULL;
	next = reviewed(k, use, person, f->reason);
	if (!next) {
		error_oom(err);
		return NULL;
	}
	if (!audit_append(k->audit, "emergency.reviewed", json_incref(next), NULL, err) ||
	    !documents_put(k->documents, collection, f->approval, next, DOCUMENT_ANY,
			   &revision, err))
		return NULL;
	return json_object();
}
