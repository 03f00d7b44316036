#include "servers/people/record.h"

#include <string.h>

enum { ACCOUNTS_MAX = 64, CONFLICTS_MAX = 20 };

/* What comes together while the accounts pass by, in the order of their systems. */
struct making {
	const struct snapshot *snapshot;
	const uint32_t *members;
	size_t member_count;
	size_t at; /* of the account that is read */
	json_t *emails, *groups, *flags, *systems, *more, *evidence, *conflicts;
	char *name, *spare_name, *kind;
	bool is_open, is_suspended, is_conflict, is_linked;
	int64_t moved;
};

static void making_done(struct making *m)
{
	json_decref(m->emails);
	json_decref(m->groups);
	json_decref(m->flags);
	json_decref(m->systems);
	json_decref(m->more);
	json_decref(m->evidence);
	json_decref(m->conflicts);
	free(m->name);
	free(m->spare_name);
	free(m->kind);
}

/* To a list of texts, once. */
static bool add_text(json_t *list, const char *text, bool ignore_case)
{
	json_t *have;
	size_t i;

	json_array_foreach(list, i, have)
	{
		const char *other = json_string_value(have);

		if (ignore_case ? strcasecmp(other, text) == 0 : strcmp(other, text) == 0)
			return true;
	}
	return json_array_append_new(list, json_string(text)) == 0;
}

static bool keep_first(char **to, const char *text)
{
	return *to || (*to = strdup(text)) != NULL;
}

static bool set(json_t *object, const char *name, const char *text)
{
	return !text || json_object_set_new(object, name, json_string(text)) == 0;
}

/* ---- One account -------------------------------------------------------------------- */

/* {dn, uid}, {id, login, status}, {login, id} or {user_id, handle}. */
static json_t *describe(const struct store_account *a)
{
	json_auto_t *object = json_object();
	const char *id = account_get(a->fields, a->length, ACCOUNT_ID),
		   *login = account_get(a->fields, a->length, ACCOUNT_LOGIN);
	bool ok = false;

	switch (a->system) {
	case SYSTEM_LDAP:
		ok = set(object, "dn", account_get(a->fields, a->length, ACCOUNT_DN)) &&
		     set(object, "uid", login) && set(object, "id", id);
		break;
	case SYSTEM_OKTA:
		ok = set(object, "id", id) && set(object, "login", login) &&
		     set(object, "status",
			 account_get(a->fields, a->length, ACCOUNT_STATUS));
		break;
	case SYSTEM_GITHUB:
		ok = set(object, "login", login) && set(object, "id", id);
		break;
	case SYSTEM_SLACK:
		ok = set(object, "user_id", id) && set(object, "handle", login);
		break;
	case SYSTEM_FILE:
	case SYSTEM_COUNT:
		break;
	}
	return object && ok ? TAKE(object) : NULL;
}

/* Whether what the schema requires is there. */
static bool is_whole(const struct store_account *a, const json_t *object)
{
	static const char *const needed[SYSTEM_COUNT] = { [SYSTEM_LDAP] = "dn",
							  [SYSTEM_OKTA] = "id",
							  [SYSTEM_SLACK] = "user_id",
							  [SYSTEM_GITHUB] = "login" };

	return needed[a->system] && json_object_get(object, needed[a->system]);
}

static bool add_system(struct making *m, const struct store_account *a)
{
	const char *name = system_name(a->system);
	json_auto_t *object = NULL;
	const char *identifier;

	if (a->system == SYSTEM_FILE)
		return true;
	object = describe(a);
	if (!object)
		return false;
	if (is_whole(a, object) && !json_object_get(m->systems, name))
		return json_object_set(m->systems, name, object) == 0;
	identifier = account_get(a->fields, a->length, ACCOUNT_LOGIN);
	if (!identifier)
		identifier = account_get(a->fields, a->length, ACCOUNT_ID);
	return json_array_append_new(m->more,
				     json_pack("{s:s, s:s}", "system", name, "identifier",
					       identifier ? identifier : a->key)) == 0;
}

static bool add_evidence(struct making *m, const struct index_account *account)
{
	static const char *const words[] = {
		[INDEX_ALONE] = "itself",        [INDEX_BY_LINK] = "",
		[INDEX_BY_FILE] = "file ",       [INDEX_BY_MAIL] = "email ",
		[INDEX_BY_CLAIM] = "attribute ", [INDEX_BY_NUMBER] = "employee number ",
	};
	const char *text = index_text(m->snapshot->index, account->evidence);
	const bool is_alone = account->joined == INDEX_ALONE;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, words[account->joined]);
	if (!is_alone || account->is_parted)
		strbuf_add_format(&sb, "%s%s", is_alone ? ", " : "", text);
	m->is_linked |= account->joined == INDEX_BY_LINK;
	return strbuf_ok(&sb) &&
	       json_array_append_new(
		       m->evidence,
		       json_pack("{s:s, s:s, s:b}", "system",
				 system_name((enum people_system)account->system),
				 "matched_on", sb.data, "verified", 1)) == 0;
}

static bool add_conflicts(struct making *m, uint32_t account)
{
	const char *text;
	size_t at = 0;

	while (json_array_size(m->conflicts) < CONFLICTS_MAX &&
	       index_conflict(m->snapshot->index, account, &at, &text)) {
		m->is_conflict = true;
		if (!add_text(m->conflicts, text, false))
			return false;
	}
	return true;
}

static bool add_value(struct making *m, enum account_field field, const char *value)
{
	switch (field) {
	case ACCOUNT_MAIL:
	case ACCOUNT_OTHER_MAIL:
		return add_text(m->emails, value, true);
	case ACCOUNT_GROUP:
		return add_text(m->groups, value, false);
	case ACCOUNT_FLAG:
		return add_text(m->flags, value, false);
	case ACCOUNT_NAME:
		return keep_first(&m->name, value);
	case ACCOUNT_KIND:
		return keep_first(&m->kind, value);
	case ACCOUNT_DISPLAY:
	case ACCOUNT_LOGIN:
		return keep_first(&m->spare_name, value);
	case ACCOUNT_ID:
	case ACCOUNT_DN:
	case ACCOUNT_GIVEN:
	case ACCOUNT_SURNAME:
	case ACCOUNT_NICKNAME:
	case ACCOUNT_FORMER:
	case ACCOUNT_NUMBER:
	case ACCOUNT_CLAIM:
	case ACCOUNT_STATUS:
	case ACCOUNT_PERSON:
	case ACCOUNT_CLOSED:
	case ACCOUNT_SUSPENDED:
	case ACCOUNT_NICKNAMES_SAID:
		break;
	}
	return true;
}

static bool add_account(void *context, const struct store_account *a, struct error *err)
{
	struct making *m = context;
	struct account_fields f = account_read(a->fields, a->length);
	const struct index_account *account;
	const char *value;
	bool ok = true;

	/* One that is gone is passed over. */
	while (m->at < m->member_count &&
	       index_account(m->snapshot->index, m->members[m->at])->row != a->row)
		m->at++;
	if (m->at == m->member_count || a->revision > m->snapshot->revision) {
		m->moved = a->revision > m->snapshot->revision
				   ? a->revision
				   : m->snapshot->revision + 1;
		return true;
	}
	account = index_account(m->snapshot->index, m->members[m->at]);
	m->is_open |= !account->is_closed;
	m->is_suspended |= account->is_suspended;
	while (ok && (value = account_next(&f)))
		ok = add_value(m, f.field, value);
	ok = ok && add_system(m, a) && add_evidence(m, account) &&
	     add_conflicts(m, m->members[m->at]);
	m->at++;
	return ok || error_oom(err);
}

/* ---- The whole ---------------------------------------------------------------------- */

static bool start(struct making *m, struct error *err)
{
	m->emails = json_array();
	m->groups = json_array();
	m->flags = json_array();
	m->systems = json_object();
	m->more = json_array();
	m->evidence = json_array();
	m->conflicts = json_array();
	return (m->emails && m->groups && m->flags && m->systems && m->more &&
		m->evidence && m->conflicts) ||
	       error_oom(err);
}

static json_t *finish(struct making *m, uint32_t person, const struct freshness *f,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf id = STRBUF_INIT;
	json_auto_t *record = NULL;
	const char *name = m->name ? m->name : m->spare_name;

	index_person_id(m->snapshot->index, person, &id);
	if ((m->is_conflict && !add_text(m->flags, "conflict", false)) ||
	    (m->is_linked && !add_text(m->flags, "linked", false)) || !strbuf_ok(&id)) {
		error_oom(err);
		return NULL;
	}
	record = json_pack("{s:s, s:s, s:O, s:s, s:s, s:O, s:O, s:O, s:O, s:b, s:I, s:b}",
			   "id", id.data, "display_name", name ? name : id.data, "emails",
			   m->emails, "status",
			   !m->is_open       ? "left"
			   : m->is_suspended ? "suspended"
					     : "active",
			   "kind", m->kind ? m->kind : "employee", "groups", m->groups,
			   "flags", m->flags, "systems", m->systems, "evidence",
			   m->evidence, "stale", (int)f->is_stale, "age_s",
			   (json_int_t)(f->age_ms / 1000), "too_old", (int)f->is_too_old);
	if (!record ||
	    (json_array_size(m->more) > 0 &&
	     json_object_set(record, "more", m->more) != 0) ||
	    (m->is_conflict && json_object_set(record, "conflicts", m->conflicts) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(record);
}

json_t *record_make(struct people *p, const struct snapshot *s, uint32_t person,
		    const struct freshness *f, int64_t *ret_moved, struct error *err)
{
	_cleanup_(making_done) struct making m = { .snapshot = s };
	uint32_t rows[ACCOUNTS_MAX];
	size_t count;

	m.members = index_accounts(s->index, person, &count);
	m.member_count = count < ACCOUNTS_MAX ? count : ACCOUNTS_MAX;
	for (size_t i = 0; i < m.member_count; i++)
		rows[i] = index_account(s->index, m.members[i])->row;
	if (!start(&m, err) ||
	    !people_store_read(p->store, rows, m.member_count, add_account, &m, err))
		return NULL;
	if (!m.moved && m.at < m.member_count)
		m.moved = s->revision + 1;
	if (m.moved) {
		*ret_moved = m.moved;
		return NULL;
	}
	return finish(&m, person, f, err);
}
