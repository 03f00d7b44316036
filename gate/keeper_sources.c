#include "gate/keeper_sources.h"

#include "base/utf8.h"

#include "gate/keeper_context.h"

enum { MENTIONS_MAX = 64 };

/* Between what is said and what is known of it, so that no value stands across. */
static const char divider[] = "\x1f";

/* --- a turn's own words --- */

/* As Slack writes them: &amp; &lt; &gt;. */
static void add_decoded(struct strbuf *sb, const char *text, size_t length)
{
	static const struct {
		const char *from;
		char to;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' } };

	for (size_t at = 0; at < length;) {
		size_t i = 0;

		for (; i < ARRAY_SIZE(entities); i++) {
			size_t size = strlen(entities[i].from);

			if (size <= length - at &&
			    memcmp(text + at, entities[i].from, size) == 0)
				break;
		}
		if (i < ARRAY_SIZE(entities)) {
			strbuf_add_char(sb, entities[i].to);
			at += strlen(entities[i].from);
		} else {
			strbuf_add_char(sb, text[at++]);
		}
	}
}

/* "<@U123>" and "<@U123|name>": whom the gate knows by that id. */
static void add_mentioned(const struct keeper *k, struct strbuf *sb, const char *text)
{
	char id[SLACK_ID_BYTES];
	size_t count = 0;

	for (const char *at = strstr(text, "<@"); at && count < MENTIONS_MAX;
	     at = strstr(at, "<@"), count++) {
		size_t length;
		const char *person;

		at += 2;
		length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		if (length == 0 || length >= sizeof id)
			continue;
		(void)snprintf(id, sizeof id, "%.*s", (int)length, at);
		person = policy_person_of_slack(k->policy, id);
		if (person) {
			strbuf_add_string(sb, divider);
			strbuf_add_string(sb, person);
		}
	}
}

json_t *keeper_sources_words(const struct keeper *k, const json_t *payload)
{
	const char *text = json_get_string(json_object_get(payload, "event"), "text");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	if (!text)
		return NULL;
	add_decoded(&words, text, utf8_cut(text, strlen(text), SOURCES_WORDS_MAX));
	add_mentioned(k, &words, text);
	return strbuf_ok(&words) ? json_stringn(words.data, words.length) : NULL;
}

static bool add_turn(struct provenance *p, struct keeper *k, const char *person,
		     const json_t *turn, struct error *err)
{
	const char *text = json_get_string(turn, "text");
	const char *user = json_get_string(turn, "user");
	const char *author = user ? policy_person_of_slack(k->policy, user) : NULL;
	bool is_own = author && strcmp(author, person) == 0;

	if (!text || !user)
		return true;
	return provenance_add(p, is_own ? PROVENANCE_REQUESTER : PROVENANCE_PERSON,
			      is_own   ? ""
			      : author ? author
				       : user,
			      text, strlen(text), err);
}

/* --- what a surface hands over --- */

struct adding {
	struct provenance *p;
	struct keeper *k;
	const char *person;
	bool is_slack;
};

static bool add_known_turn(const struct adding *a, const char *id, struct error *err)
{
	json_auto_t *turn = NULL;

	if (!a->is_slack)
		return error_set(err, ERR_INVALID_ARGUMENT, "a console has no turns");
	turn = keeper_slack_turn_words(a->k, id);
	return !turn || add_turn(a->p, a->k, a->person, turn, err);
}

/* Whoever is called so; the gate's own names for persons stay the gate's. */
static bool add_claimed(const struct adding *a, const json_t *source, struct error *err)
{
	const char *from = json_get_string(source, "from");
	const char *text = json_get_string(source, "text");
	const char *label = json_get_string(source, "label");
	const char *person = NULL;
	enum provenance_kind kind;
	size_t members = 2 + (label != NULL);

	if (!from || !text || json_object_size(source) != members ||
	    !provenance_kind_parse(from, &kind) || kind == PROVENANCE_RESOLVED)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a piece of a conversation is {turn}, {read}, {call} "
				 "or {from, label?, text}");
	if (kind == PROVENANCE_REQUESTER && a->is_slack)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "what who asks said is named by its turn");
	if (kind == PROVENANCE_PERSON && label && a->is_slack)
		person = policy_person_of_slack(a->k->policy, label);
	if (kind == PROVENANCE_REQUESTER)
		label = "";
	return provenance_add(a->p, kind,
			      person  ? person
			      : label ? label
				      : "",
			      text, strlen(text), err);
}

static bool add_source(const struct adding *a, const json_t *source, struct error *err)
{
	const char *turn = json_get_string(source, "turn");
	const char *read = json_get_string(source, "read");
	const char *call = json_get_string(source, "call");

	if (turn && json_object_size(source) == 1)
		return add_known_turn(a, turn, err);
	if (read && json_object_size(source) == 1)
		return keeper_reads_add(a->k, a->person, read, a->p, err);
	if (call && json_object_size(source) == 1)
		return keeper_calls_add(a->k, a->person, call, a->p, err);
	return add_claimed(a, source, err);
}

static struct provenance *collect(const struct adding *of, const json_t *own_turn,
				  const json_t *sources, struct error *err)
{
	_cleanup_(provenance_freep) struct provenance *p = provenance_new();
	struct adding a = *of;
	size_t i;
	json_t *source;

	a.p = p;
	if (!p) {
		error_oom(err);
		return NULL;
	}
	if (own_turn && !add_turn(p, a.k, a.person, own_turn, err))
		return NULL;
	json_array_foreach(sources, i, source)
	{
		if (!add_source(&a, source, err))
			return NULL;
	}
	return TAKE(p);
}

struct provenance *keeper_sources_console(struct keeper *k, const char *person,
					  const json_t *sources, struct error *err)
{
	const struct adding a = { .k = k, .person = person };

	return collect(&a, NULL, sources, err);
}

struct provenance *keeper_sources_slack(struct keeper *k, const char *person,
					const json_t *turn, const json_t *sources,
					struct error *err)
{
	const struct adding a = { .k = k, .person = person, .is_slack = true };

	return collect(&a, turn, sources, err);
}
