/* A group of a directory. A person is the one entry below people_base whose mail is the
 * person's id, and which nobody has disabled. */
#include "gate/members_ldap.h"

#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "gate/members.h"
#include "gate/members_ldap_group.h"

#define PERSON                                                                           \
	"(|(objectClass=inetOrgPerson)(objectClass=nsPerson)"                            \
	"(&(objectCategory=person)(objectClass=user)))"

enum {
	TIMEOUT_MS = 3000,
	CONNECTIONS = 2, /* as many as the caller has threads for this */
	BATCH = 50,      /* people who are looked for in one search */
	ENTRIES_MAX = 8 * BATCH,
};

/* What is known of one of a batch. */
struct sought {
	const char *id;
	size_t entries;
	bool is_disabled;
	char *dn, *uid; /* of the first entry; uid NULL: it has none */
};

struct batch {
	const struct members_directory *directory;
	struct sought people[BATCH];
	size_t count;
	bool failed; /* no memory */
};

static void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->people[i].dn);
		free(b->people[i].uid);
	}
	b->count = 0;
}

/* --- life --- */

static void close_directory(void *self)
{
	struct members_directory *d = self;

	ldap_link_free(d->link);
	free(d);
}

static const char *text_of(const json_t *config, const char *member,
			   const char *otherwise)
{
	const char *text = json_get_string(config, member);

	return text ? text : otherwise;
}

static void *open_directory(const struct statedir *dir, const struct settings *settings,
			    struct error *err)
{
	const json_t *config = settings->membership.config;
	_cleanup_free_ struct members_directory *d = calloc(1, sizeof *d);

	if (!d) {
		error_oom(err);
		return NULL;
	}
	*d = (struct members_directory){
		.people = json_get_string(config, "people_base"),
		.filter = text_of(config, "filter", PERSON),
		.mail = text_of(config, "mail_attribute", "mail"),
		.group = json_get_string(config, "group"),
		.member = text_of(config, "member_attribute", NULL),
		.nested = text_of(config, "nested_base", NULL),
	};
	if (!d->people || !d->group) {
		error_set(err, ERR_INTERNAL, "membership.ldap names no group");
		return NULL;
	}
	d->link = ldap_link_open(dir, config, TIMEOUT_MS, CONNECTIONS, err);
	return d->link ? TAKE(d) : NULL;
}

/* --- people --- */

/* FILETIME: 100 ns since 1601; 0 and the largest of all mean never. */
static bool has_expired(const char *filetime)
{
	enum { PER_MS = 10000 };
	static const long long epoch_ms = 11644473600000LL;
	long long at = filetime ? strtoll(filetime, NULL, 10) : 0;

	return at > 0 && at != INT64_MAX && at / PER_MS - epoch_ms <= clock_wall_ms();
}

/* By hand, until somebody undoes it; what too many wrong passwords did passes by itself,
 * and anybody can do that to anybody. */
static bool is_disabled(const struct ldap_entry *e)
{
	enum { ACCOUNTDISABLE = 2 };
	const char *locked = ldap_entry_value(e, "pwdAccountLockedTime", 0);
	const char *inactive = ldap_entry_value(e, "nsAccountLock", 0);
	const char *control = ldap_entry_value(e, "userAccountControl", 0);

	return (locked && strcmp(locked, "000001010000Z") == 0) ||
	       (inactive && strcasecmp(inactive, "true") == 0) ||
	       (control && (strtoll(control, NULL, 10) & ACCOUNTDISABLE)) ||
	       has_expired(ldap_entry_value(e, "accountExpires", 0));
}

static bool has_mail(const struct batch *b, const struct ldap_entry *e, const char *id)
{
	const char *value;

	for (size_t i = 0; (value = ldap_entry_value(e, b->directory->mail, i)); i++)
		if (strcasecmp(value, id) == 0)
			return true;
	return false;
}

static bool note_entry(struct sought *s, const struct ldap_entry *e)
{
	const char *uid = ldap_entry_value(e, "uid", 0);

	s->is_disabled = s->is_disabled || is_disabled(e);
	if (s->entries++ > 0)
		return true;
	s->dn = strdup(ldap_entry_dn(e));
	s->uid = uid ? strdup(uid) : NULL;
	return s->dn && (s->uid || !uid);
}

static bool on_person(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct batch *b = context;

	for (size_t i = 0; i < b->count && !b->failed; i++)
		if (has_mail(b, e, b->people[i].id))
			b->failed = !note_entry(&b->people[i], e);
	return !b->failed;
}

static bool find_people(struct batch *b, const struct rest_patience *patience,
			struct error *err)
{
	const struct members_directory *d = b->directory;
	const char *const wanted[] = { d->mail,
				       "uid",
				       "pwdAccountLockedTime",
				       "nsAccountLock",
				       "userAccountControl",
				       "accountExpires",
				       NULL };
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	bool more = false;

	strbuf_add_format(&filter, "(&%s(|", d->filter);
	for (size_t i = 0; i < b->count; i++)
		ldap_link_filter(&filter, d->mail, b->people[i].id);
	strbuf_add_string(&filter, "))");
	if (!strbuf_ok(&filter))
		return error_oom(err);
	if (!members_directory_search(d, d->people, LDAP_LINK_SUBTREE, filter.data,
				      wanted, ENTRIES_MAX, on_person, b, &more, patience,
				      err))
		return false;
	if (b->failed)
		return error_oom(err);
	/* Somebody who was not given may be a second one. */
	return !more || error_set(err, ERR_BACKEND_UNAVAILABLE,
				  "%s gave only a part of those with the team's "
				  "addresses",
				  ldap_link_uri(d->link));
}

/* --- the question --- */

static bool look_batch(struct batch *b, const struct rest_patience *patience,
		       json_t *found, struct error *err)
{
	if (b->count > 0 && !find_people(b, patience, err))
		return false;
	for (size_t i = 0; i < b->count; i++) {
		const struct sought *s = &b->people[i];
		bool is_member = false;

		if (s->entries != 1 || s->is_disabled)
			continue;
		if (!members_group_has(b->directory, s->dn, s->uid, patience, &is_member,
				       err))
			return false;
		if (is_member && json_array_append_new(found, json_string(s->id)) != 0)
			return error_oom(err);
	}
	return true;
}

static bool look_directory(void *self, const json_t *ids,
			   const struct rest_patience *patience, json_t *found,
			   struct error *err)
{
	const struct members_directory *d = self;
	size_t i = 0, count = json_array_size(ids);

	/* One that is missing, or hidden from us, has no members: say so instead. */
	if (!members_group_is_there(d, patience, err))
		return false;
	while (i < count) {
		_cleanup_(batch_done) struct batch b = { .directory = d };

		for (; i < count && b.count < BATCH; i++) {
			const char *id = json_string_value(json_array_get(ids, i));

			if (id && *id)
				b.people[b.count++].id = id;
		}
		if (!look_batch(&b, patience, found, err))
			return false;
	}
	return true;
}

const struct members_kind members_ldap = {
	.open = open_directory,
	.close = close_directory,
	.look = look_directory,
};
