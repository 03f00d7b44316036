#include "servers/people/source_file.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

/* ---- One person --------------------------------------------------------------------- */

struct reading {
	const struct source_sink *sink;
	struct account account;
	const char *person; /* its id */
	bool has_left, is_suspended;
	bool is_odd; /* its status is none that we know */
};

/* A text, or a list of texts. */
static void add_all(struct account *a, enum account_field field, const json_t *value)
{
	size_t i;
	json_t *one;

	if (json_is_string(value))
		account_add(a, field, json_string_value(value));
	json_array_foreach(value, i, one)
	{
		if (json_is_string(one))
			account_add(a, field, json_string_value(one));
	}
}

static void add_mails(struct account *a, const json_t *of)
{
	static const char *const names[] = { "email", "mail",    "emails",
					     "mails", "aliases", "alias" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_all(a, ACCOUNT_MAIL, json_object_get(of, names[i]));
}

static void begin(struct reading *r, enum people_system system)
{
	struct account *a = &r->account;

	account_begin(a, system);
	account_set_key(a, r->person);
	account_add(a, ACCOUNT_PERSON, a->key);
	account_add(a, ACCOUNT_NICKNAMES_SAID, "1");
	if (r->has_left)
		account_add(a, ACCOUNT_CLOSED, "1");
	if (r->is_suspended)
		account_add(a, ACCOUNT_SUSPENDED, "1");
}

static bool put(struct reading *r, struct error *err)
{
	return account_finish(&r->account, err) &&
	       r->sink->put(r->sink->context, &r->account, err);
}

static void read_slack(struct reading *r, const json_t *of)
{
	struct account *a = &r->account;

	account_add(a, ACCOUNT_ID, json_get_string(of, "id"));
	account_add(a, ACCOUNT_LOGIN, json_get_string(of, "handle"));
	account_add(a, ACCOUNT_NAME, json_get_string(of, "real_name"));
	account_add(a, ACCOUNT_DISPLAY, json_get_string(of, "display_name"));
	if (json_is_true(json_object_get(of, "deleted")))
		account_add(a, ACCOUNT_CLOSED, "1");
}

static void read_okta(struct reading *r, const json_t *of)
{
	struct account *a = &r->account;
	const char *status = json_get_string(of, "status");

	account_add(a, ACCOUNT_ID, json_get_string(of, "id"));
	account_add(a, ACCOUNT_LOGIN, json_get_string(of, "login"));
	account_add(a, ACCOUNT_STATUS, status);
	if (status && strcasecmp(status, "DEPROVISIONED") == 0)
		account_add(a, ACCOUNT_CLOSED, "1");
	if (status && strcasecmp(status, "SUSPENDED") == 0)
		account_add(a, ACCOUNT_SUSPENDED, "1");
}

static void read_github(struct reading *r, const json_t *of)
{
	struct account *a = &r->account;
	const json_t *id = json_object_get(of, "id");
	char text[24];

	account_add(a, ACCOUNT_LOGIN, json_get_string(of, "login"));
	account_add(a, ACCOUNT_NAME, json_get_string(of, "name"));
	if (json_is_integer(id)) {
		(void)snprintf(text, sizeof text, "%lld",
			       (long long)json_integer_value(id));
		account_add(a, ACCOUNT_ID, text);
	}
}

static void read_ldap(struct reading *r, const json_t *of)
{
	struct account *a = &r->account;

	account_add(a, ACCOUNT_LOGIN, json_get_string(of, "uid"));
	account_add(a, ACCOUNT_DN, json_get_string(of, "dn"));
	add_all(a, ACCOUNT_NAME, json_object_get(of, "cn"));
	account_add(a, ACCOUNT_GIVEN, json_get_string(of, "givenName"));
	account_add(a, ACCOUNT_SURNAME, json_get_string(of, "sn"));
	if (json_is_true(json_object_get(of, "disabled")))
		account_add(a, ACCOUNT_STATUS, "disabled");
}

static const struct {
	enum people_system system;
	void (*read)(struct reading *r, const json_t *of);
} systems[] = {
	{ SYSTEM_SLACK, read_slack },
	{ SYSTEM_OKTA, read_okta },
	{ SYSTEM_GITHUB, read_github },
	{ SYSTEM_LDAP, read_ldap },
};

static bool add_systems(struct reading *r, const json_t *person, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		const json_t *of =
			json_object_get(person, system_name(systems[i].system));

		if (!of || json_is_null(of))
			continue;
		if (!json_is_object(of))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' of '%s' is no object",
					 system_name(systems[i].system), r->person);
		begin(r, systems[i].system);
		systems[i].read(r, of);
		add_mails(&r->account, of);
		if (!put(r, err))
			return false;
	}
	return true;
}

/* One that nobody knows is said; the person is there all the same. */
static void set_kind(struct account *a, const char *type)
{
	const bool is_bot = type && strcmp(type, "bot") == 0;

	if (is_bot || (type && strcmp(type, "service") == 0))
		account_add(a, ACCOUNT_KIND, "service");
	else if (type && strcmp(type, "contractor") == 0)
		account_add(a, ACCOUNT_KIND, "contractor");
	else if (type && strcmp(type, "employee") != 0)
		account_add(a, ACCOUNT_FLAG, "unknown-type");
	if (is_bot)
		account_add(a, ACCOUNT_FLAG, "bot");
}

static void set_status(struct reading *r, const char *status)
{
	r->has_left = status && strcmp(status, "left") == 0;
	r->is_suspended = status && strcmp(status, "suspended") == 0;
	r->is_odd = status && !r->has_left && !r->is_suspended &&
		    strcmp(status, "active") != 0;
}

/* The entry of the file itself: what holds for the person and no account. */
static bool add_entry(struct reading *r, const json_t *person, struct error *err)
{
	struct account *a = &r->account;

	begin(r, SYSTEM_FILE);
	account_add(a, ACCOUNT_NAME, json_get_string(person, "name"));
	account_add(a, ACCOUNT_GIVEN, json_get_string(person, "given_name"));
	account_add(a, ACCOUNT_SURNAME, json_get_string(person, "surname"));
	add_all(a, ACCOUNT_NICKNAME, json_object_get(person, "nicknames"));
	add_all(a, ACCOUNT_FORMER, json_object_get(person, "former_names"));
	add_all(a, ACCOUNT_GROUP, json_object_get(person, "groups"));
	account_add(a, ACCOUNT_NUMBER, json_get_string(person, "employee_number"));
	add_mails(a, person);
	set_kind(a, json_get_string(person, "type"));
	if (r->is_odd)
		account_add(a, ACCOUNT_FLAG, "unknown-status");
	return put(r, err);
}

static bool add_person(const struct source_sink *sink, const json_t *person, json_t *seen,
		       struct error *err)
{
	struct reading r = { .sink = sink,
			     .account = ACCOUNT_INIT,
			     .person = json_get_string(person, "id") };
	bool ok;

	if (!r.person || !*r.person || strlen(r.person) > ACCOUNT_KEY_MAX / 3)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a person has no id, or a very long one");
	if (json_object_get(seen, r.person))
		return error_set(err, ERR_INVALID_ARGUMENT, "two people have the id '%s'",
				 r.person);
	if (json_object_set_new(seen, r.person, json_true()) != 0)
		return error_oom(err);
	set_status(&r, json_get_string(person, "status"));
	ok = add_entry(&r, person, err) && add_systems(&r, person, err);
	account_done(&r.account);
	return ok;
}

bool source_file_accounts(const json_t *root, const struct source_sink *sink,
			  struct error *err)
{
	const json_t *people = json_object_get(root, "people");
	json_auto_t *seen = json_object();
	json_t *person;
	size_t i;

	if (!seen)
		return error_oom(err);
	if (!json_is_array(people))
		return error_set(err, ERR_INVALID_ARGUMENT, "it has no list 'people'");
	json_array_foreach(people, i, person)
	{
		if (!json_is_object(person))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "person %zu is no object", i + 1);
		if (!add_person(sink, person, seen, err))
			return false;
	}
	return true;
}

/* ---- The source --------------------------------------------------------------------- */

struct file {
	char *path;
	struct stat seen; /* as it was when it was last read whole */
};

static void *open_file(const struct statedir *dir, const json_t *config,
		       struct error *err)
{
	const char *name = json_get_string(config, "path");
	struct file *f = calloc(1, sizeof *f);

	if (f)
		f->path = statedir_path(dir, "people/%s", name ? name : "");
	if (f && f->path)
		return f;
	free(f);
	error_oom(err);
	return NULL;
}

static void close_file(void *self)
{
	struct file *f = self;

	free(f->path);
	free(f);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Looks whether all of it is right before it hands over any. */
static bool discard(void *context, struct account *account, struct error *err)
{
	(void)context;
	(void)account;
	(void)err;
	return true;
}

static bool read_whole(const struct file *f, struct source_read *read, struct error *err)
{
	const struct source_sink nowhere = { .put = discard };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *root = NULL;

	if (!file_read(f->path, SOURCE_FILE_BYTES_MAX, &text, err))
		return false;
	root = json_parse(text.data, text.length, JSON_SYNTAX, err);
	return root && source_file_accounts(root, &nowhere, err) &&
	       source_file_accounts(root, &read->sink, err);
}

static bool read_file(void *self, struct source_read *read, struct error *err)
{
	struct file *f = self;
	struct error own = ERROR_INIT;
	struct stat now = { 0 };

	if (stat(f->path, &now) != 0)
		return error_errno(err, "cannot read %s", f->path);
	if (!read->is_full) {
		read->wants_full = !is_same(&now, &f->seen);
		return true;
	}
	if (!read_whole(f, read, &own))
		return error_set(err, own.code, "%s: %s", f->path, own.message);
	f->seen = now;
	return true;
}

const struct source_kind source_file = {
	.name = "file",
	.has_changes = true,
	.open = open_file,
	.close = close_file,
	.read = read_file,
};
