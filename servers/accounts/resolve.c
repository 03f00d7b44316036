#include "servers/accounts/resolve.h"

#include <assert.h>
#include <strings.h>

#include "servers/accounts/remembered.h"

void person_done(struct person *p)
{
	for (size_t i = 0; i < p->count; i++)
		account_done(&p->accounts[i].account);
	free(p->name);
	free(p->uid);
	free(p->mail);
	json_decref(p->emails);
	json_decref(p->notes);
	*p = (struct person){ 0 };
}

/* ---- What kind of name it is ------------------------------------------------------ */

struct query {
	char *text; /* owned, without what surrounds the name */
	enum account_key key;
	bool or_name; /* may also be a full name */
};

static bool read_query(const char *text, struct query *ret, struct error *err)
{
	size_t length;

	while (*text == ' ')
		text++;
	if (strncasecmp(text, "mailto:", 7) == 0)
		text += 7;
	length = strlen(text);
	while (length > 0 && text[length - 1] == ' ')
		length--;
	ret->key = ACCOUNT_BY_UID;
	ret->or_name = false;
	if (length > 0 && *text == '@') {
		text++;
		length--;
	} else if (memchr(text, '=', length)) {
		ret->key = ACCOUNT_BY_IDENTIFIER;
	} else if (memchr(text, '@', length)) {
		ret->key = ACCOUNT_BY_MAIL;
	} else {
		ret->or_name = true;
	}
	if (length == 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "'person' is empty");
	ret->text = strndup(text, length);
	return ret->text || error_oom(err);
}

static void query_done(struct query *q)
{
	free(q->text);
}

/* ---- Who it is -------------------------------------------------------------------- */

static json_t *list_candidates(const struct account_system *system,
			       const struct account_list *list)
{
	json_auto_t *candidates = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct account *a = &list->items[i];
		/* By its DN or the like: that is nobody else's. */
		json_t *candidate = json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "display_name", a->name,
			"uid", a->uid, "email", a->mail, "system",
			system->backend->system, "identifier", a->identifier, "choice",
			"person",
			strchr(a->identifier, '=') || !*a->uid ? a->identifier : a->uid);

		if (!candidate || json_array_append_new(candidates, candidate) != 0)
			return NULL;
	}
	return TAKE(candidates);
}

static bool fail_ambiguous(const struct account_system *system,
			   const struct account_list *list, const char *text,
			   json_t **ret_candidates, struct error *err)
{
	*ret_candidates = list_candidates(system, list);
	if (!*ret_candidates)
		return error_oom(err);
	error_set(err, ERR_AMBIGUOUS, "%s%zu people are known as '%s'",
		  list->more ? "more than " : "", list->count, text);
	error_hint(err, "say which one by e-mail address or user name");
	return false;
}

/* The one account under a key, or none: '*ret_found'. */
static bool find_one(const struct account_system *system, enum account_key key,
		     const char *text, int64_t now_ms, struct account *ret,
		     bool *ret_found, json_t **ret_candidates, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

	if (!system->backend->lookup(system->self, key, text, now_ms, &list, err) ||
	    (list.count == 0 && !remembered_find(system, key, text, now_ms, &list, err)))
		return false;
	if (list.count > 1 || list.more)
		return fail_ambiguous(system, &list, text, ret_candidates, err);
	*ret_found = list.count == 1;
	if (list.count == 1) {
		*ret = list.items[0];
		list.count = 0; /* given away */
	}
	return true;
}

/* The first system that knows the person. */
static bool identify(const struct account_system *systems, size_t count,
		     const struct query *q, int64_t now_ms, struct account *ret,
		     size_t *ret_system, json_t **ret_candidates, struct error *err)
{
	const enum account_key keys[] = { q->key, ACCOUNT_BY_NAME };

	for (size_t k = 0; k < (q->or_name ? 2 : 1); k++) {
		for (size_t i = 0; i < count; i++) {
			bool found = false;

			if (!find_one(&systems[i], keys[k], q->text, now_ms, ret, &found,
				      ret_candidates, err))
				return false;
			if (found) {
				*ret_system = i;
				return true;
			}
		}
	}
	error_set(err, ERR_NOT_FOUND, "nobody is known as '%s'", q->text);
	return error_hint(err,
			  "give an e-mail address, a user name or a DN; a name must be "
			  "whole, parts of it are not searched");
}

/* ---- Together --------------------------------------------------------------------- */

static bool set_identity(struct person *p, const struct account *a, struct error *err)
{
	assert(a->name && a->identifier && a->uid && a->mail); /* what a backend owes */
	p->name = strdup(*a->name ? a->name : a->identifier);
	p->uid = strdup(a->uid);
	p->mail = strdup(a->mail);
	if (p->name && p->uid && p->mail)
		return true;
	error_oom(err);
	return false;
}

static void add_account(struct person *p, const struct account_system *system,
			struct account *account)
{
	p->accounts[p->count].system = system;
	p->accounts[p->count++].account = *account;
	*account = (struct account){ 0 };
}

bool resolve_person(const struct account_system *systems, size_t count,
		    const bool *wanted, const char *text, int64_t now_ms,
		    struct person *ret, json_t **ret_candidates, struct error *err)
{
	_cleanup_(query_done) struct query q = { 0 };
	_cleanup_(person_done) struct person person = { 0 };
	_cleanup_(account_done) struct account known = { 0 };
	size_t first = 0;

	if (!read_query(text, &q, err) ||
	    !identify(systems, count, &q, now_ms, &known, &first, ret_candidates, err) ||
	    !set_identity(&person, &known, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct account other = { 0 };
		bool found = false;

		if (!wanted[i])
			continue;
		if (i == first)
			add_account(&person, &systems[i], &known);
		else if (*person.mail &&
			 !find_one(&systems[i], ACCOUNT_BY_MAIL, person.mail, now_ms,
				   &other, &found, ret_candidates, err))
			return false;
		if (found)
			add_account(&person, &systems[i], &other);
	}
	*ret = person;
	person = (struct person){ 0 };
	return true;
}
