#include "servers/accounts/people_answer.h"

#include <strings.h>

#include "servers/accounts/remembered.h"

enum { CANDIDATES_MAX = 20, NOTE_BYTES = 400 };

static bool text_is(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_get_string(object, member);

	return text && strcmp(text, wanted) == 0;
}

/* ---- Candidates ------------------------------------------------------------------- */

static const char *first_mail(const json_t *one)
{
	const char *mail =
		json_string_value(json_array_get(json_object_get(one, "emails"), 0));

	return mail && *mail ? mail : NULL;
}

static bool shares_mail(const json_t *people, const json_t *one, const char *mail)
{
	const json_t *other;
	size_t i;

	json_array_foreach(people, i, other)
	{
		const char *its = first_mail(other);

		if (other != one && its && strcasecmp(its, mail) == 0)
			return true;
	}
	return false;
}

/* An identifier that means this person and nobody else; "" if there is none. */
static const char *identifier_of(const json_t *people, const json_t *one)
{
	static const struct {
		const char *system, *member;
	} keys[] = {
		{ "ldap", "dn" },
		{ "okta", "id" },
		{ "slack", "user_id" },
		{ "github", "login" },
	};
	const json_t *systems = json_object_get(one, "systems");
	const char *mail = first_mail(one);

	if (mail && !shares_mail(people, one, mail))
		return mail;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = json_get_string(
			json_object_get(systems, keys[i].system), keys[i].member);

		if (text && *text)
			return text;
	}
	return "";
}

static json_t *candidate(const json_t *people, const json_t *one)
{
	const char *identifier = identifier_of(people, one);
	const char *mail = first_mail(one), *name = json_get_string(one, "display_name");
	const char *uid = json_get_string(
		json_object_get(json_object_get(one, "systems"), "ldap"), "uid");
	const char *kind = json_get_string(one, "kind"),
		   *status = json_get_string(one, "status");
	json_auto_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "display_name",
			  name ? name : "", "uid", uid ? uid : "", "email",
			  mail ? mail : "", "system", "people", "identifier", identifier,
			  "kind", kind ? kind : "", "status", status ? status : "");

	if (object && *identifier &&
	    json_object_set_new(object, "choice",
				json_pack("{s:s}", "person", identifier)) != 0)
		return NULL;
	return TAKE(object);
}

static bool fail_choice(const struct people_question *q, const json_t *answer,
			json_t **ret_candidates, struct error *err)
{
	const json_t *people = json_object_get(answer, "people"), *one;
	json_auto_t *list = json_array();
	size_t count = json_array_size(people), i;

	json_array_foreach(people, i, one)
	{
		if (i == CANDIDATES_MAX)
			break;
		if (json_array_append_new(list, candidate(people, one)) != 0)
			return error_oom(err);
	}
	*ret_candidates = json_incref(list);
	if (count == 1)
		error_set(err, ERR_AMBIGUOUS,
			  "'%s' is no identifier; one person may be meant", q->text);
	else
		error_set(err, ERR_AMBIGUOUS, "%zu people may be meant by '%s'", count,
			  q->text);
	return error_hint(err, "pick one, or say who by e-mail address or user name");
}

/* ---- Whether it will do ----------------------------------------------------------- */

static bool fail_none(const struct people_question *q, const json_t *answer,
		      struct error *err)
{
	const char *flag = json_get_string(answer, "flag");

	error_set(err, ERR_NOT_FOUND, "nobody is known as '%s'", q->text);
	return error_hint(err,
			  flag ? "it has letters of several alphabets, or characters "
				 "that cannot be seen"
			       : "give an e-mail address, a user name or a DN");
}

static bool check_age(const struct people_question *q, const json_t *answer,
		      struct error *err)
{
	const int64_t age_s = json_get_int64(answer, "age_s", INT64_MAX);

	if (!q->is_change ||
	    (age_s <= q->max_age_s && json_is_false(json_object_get(answer, "too_old"))))
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "what the people server knows is too old to change accounts by");
	return error_hint(err,
			  "a source of the people server has not been read for long");
}

/* The one person, or a refusal. Borrowed. */
static const json_t *choose(const struct people_question *q, const json_t *answer,
			    json_t **ret_candidates, struct error *err)
{
	const json_t *people = json_object_get(answer, "people");
	const bool is_certain = text_is(answer, "via", "identifier");
	const bool is_name = text_is(answer, "via", "name");

	if (!json_is_array(people) || !json_get_string(answer, "match")) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the people server's answer cannot be read");
		return NULL;
	}
	if (text_is(answer, "match", "none") || json_array_size(people) == 0) {
		fail_none(q, answer, err);
		return NULL;
	}
	if (!text_is(answer, "match", "unique") || json_array_size(people) != 1 ||
	    !(is_certain || (is_name && !q->is_change))) {
		fail_choice(q, answer, ret_candidates, err);
		return NULL;
	}
	return check_age(q, answer, err) ? json_array_get(people, 0) : NULL;
}

/* ---- Its accounts ----------------------------------------------------------------- */

struct claim {
	const char *system, *identifier;
	const char *id, *uid; /* as claimed; NULL: not */
};

static json_t *_printf_(1, 0) format_note(const char *format, va_list args)
{
	char text[NOTE_BYTES];

	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): set by the caller. */
	(void)vsnprintf(text, sizeof text, format, args);
	return json_string(text);
}

static bool add_note(struct person *p, struct error *err, const char *format, ...)
	_printf_(3, 4);
static bool add_note(struct person *p, struct error *err, const char *format, ...)
{
	json_t *note;
	va_list args;

	va_start(args, format);
	note = format_note(format, args);
	va_end(args);
	if (!p->notes)
		p->notes = json_array();
	return json_array_append_new(p->notes, note) == 0 || error_oom(err);
}

static bool has_mail(const struct person *p, const char *mail)
{
	for (size_t i = 0; i < json_array_size(p->emails); i++)
		if (strcasecmp(json_string_value(json_array_get(p->emails, i)), mail) ==
		    0)
			return true;
	return false;
}

/* By the id where there is one; else by what names the person in both. */
static bool is_claimed(const struct person *p, const struct claim *c,
		       const struct account *found)
{
	if (c->id && *c->id)
		return strcmp(c->id, found->id) == 0;
	if (c->uid && *c->uid && *found->uid && strcasecmp(c->uid, found->uid) != 0)
		return false;
	if (*found->mail && json_array_size(p->emails) > 0)
		return has_mail(p, found->mail);
	return c->uid && *c->uid && strcasecmp(c->uid, found->uid) == 0;
}

static bool fail_other(const struct claim *c, struct error *err)
{
	error_set(err, ERR_PRECONDITION_FAILED,
		  "%s: '%s' is not the account that the people server means", c->system,
		  c->identifier);
	return error_hint(err, "its sources may not have been read since it changed");
}

/* Once, whatever it is called. Takes the account. */
static bool add_account(struct person *p, const struct account_system *system,
			struct account *account, struct error *err)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->accounts[i].system == system &&
		    strcmp(p->accounts[i].account.id, account->id) == 0)
			return true;
	}
	if (p->count == PERSON_ACCOUNTS_MAX)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "'%s' has more accounts than can be changed at once",
				 p->name);
	p->accounts[p->count].system = system;
	p->accounts[p->count++].account = *account;
	*account = (struct account){ 0 };
	return true;
}

static bool look_up(const struct people_question *q, const struct account_system *system,
		    const struct claim *c, struct person *p, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

	if (!system->backend->lookup(system->self, ACCOUNT_BY_IDENTIFIER, c->identifier,
				     q->now_ms, &list, err))
		return false;
	if (list.count == 0 && !remembered_find(system, ACCOUNT_BY_IDENTIFIER,
						c->identifier, q->now_ms, &list, err))
		return false;
	if (list.count == 0)
		return add_note(p, err, "%s: there is no account '%s' any more",
				c->system, c->identifier);
	if (list.count > 1 || list.more || !is_claimed(p, c, &list.items[0]))
		return fail_other(c, err);
	return add_account(p, system, &list.items[0], err);
}

static const struct account_system *find_system(const struct people_question *q,
						const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < q->count; i++) {
		if (strcmp(q->systems[i].backend->system, name) == 0) {
			*ret_index = i;
			return &q->systems[i];
		}
	}
	return NULL;
}

/* What this server is not connected to stays as it is, and that is said. */
static bool take_claim(const struct people_question *q, const struct claim *c,
		       struct person *p, struct error *err)
{
	size_t index = 0;
	const struct account_system *system = find_system(q, c->system, &index);

	if (!c->identifier || !*c->identifier)
		return true;
	if (!system)
		return add_note(p, err,
				"%s: the account '%s' stays as it is: this server is not "
				"connected to that system",
				c->system, c->identifier);
	return !q->wanted[index] || look_up(q, system, c, p, err);
}

static bool take_claims(const struct people_question *q, const json_t *one,
			struct person *p, struct error *err)
{
	static const struct {
		const char *system, *identifier, *id, *uid;
	} kinds[] = {
		{ "ldap", "dn", "id", "uid" },
		{ "okta", "id", "id", NULL },
		{ "github", "login", "id", "login" },
		{ "slack", "user_id", "user_id", NULL },
	};
	const json_t *systems = json_object_get(one, "systems"), *more;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const json_t *its = json_object_get(systems, kinds[i].system);
		const struct claim c = {
			.system = kinds[i].system,
			.identifier = json_get_string(its, kinds[i].identifier),
			.id = json_get_string(its, kinds[i].id),
			.uid = kinds[i].uid ? json_get_string(its, kinds[i].uid) : NULL,
		};

		if (its && !take_claim(q, &c, p, err))
			return false;
	}
	json_array_foreach(json_object_get(one, "more"), i, more)
	{
		const struct claim c = { .system = json_get_string(more, "system"),
					 .identifier =
						 json_get_string(more, "identifier") };

		if (c.system && !take_claim(q, &c, p, err))
			return false;
	}
	return true;
}

/* What a block of ours took out of a system, so that nobody finds it there any more. */
static bool recall(const struct people_question *q, const struct account_system *system,
		   struct person *p, struct error *err)
{
	for (size_t i = 0; i < json_array_size(p->emails); i++) {
		_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

		if (!remembered_find(system, ACCOUNT_BY_MAIL,
				     json_string_value(json_array_get(p->emails, i)),
				     q->now_ms, &list, err))
			return false;
		for (size_t k = 0; k < list.count; k++)
			if (!add_account(p, system, &list.items[k], err))
				return false;
	}
	return true;
}

/* Nobody there who is wanted: said, for it may be that nobody looks there. */
static bool note_missing(const struct people_question *q, struct person *p,
			 struct error *err)
{
	for (size_t i = 0; i < q->count; i++) {
		bool has = !q->wanted[i];

		if (!has && !recall(q, &q->systems[i], p, err))
			return false;
		for (size_t k = 0; k < p->count; k++)
			has |= p->accounts[k].system == &q->systems[i];
		if (!has && !add_note(p, err, "%s: no account of this person is known",
				      q->systems[i].backend->system))
			return false;
	}
	return true;
}

static bool note_conflicts(const json_t *one, struct person *p, struct error *err)
{
	const json_t *conflict;
	size_t i;

	json_array_foreach(json_object_get(one, "conflicts"), i, conflict)
	{
		if (!add_note(p, err, "people: %.300s",
			      json_string_value(conflict) ? json_string_value(conflict)
							  : "a conflict"))
			return false;
	}
	return true;
}

/* ---- The person ------------------------------------------------------------------- */

static bool set_identity(const json_t *one, struct person *p, struct error *err)
{
	const char *name = json_get_string(one, "display_name");
	const char *uid = json_get_string(
		json_object_get(json_object_get(one, "systems"), "ldap"), "uid");
	const char *mail = first_mail(one);
	const json_t *emails = json_object_get(one, "emails"), *email;
	size_t i;

	p->emails = json_array();
	p->name = strdup(name && *name ? name : mail ? mail : "somebody");
	p->uid = strdup(uid ? uid : "");
	p->mail = strdup(mail ? mail : "");
	p->is_service = text_is(one, "kind", "service");
	if (!p->emails || !p->name || !p->uid || !p->mail)
		return error_oom(err);
	json_array_foreach(emails, i, email)
	{
		if (json_is_string(email) &&
		    json_array_append_new(p->emails,
					  json_string(json_string_value(email))) != 0)
			return error_oom(err);
	}
	return true;
}

bool people_answer_read(const struct people_question *q, const json_t *answer,
			struct person *ret, json_t **ret_candidates, struct error *err)
{
	_cleanup_(person_done) struct person p = { 0 };
	const json_t *one = choose(q, answer, ret_candidates, err);

	if (!one || !set_identity(one, &p, err) || !take_claims(q, one, &p, err) ||
	    !note_conflicts(one, &p, err) || !note_missing(q, &p, err))
		return false;
	*ret = p;
	p = (struct person){ 0 };
	return true;
}
