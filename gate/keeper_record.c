#include "gate/keeper.h"

#include "base/clock.h"

/* Calls of several lie apart: lists are of decisions. */
static const char *const collections[] = { "approvals", "calls" };

static const char *collection_of(const char *id)
{
	return collections[strchr(id, '-') != NULL];
}

void keeper_approval_free(struct approval *a)
{
	if (!a)
		return;
	json_decref(a->body);
	json_decref(a->members);
	json_decref(a->progress);
	free(a);
}

struct approval *keeper_find(const struct keeper *k, const char *id)
{
	for (struct approval *a = k->approvals; a; a = a->next)
		if (!a->ended && strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

struct approval *keeper_find_identical(const struct keeper *k, const char *identity)
{
	for (struct approval *a = k->approvals; a; a = a->next)
		/* A freed read that has begun is another's: the next one reads anew. */
		if (!a->ended && strcmp(a->identity, identity) == 0 &&
		    (!keeper_is_free(a) || a->state == RECORD_PROPOSED))
			return a;
	return NULL;
}

json_t *keeper_load(struct keeper *k, const char *id, struct error *err)
{
	const struct approval *a = keeper_find(k, id);
	struct document d = { 0 };
	bool found = false;
	json_t *body;

	if (a)
		return json_incref(a->body);
	if (!name_is_id(id)) {
		error_set(err, ERR_INVALID_ARGUMENT, "this is no approval's id");
		return NULL;
	}
	if (!documents_get(k->documents, collection_of(id), id, &d, &found, err))
		return NULL;
	if (!found) {
		error_set(err, ERR_NOT_FOUND, "there is no approval '%s'", id);
		return NULL;
	}
	body = json_incref(d.body);
	document_done(&d);
	return body;
}

bool keeper_is_sound(struct keeper *k, struct error *err)
{
	if (!audit_is_sound(k->audit))
		return error_set(
			err, ERR_INTERNAL,
			"the gate's audit log cannot be written, so nothing is asked, "
			"approved or executed");
	return coord_now_ms(k->coordination, &k->now_ms, err);
}

void keeper_audit_refusal(struct keeper *k, const char *event, const char *who,
			  json_t *data, const struct error *why)
{
	json_auto_t *line = data;
	struct error err = ERROR_INIT;
	int64_t wait;

	/* Whoever is refused in a loop must not fill the disk with it. */
	if (!limiter_take(k->refusals, who, clock_mono_ms(), &wait, &err))
		return;
	error_clear(&err);
	if (!line || json_object_set_new(line, "who", json_string(who)) != 0 ||
	    json_object_set_new(line, "code", json_string(error_name(why->code))) != 0 ||
	    json_object_set_new(line, "why", json_string(why->message)) != 0)
		return;
	if (!audit_append(k->audit, event, TAKE(line), NULL, &err))
		log_failure("audit.failed", &err);
}

/* --- audit lines of transitions --- */

static json_t *audit_line(const json_t *body, json_t *more)
{
	static const char *const members[] = { "requester",   "server",  "tool",
					       "args",        "request", "shown",
					       "plan_digest", "bundle",  "calls" };
	json_auto_t *extra = more;
	json_auto_t *line = json_pack("{s:O}", "approval", json_object_get(body, "id"));

	for (size_t i = 0; line && i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(body, members[i]);

		if (member && json_object_set(line, members[i], member) != 0)
			return NULL;
	}
	if (line && extra && json_object_update(line, extra) != 0)
		return NULL;
	return TAKE(line);
}

/* Room is kept in the log for what became of a call that has left; see guard/audit.h. */
static bool is_outcome(const char *what)
{
	enum record_state to;

	return record_state_parse(what, &to) &&
	       (to == RECORD_EXECUTING || to == RECORD_SUCCEEDED || to == RECORD_FAILED ||
		to == RECORD_UNKNOWN);
}

static bool write_audit(struct keeper *k, const char *what, const json_t *body,
			json_t *more, const char *by, const char *why, struct error *err)
{
	json_auto_t *line = audit_line(body, more);
	char event[64];

	if (!line || (by && json_object_set_new(line, "by", json_string(by)) != 0) ||
	    (why && json_object_set_new(line, "why", json_string(why)) != 0))
		return error_oom(err);
	(void)snprintf(event, sizeof event, "approval.%s", what);
	return is_outcome(what)
		       ? audit_append_outcome(k->audit, event, TAKE(line), NULL, err)
		       : audit_append(k->audit, event, TAKE(line), NULL, err);
}

/* The chain says that it happened and the store could not keep it: say that too. */
static void retract(struct keeper *k, const json_t *body, const char *what)
{
	struct error err = ERROR_INIT;
	json_t *line = json_pack("{s:O, s:s}", "approval", json_object_get(body, "id"),
				 "what", what);

	if (line && !audit_append(k->audit, "approval.not_stored", line, NULL, &err))
		log_failure("audit.failed", &err);
}

static bool store(struct keeper *k, const char *id, const json_t *body, int64_t expected,
		  int64_t *ret_revision, struct error *err)
{
	if (!documents_put(k->documents, collection_of(id), id, body, expected,
			   ret_revision, err))
		return false;
	if (*ret_revision == 0)
		return error_set(err, ERR_INTERNAL,
				 "approval %s was changed by somebody else in the store",
				 id);
	return true;
}

/* Replace the body of 'a' by 'next' (stolen), durably, after its audit line. */
static bool swap(struct keeper *k, struct approval *a, json_t *next, const char *what,
		 json_t *audit, const char *by, const char *why, struct error *err)
{
	json_auto_t *body = next;
	int64_t revision = 0;

	if (!write_audit(k, what, body, audit, by, why, err))
		return false;
	if (!store(k, a->id, body, a->revision, &revision, err)) {
		retract(k, body, what);
		return false;
	}
	json_decref(a->body);
	a->body = TAKE(body);
	a->revision = revision;
	return true;
}

/* --- what an end leaves behind for a while --- */

static bool keep(struct keeper *k, const char *prefix, const char *digest,
		 const char *value, int64_t ttl_ms, struct error *err)
{
	char key[COORD_KEY_MAX + 1];

	(void)snprintf(key, sizeof key, "%s/%s", prefix, digest);
	return coord_put(k->coordination, key, value, ttl_ms, err);
}

/* Before the end itself, so that a crash in between forgets nothing. */
static bool prepare_end(struct keeper *k, const struct approval *a, const struct move *m,
			struct error *err)
{
	/* What could not be planned may work in a moment; a client must only learn of it. */
	int64_t recent_ms = m->to == RECORD_REFUSED ? 15 * 1000 : KEEPER_RECENT_MS;
	const char *request = json_get_string(a->body, "request");
	char when[32];

	if (m->to == RECORD_DENIED &&
	    !keep(k, "denied", a->identity, a->id, KEEPER_DENIED_MS, err))
		return false;
	/* A freed read is done again when it is asked again: what it read may have changed. */
	if (keeper_is_direct(a) && !keeper_is_free(a) &&
	    !keep(k, "recent", a->identity, a->id, recent_ms, err))
		return false;
	if (m->to != RECORD_SUCCEEDED && m->to != RECORD_UNKNOWN)
		return true;
	(void)snprintf(when, sizeof when, "%lld", (long long)k->now_ms);
	return !request ||
	       keep(k, "last-run", request, when, INT64_C(90) * 24 * 3600 * 1000, err);
}

bool keeper_move(struct keeper *k, struct approval *a, const struct move *m,
		 struct error *err)
{
	json_auto_t *changes = m->changes;
	json_auto_t *audit = m->audit;
	json_auto_t *notice = NULL;
	json_t *next =
		record_next(a->body, m->to, changes, k->now_ms, m->by, m->why, err);

	if (!next)
		return false;
	if (record_state_is_end(m->to) &&
	    (!prepare_end(k, a, m, err) ||
	     !keeper_notice_prepare(k, next, m->to, m->by, m->why, &notice, err))) {
		json_decref(next);
		return false;
	}
	if (!swap(k, a, next, record_state_name(m->to), TAKE(audit), m->by, m->why, err))
		return false;
	a->state = m->to;
	a->ended = record_state_is_end(m->to);
	log_info("approval.moved", LOG_STR("approval", a->id),
		 LOG_STR("state", record_state_name(m->to)));
	keeper_announce(k, a);
	keeper_notice_send(k, notice);
	return true;
}

bool keeper_update(struct keeper *k, struct approval *a, const char *event,
		   json_t *changes, json_t *audit, struct error *err)
{
	json_auto_t *more = changes;
	json_auto_t *line = audit;
	json_auto_t *next = json_copy(a->body);

	if (!next || !more || json_object_update(next, more) != 0)
		return error_oom(err);
	if (!swap(k, a, TAKE(next), event, TAKE(line), NULL, NULL, err))
		return false;
	keeper_announce(k, a);
	return true;
}

static struct approval *link_new(struct keeper *k, const char *id, json_t *body,
				 int64_t revision, struct error *err)
{
	struct approval *a = calloc(1, sizeof *a);

	if (!a) {
		error_oom(err);
		return NULL;
	}
	(void)snprintf(a->id, sizeof a->id, "%s", id);
	a->body = json_incref(body);
	a->state = record_state_of(body);
	a->revision = revision;
	if (!record_identity(body, a->identity, err)) {
		keeper_approval_free(a);
		return NULL;
	}
	a->next = k->approvals;
	k->approvals = a;
	return a;
}

struct approval *keeper_add(struct keeper *k, json_t *stolen, json_t *audit,
			    struct error *err)
{
	json_auto_t *body = stolen;
	const char *id = json_get_string(body, "id");
	struct approval *a;
	int64_t revision = 0;

	if (!write_audit(k, "proposed", body, audit, NULL, NULL, err))
		return NULL;
	if (!store(k, id, body, DOCUMENT_NEW, &revision, err)) {
		retract(k, body, "proposed");
		return NULL;
	}
	a = link_new(k, id, body, revision, err);
	if (a)
		log_info("approval.moved", LOG_STR("approval", a->id),
			 LOG_STR("state", "proposed"));
	return a;
}

void keeper_sweep(struct keeper *k)
{
	struct approval **at = &k->approvals;

	while (*at) {
		struct approval *a = *at;

		/* What became of a call is asked for as long as its decision is open. */
		if (!a->ended || (keeper_is_part(a) && keeper_bundle_of(k, a))) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		keeper_approval_free(a);
	}
}

/* --- at start --- */

bool keeper_bring_back(struct keeper *k, const char *id, struct error *err)
{
	struct document d = { 0 };
	bool found = false;
	struct approval *a;

	if (!documents_get(k->documents, collection_of(id), id, &d, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_INTERNAL, "the store has lost call %s", id);
	a = link_new(k, id, d.body, d.revision, err);
	document_done(&d);
	if (a)
		a->ended = true;
	return a != NULL;
}

struct recovery {
	struct keeper *keeper;
	struct error *err;
};

static bool recover_one(void *context, const struct document *doc)
{
	struct recovery *r = context;
	struct approval *a =
		link_new(r->keeper, doc->id, doc->body, doc->revision, r->err);

	if (!a)
		return false;
	/* Whatever was granted may have reached its server before we fell. */
	a->unanswered = a->state == RECORD_GRANTED || a->state == RECORD_EXECUTING;
	return true;
}

bool keeper_recover(struct keeper *k, struct error *err)
{
	struct recovery r = { k, err };

	for (size_t i = 0; i < 2 * RECORD_SUCCEEDED; i++) {
		enum record_state s = (enum record_state)(i / 2);
		const struct documents_filter filters[] = {
			{ "state", record_state_name(s) }, { NULL, NULL }
		};

		if (!documents_query(k->documents, collections[i % 2], filters, NULL,
				     false, 100000, recover_one, &r, err) ||
		    error_is_set(err))
			return false;
	}
	return keeper_bundle_recover(k, err);
}
