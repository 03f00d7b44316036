#include "assistant/host/people.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* What stands between words; '<' and '>' are part of a mention. */
static const char between[] = " \t\r\n,;:!?()[]{}\"'`*";

/* --- which words name somebody --- */

static bool is_plain(const char *word, size_t length, const char *besides)
{
	for (size_t i = 0; i < length; i++) {
		char c = word[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
		      strchr(besides, c)))
			return false;
	}
	return true;
}

/* "<@U0JOHN>" or "<@U0JOHN|john>": the length of the id, or 0. */
static size_t mention(const char *word, size_t length)
{
	size_t id;

	if (length < 5 || word[0] != '<' || word[1] != '@' ||
	    (word[2] != 'U' && word[2] != 'W'))
		return 0;
	id = strspn(word + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	return id > 1 && id + 3 <= length && strchr(">|", word[id + 2]) ? id : 0;
}

static bool is_handle(const char *word, size_t length)
{
	return length > 2 && word[0] == '@' && is_plain(word + 1, length - 1, "._-");
}

static bool is_address(const char *word, size_t length)
{
	const char *at = memchr(word, '@', length);
	size_t local = at ? (size_t)(at - word) : 0, domain = length - local - 1;

	return at && local > 0 && domain > 2 && is_plain(word, local, "._-+") &&
	       is_plain(at + 1, domain, ".-") && memchr(at + 1, '.', domain);
}

/* Without the full stop that ends a sentence. */
static size_t trimmed(const char *word, size_t length)
{
	while (length > 0 && (word[length - 1] == '.' || word[length - 1] == '>'))
		length--;
	return length;
}

/* 'query' is stolen. */
static bool add_once(json_t *list, json_t *query)
{
	json_auto_t *own = query;
	size_t i;
	json_t *before;

	json_array_foreach(list, i, before)
	{
		if (json_equal(before, own))
			return true;
	}
	return own && json_array_append(list, own) == 0;
}

/* False without memory. */
static bool take_word(json_t *list, const char *word, size_t length)
{
	size_t id = mention(word, length);

	if (id > 0)
		return id + 3 > PEOPLE_QUERY_MAX ||
		       add_once(list, json_sprintf("<@%.*s>", (int)id, word + 2));
	/* "<john@x.org>" is an address in brackets. */
	if (length > 0 && word[0] == '<') {
		word++;
		length--;
	}
	length = trimmed(word, length);
	if (length > PEOPLE_QUERY_MAX ||
	    (!is_handle(word, length) && !is_address(word, length)))
		return true;
	return add_once(list, json_stringn(word, length));
}

/* The word up to the next space, and whether it is an address of the web. */
static bool is_web(const char *text)
{
	size_t length = strcspn(text, " \t\r\n");

	return memmem(text, length, "://", 3) != NULL;
}

json_t *people_queries(const char *text)
{
	_cleanup_strbuf_ struct strbuf masked = STRBUF_INIT;
	json_auto_t *list = json_array();
	const char *at;

	text_redact(&masked, text, strlen(text));
	if (!list || !strbuf_ok(&masked))
		return NULL;
	at = masked.data ? masked.data : "";
	while (*(at += strspn(at, between)) &&
	       json_array_size(list) < PEOPLE_QUERIES_MAX) {
		size_t length = is_web(at) ? strcspn(at, " \t\r\n")
					   : strcspn(at, between);

		if (!is_web(at) && !take_word(list, at, length))
			return NULL;
		at += length;
	}
	return TAKE(list);
}

/* --- who that is --- */

static bool says(const json_t *object, const char *member, const char *word)
{
	const char *text = json_get_string(object, member);

	return text && strcmp(text, word) == 0;
}

const json_t *people_certain(const json_t *found)
{
	const json_t *people = json_object_get(found, "people");

	return says(found, "match", "unique") && says(found, "via", "identifier") &&
			       json_array_size(people) == 1
		       ? json_array_get(people, 0)
		       : NULL;
}

static bool copy_members(json_t *to, const json_t *from, const char *const *names,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *member = json_object_get(from, names[i]);

		if (member &&
		    json_object_set_new(to, names[i], json_deep_copy(member)) != 0)
			return false;
	}
	return true;
}

json_t *people_told(const json_t *found)
{
	static const char *const facts[] = { "match", "via", "flag" };
	static const char *const members[] = { "id",     "display_name", "emails",
					       "status", "kind",         "groups",
					       "flags",  "systems",      "more" };
	const json_t *person = people_certain(found);
	json_auto_t *told = json_object(), *one = json_object();

	if (!told || !one || !copy_members(told, found, facts, ARRAY_SIZE(facts)))
		return NULL;
	if (person && (!copy_members(one, person, members, ARRAY_SIZE(members)) ||
		       json_object_set(told, "person", one) != 0))
		return NULL;
	return TAKE(told);
}

/* --- those known --- */

static bool is_slack_id(const char *id)
{
	size_t length = id ? strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;

	return length > 1 && length <= 32 && !id[length] &&
	       (id[0] == 'U' || id[0] == 'W');
}

/* As it is shown beside others' words: cut between letters. */
static json_t *name_of(const json_t *person)
{
	const char *name = json_get_string(person, "display_name");
	size_t length = name ? utf8_cut(name, strlen(name), PEOPLE_NAME_MAX) : 0;

	return length > 0 ? json_stringn(name, length) : json_string("?");
}

static json_t *find(const json_t *known, const char *id, size_t *ret_at)
{
	json_t *list = (json_t *)(uintptr_t)known;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (says(one, "id", id)) {
			*ret_at = i;
			return one;
		}
	}
	return NULL;
}

bool people_known(const json_t *known, const char *id)
{
	size_t at;

	return find(known, id, &at) != NULL;
}

bool people_remember(json_t *known, const json_t *person, bool notify)
{
	const char *id = json_get_string(person, "id");
	const json_t *slack =
		json_object_get(json_object_get(person, "systems"), "slack");
	const char *user = json_get_string(slack, "user_id");
	const char *handle = json_get_string(slack, "handle");
	size_t at = 0;
	const json_t *before = id ? find(known, id, &at) : NULL;
	json_auto_t *one = NULL;

	if (!id)
		return true;
	notify = notify || json_is_true(json_object_get(before, "notify"));
	one = json_pack("{s:s, s:o, s:b}", "id", id, "name", name_of(person), "notify",
			(int)notify);
	if (!one ||
	    (is_slack_id(user) &&
	     json_object_set_new(one, "slack", json_string(user)) != 0) ||
	    (handle && json_object_set_new(one, "handle", json_string(handle)) != 0))
		return false;
	if (before)
		(void)json_array_remove(known, at);
	while (json_array_size(known) >= PEOPLE_KNOWN_MAX)
		(void)json_array_remove(known, 0);
	return json_array_append(known, one) == 0;
}

json_t *people_in_slack(const json_t *known)
{
	json_t *list = (json_t *)(uintptr_t)known;
	json_auto_t *map = json_object();
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *user = json_get_string(one, "slack");
		const char *name = json_get_string(one, "name");

		if (map && user && name &&
		    json_object_set_new(
			    map, user,
			    json_pack("{s:s, s:b}", "name", name, "notify",
				      json_is_true(json_object_get(one, "notify")))) != 0)
			return NULL;
	}
	return TAKE(map);
}

const json_t *people_of_slack(const json_t *known, const char *id, size_t length)
{
	json_t *list = (json_t *)(uintptr_t)known;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *user = json_get_string(one, "slack");

		if (user && strlen(user) == length && memcmp(user, id, length) == 0)
			return one;
	}
	return NULL;
}
