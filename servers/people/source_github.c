/* GitHub: the members of the organisation, who its SAML or SCIM says they are, and
 * outside collaborators. */
#include <string.h>

#include "api/github/github.h"
#include "servers/people/source.h"

enum { READ_MS = 60 * 60 * 1000, IDENTITIES_MAX = 200000 };

struct github_source {
	struct github *github;
	bool with_identities;
};

static void close_github(void *self)
{
	struct github_source *s = self;

	github_close(s->github);
	free(s);
}

static void *open_github(const struct statedir *dir, const json_t *config,
			 struct error *err)
{
	struct github_source *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->with_identities = !json_is_false(json_object_get(config, "identities"));
	s->github = github_open(dir, json_object_get(config, "api"), err);
	if (s->github)
		return s;
	close_github(s);
	return NULL;
}

/* ---- What the identity provider says ------------------------------------------------ */

struct identity {
	int64_t id; /* of the member */
	char *name_id, *username;
};

struct identities {
	struct identity *items;
	size_t count, capacity;
};

static void identities_done(struct identities *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->items[i].name_id);
		free(l->items[i].username);
	}
	free(l->items);
}

static bool on_identity(void *context, const struct github_identity *i, struct error *err)
{
	struct identities *l = context;

	if (i->id == 0)
		return true;
	if (l->count == IDENTITIES_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "GitHub has more than %d identities", IDENTITIES_MAX);
	if (l->count == l->capacity) {
		size_t wanted = l->capacity ? l->capacity * 2 : 256;
		struct identity *grown = reallocarray(l->items, wanted, sizeof *grown);

		if (!grown)
			return error_oom(err);
		l->items = grown;
		l->capacity = wanted;
	}
	l->items[l->count] =
		(struct identity){ i->id, strdup(i->name_id), strdup(i->username) };
	l->count++;
	return (l->items[l->count - 1].name_id && l->items[l->count - 1].username) ||
	       error_oom(err);
}

static int by_id(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static bool read_identities(const struct github_source *s,
			    const struct rest_patience *patience, struct identities *l,
			    struct error *err)
{
	struct error own = ERROR_INIT;
	bool has_provider;

	if (!s->with_identities)
		return true;
	if (!github_each_identity(s->github, patience, on_identity, l, &has_provider,
				  &own) &&
	    own.code != ERR_NOT_FOUND) {
		*err = own;
		return false;
	}
	if (l->count > 1)
		qsort(l->items, l->count, sizeof *l->items, by_id);
	return true;
}

/* ---- Members ------------------------------------------------------------------------ */

struct walk {
	struct source_read *read;
	struct identities identities;
	struct account account;
};

static void add_identities(const struct identities *l, struct account *a, int64_t id)
{
	const struct identity key = { .id = id };
	const struct identity *found =
		l->count ? bsearch(&key, l->items, l->count, sizeof *l->items, by_id)
			 : NULL;

	if (!found)
		return;
	/* One member has one; of several nobody knows which counts. */
	if ((found > l->items && found[-1].id == id) ||
	    (found + 1 < l->items + l->count && found[1].id == id)) {
		account_add(a, ACCOUNT_FLAG, "conflict");
		return;
	}
	if (strchr(found->name_id, '@'))
		account_add(a, ACCOUNT_MAIL, found->name_id);
	if (strchr(found->username, '@'))
		account_add(a, ACCOUNT_MAIL, found->username);
}

static bool on_member(void *context, const struct github_member *m, struct error *err)
{
	struct walk *w = context;
	struct account *a = &w->account;
	char id[24];

	(void)snprintf(id, sizeof id, "%lld", (long long)m->id);
	account_begin(a, SYSTEM_GITHUB);
	account_set_key(a, id);
	account_add(a, ACCOUNT_ID, id);
	account_add(a, ACCOUNT_LOGIN, m->login);
	account_add(a, ACCOUNT_NAME, m->name);
	add_identities(&w->identities, a, m->id);
	for (size_t i = 0; i < json_array_size(m->verified); i++)
		account_add(a, ACCOUNT_MAIL,
			    json_string_value(json_array_get(m->verified, i)));
	/* Whoever has the account wrote it there. */
	account_add(a, ACCOUNT_OTHER_MAIL, m->email);
	if (m->role && strcmp(m->role, "admin") == 0)
		account_add(a, ACCOUNT_FLAG, "github-owner");
	if (m->role && strcmp(m->role, "outside") == 0)
		account_add(a, ACCOUNT_FLAG, "outside-collaborator");
	return account_finish(a, err) && w->read->sink.put(w->read->sink.context, a, err);
}

static bool read_by_role(struct github *g, const struct rest_patience *patience,
			 struct walk *w, struct error *err)
{
	static const char *const roles[] = { "admin", "member" };

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct github_cache cache = { 0 };
		bool changed, ok = github_each_member(g, roles[i], &cache, patience,
						      on_member, w, &changed, err);

		github_cache_done(&cache);
		if (!ok)
			return false;
	}
	return true;
}

/* With names and addresses where there is GraphQL, else without. */
static bool read_members(struct github *g, const struct rest_patience *patience,
			 struct walk *w, struct error *err)
{
	struct error own = ERROR_INIT;

	if (github_each_profile(g, patience, on_member, w, &own))
		return true;
	if (own.code == ERR_NOT_FOUND)
		return read_by_role(g, patience, w, err);
	*err = own;
	return false;
}

/* Not every token may see them. */
static bool read_outside(struct github *g, const struct rest_patience *patience,
			 struct walk *w, struct error *err)
{
	struct error own = ERROR_INIT;

	if (github_each_outside(g, patience, on_member, w, &own) ||
	    own.code == ERR_NOT_FOUND)
		return true;
	*err = own;
	return false;
}

static bool read_github(void *self, struct source_read *read, struct error *err)
{
	const struct github_source *s = self;
	struct walk w = { .read = read, .account = ACCOUNT_INIT };
	struct rest_patience patience = rest_patience(READ_MS);
	bool ok;

	patience.cancel = read->stopping;
	ok = read_identities(s, &patience, &w.identities, err) &&
	     read_members(s->github, &patience, &w, err) &&
	     read_outside(s->github, &patience, &w, err);
	account_done(&w.account);
	identities_done(&w.identities);
	return ok;
}

const struct source_kind source_github = {
	.name = "github",
	.open = open_github,
	.close = close_github,
	.read = read_github,
};
