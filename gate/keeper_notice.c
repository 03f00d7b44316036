/*
 * The outbox: what people are to be told, kept until they have read it.
 *
 * A notice is stored before the end that it tells of, so that a crash in between loses
 * none; at the start one whose approval has not ended so is dropped.
 */
#include "gate/keeper.h"

#include "gate/notice.h"

/* gcc 12 takes what is linked to the end of a list for lost. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

static const char collection[] = "notices";

enum {
	NOTICES_MAX = 10000, /* in all */
	NOTICES_AT_ONCE = 200,
	KEPT_MS = 7 * 24 * 3600 * 1000, /* unread */
	EVERY_MS = 60 * 1000,
};

static bool is_emergency(const json_t *body)
{
	return json_is_true(json_object_get(body, "emergency"));
}

/* --- in memory --- */

static void forget(struct keeper *k, struct notice **at)
{
	struct notice *n = *at;

	*at = n->next;
	json_decref(n->body);
	free(n);
	k->notice_count--;
}

static void drop(struct keeper *k, struct notice **at)
{
	const struct notice *n = *at;
	struct error err = ERROR_INIT;
	bool existed;

	if (!documents_delete(k->documents, collection, json_get_string(n->body, "id"),
			      &existed, &err))
		log_failure("notice.not_dropped", &err);
	forget(k, at);
}

void keeper_notices_free(struct keeper *k)
{
	for (struct notice *n = k->notices, *next; n; n = next) {
		next = n->next;
		json_decref(n->body);
		free(n);
	}
	k->notices = NULL;
}

static struct notice **find(struct keeper *k, const char *id)
{
	struct notice **at = &k->notices;

	while (*at && strcmp(json_get_string((*at)->body, "id"), id) != 0)
		at = &(*at)->next;
	return at;
}

static void drop_oldest(struct keeper *k)
{
	struct notice **at = &k->notices;

	while (*at && is_emergency((*at)->body))
		at = &(*at)->next;
	if (!*at)
		return;
	log_warn("notice.dropped", LOG_STR("why", "nobody reads them"));
	drop(k, at);
}

/* At the end: the oldest stand first. */
static bool link_new(struct keeper *k, json_t *body)
{
	struct notice *n = calloc(1, sizeof *n), *last;

	if (!n)
		return false;
	if (k->notice_count >= NOTICES_MAX)
		drop_oldest(k);
	n->body = json_incref(body);
	last = k->notices;
	while (last && last->next)
		last = last->next;
	if (last)
		last->next = n;
	else
		k->notices = n;
	k->notice_count++;
	return true;
}

/* --- telling --- */

static void tell(struct keeper *k, const json_t *notice)
{
	json_auto_t *event = NULL;

	for (struct peer *p = k->peers; p; p = p->next) {
		const char *person = keeper_reader(k, p);

		if (!p->wants_notices || !person ||
		    (!p->is_slack && !policy_in_team(k->policy, person)) ||
		    !notice_is_for(notice, person))
			continue;
		if (!event)
			event = json_pack("{s:s, s:o}", "m", message_name(MSG_NOTICE),
					  "notice", notice_for_reading(notice));
		if (event)
			(void)channel_send(p->channel, event);
	}
}

bool keeper_notice_prepare(struct keeper *k, const json_t *body, enum record_state to,
			   const char *by, const char *why, json_t **ret,
			   struct error *err)
{
	const char *surface = keeper_slack_concerns(k, body) ? NOTICE_SLACK : NULL;
	json_auto_t *notice = notice_make(body, to, surface, k->now_ms, by, why);
	int64_t revision;

	*ret = NULL;
	if (!notice)
		return error_oom(err);
	if (json_is_null(notice))
		return true;
	if (!documents_put(k->documents, collection, json_get_string(body, "id"), notice,
			   DOCUMENT_ANY, &revision, err))
		return false;
	*ret = TAKE(notice);
	return true;
}

void keeper_notice_send(struct keeper *k, json_t *notice)
{
	if (!notice)
		return;
	if (!link_new(k, notice))
		log_error("gate.no_memory");
	tell(k, notice);
}

bool keeper_notice_keep(struct keeper *k, json_t *notice, struct error *err)
{
	struct notice **older;
	int64_t revision;

	if (!documents_put(k->documents, collection, json_get_string(notice, "id"),
			   notice, DOCUMENT_ANY, &revision, err))
		return false;
	older = find(k, json_get_string(notice, "id"));
	if (*older)
		forget(k, older);
	keeper_notice_send(k, notice);
	return true;
}

/* --- what surfaces ask --- */

json_t *keeper_on_notices(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err)
{
	const char *person = keeper_reader(k, p);
	json_auto_t *list = json_array();
	size_t left = 0;

	(void)f;
	for (struct notice *n = k->notices; list && person && n; n = n->next) {
		if (!notice_is_for(n->body, person))
			continue;
		if (json_array_size(list) >= NOTICES_AT_ONCE) {
			left++;
			continue;
		}
		if (json_array_append_new(list, notice_for_reading(n->body)) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	p->wants_notices = true;
	return json_pack("{s:O, s:I}", "notices", list, "left", (json_int_t)left);
}

json_t *keeper_on_read(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err)
{
	const char *person = keeper_reader(k, p);
	struct notice **at = find(k, f->notice);
	json_auto_t *rest = NULL;
	int64_t revision;

	if (!*at || !person || !notice_is_for((*at)->body, person)) {
		error_set(err, ERR_NOT_FOUND, "there is no notice of this for you");
		return NULL;
	}
	rest = notice_without((*at)->body, person);
	if (!rest) {
		error_oom(err);
		return NULL;
	}
	if (json_array_size(json_object_get(rest, "to")) == 0) {
		drop(k, at);
		return json_object();
	}
	if (!documents_put(k->documents, collection, f->notice, rest, DOCUMENT_ANY,
			   &revision, err))
		return NULL;
	json_decref((*at)->body);
	(*at)->body = TAKE(rest);
	return json_object();
}

/* --- start and time --- */

struct recovery {
	struct keeper *keeper;
	json_t *all;
};

static bool collect(void *context, const struct document *doc)
{
	struct recovery *r = context;

	return json_array_append(r->all, doc->body) == 0;
}

/* What never came to pass is not told. */
static bool has_come_true(struct keeper *k, const json_t *notice)
{
	const char *id = json_get_string(notice, "approval");
	const char *state = json_get_string(notice, "state");
	struct error ignored = ERROR_INIT;
	json_auto_t *body = id ? keeper_load(k, id, &ignored) : NULL;
	const char *now = json_get_string(body, "state");

	return is_emergency(notice) || json_object_get(notice, "news") ||
	       (state && now && strcmp(state, now) == 0);
}

bool keeper_notices_recover(struct keeper *k, struct error *err)
{
	struct recovery r = { k, json_array() };
	json_auto_t *all = r.all;
	size_t i;
	json_t *notice;

	if (!all)
		return error_oom(err);
	if (!documents_query(k->documents, collection, NULL, NULL, false, NOTICES_MAX,
			     collect, &r, err))
		return false;
	json_array_foreach(all, i, notice)
	{
		bool existed;

		if (has_come_true(k, notice)) {
			if (!link_new(k, notice))
				return error_oom(err);
		} else if (!documents_delete(k->documents, collection,
					     json_get_string(notice, "id"), &existed,
					     err)) {
			return false;
		}
	}
	return true;
}

void keeper_notices_tick(struct keeper *k)
{
	struct notice **at = &k->notices;

	if (k->now_ms - k->notices_checked_ms < EVERY_MS)
		return;
	k->notices_checked_ms = k->now_ms;
	while (*at) {
		int64_t at_ms = json_get_int64((*at)->body, "at", 0);

		/* What was done in an emergency waits until somebody has read it. */
		if (k->now_ms - at_ms > KEPT_MS && !is_emergency((*at)->body))
			drop(k, at);
		else
			at = &(*at)->next;
	}
}
