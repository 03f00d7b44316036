/* After several noes nothing more is asked for a while: people tire, and say yes. */
#include "base/clock.h"
#include "gate/keeper_propose_private.h"

enum {
	WINDOW_MS = 10 * 60 * 1000, /* from the first no */
	PAUSE_MS = 10 * 60 * 1000,
	WAY_BYTES = 320,
};

/*
 * In whose name it was asked, and by what: the assistant's proposals do not use up a
 * person's own, nor do a server's registrations.
 */
static void way_of(char ret[static WAY_BYTES], const json_t *surface, const char *server,
		   bool is_assistant, const char *requester)
{
	const char *kind = json_get_string(surface, "kind");
	const bool is_direct = kind && strcmp(kind, "direct") == 0;

	(void)snprintf(ret, WAY_BYTES, "%s%s%s",
		       is_direct      ? server
		       : is_assistant ? "the assistant"
				      : "",
		       is_direct || is_assistant ? " for " : "", requester);
}

static void key_of(char key[static COORD_KEY_MAX + 1], const char *prefix,
		   const char *way)
{
	char digest[DIGEST_HEX_BYTES];

	digest_sha256_hex(way, strlen(way), digest);
	(void)snprintf(key, COORD_KEY_MAX + 1, "%s/%s", prefix, digest);
}

static bool is_assistants(const json_t *slack)
{
	const char *author = json_get_string(slack, "author");

	return author && strcmp(author, "assistant") == 0;
}

static bool is_by_assistant(const json_t *body)
{
	return json_object_get(body, "author") ||
	       is_assistants(json_object_get(body, "slack"));
}

/* A no to one's own form is a change of mind. */
static bool counts(const json_t *body, const char *by)
{
	const char *requester = json_get_string(body, "requester");
	const char *kind = json_get_string(json_object_get(body, "surface"), "kind");

	return is_by_assistant(body) || (kind && strcmp(kind, "direct") == 0) ||
	       !requester || strcmp(requester, by) != 0;
}

/* "until MS" in the store, for as long as it lasts. */
static bool begin(struct keeper *k, const char *way, int64_t until_ms, struct error *err)
{
	char key[COORD_KEY_MAX + 1], value[32];

	key_of(key, "paused", way);
	(void)snprintf(value, sizeof value, "%lld", (long long)until_ms);
	return audit_append(k->audit, "proposals.paused",
			    json_pack("{s:s, s:I, s:I}", "who", way, "denials",
				      (json_int_t)k->settings->denials, "until",
				      (json_int_t)until_ms),
			    NULL, err) &&
	       coord_put(k->coordination, key, value, PAUSE_MS, err);
}

bool keeper_note_denied(struct keeper *k, const struct approval *a, const char *by,
			int64_t *ret_until_ms, struct error *err)
{
	const json_t *surface = json_object_get(a->body, "surface");
	char way[WAY_BYTES], key[COORD_KEY_MAX + 1];
	int64_t total = 0;

	*ret_until_ms = 0;
	if (!counts(a->body, by))
		return true;
	way_of(way, surface, json_get_string(a->body, "server"), is_by_assistant(a->body),
	       json_get_string(a->body, "requester"));
	key_of(key, "denials", way);
	if (!coord_count(k->coordination, key, 1, WINDOW_MS, &total, err))
		return false;
	if (total < k->settings->denials)
		return true;
	*ret_until_ms = k->now_ms + PAUSE_MS;
	return begin(k, way, *ret_until_ms, err);
}

bool keeper_check_pause(struct keeper *k, const struct proposal *p, struct error *err)
{
	char way[WAY_BYTES], key[COORD_KEY_MAX + 1], at[CLOCK_TEXT_BYTES];
	_cleanup_free_ char *until = NULL;

	way_of(way, p->surface, p->server,
	       p->sources || p->provenance || is_assistants(p->slack), p->requester);
	key_of(key, "paused", way);
	if (!coord_get(k->coordination, key, &until, err))
		return false;
	if (!until)
		return true;
	error_set(err, ERR_RATE_LIMITED,
		  "%lld calls of %s were denied within %d minutes: nothing more is asked "
		  "until %s",
		  (long long)k->settings->denials, way, WINDOW_MS / 60000,
		  clock_format(strtoll(until, NULL, 10), at));
	return error_hint(err, "talk to whoever said no");
}
