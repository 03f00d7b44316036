#include "servers/playbooks/checkout.h"

#include <git2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/strbuf.h"

enum { PARENTS_MAX = 16 };

struct checkout {
	git_repository *repository;
	git_tree *tree;
	git_odb *objects;
	char commit[GIT_OID_HEXSZ + 1];
	char *prefix; /* of the folder in the work tree: "" or "docs/" */
};

char *checkout_find(const char *folder)
{
	_cleanup_free_ char *at = strdup(folder);
	struct stat st;

	for (int i = 0; at && *at && i < PARENTS_MAX; i++) {
		_cleanup_free_ char *git = file_join(at, ".git");
		char *slash;

		if (!git)
			return NULL;
		/* A .git that is a file leads elsewhere: not followed. */
		if (lstat(git, &st) == 0)
			return S_ISDIR(st.st_mode) ? TAKE(git) : strdup("");
		slash = strrchr(at, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return at ? strdup("") : NULL;
}

/* Nothing of the user's or the machine's configuration is read. */
static bool start_library(void)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA,
				      GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
				      GIT_CONFIG_LEVEL_GLOBAL };

	if (git_libgit2_init() < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		(void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i],
				       "/nonexistent");
	/* The configuration names the folder; whose it is does not matter for reading. */
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	return true;
}

static bool read_head(struct checkout *c)
{
	git_object *commit = NULL;
	bool ok = git_revparse_single(&commit, c->repository, "HEAD^{commit}") == 0;

	if (ok) {
		(void)git_oid_tostr(c->commit, sizeof c->commit, git_object_id(commit));
		ok = git_commit_tree(&c->tree, (git_commit *)commit) == 0;
	}
	git_object_free(commit);
	return ok && git_repository_odb(&c->objects, c->repository) == 0;
}

/* Where the folder stands in the work tree, whose .git is at 'git'. */
static char *find_prefix(const char *folder, const char *git)
{
	const size_t root = strlen(git) - strlen(".git");
	_cleanup_strbuf_ struct strbuf prefix = STRBUF_INIT;

	if (strlen(folder) > root)
		strbuf_add_format(&prefix, "%s/", folder + root);
	return strbuf_take(&prefix);
}

struct checkout *checkout_open(const char *folder)
{
	_cleanup_free_ char *git = checkout_find(folder);
	struct checkout *c = git && *git ? calloc(1, sizeof *c) : NULL;

	if (!c)
		return NULL;
	if (!start_library()) {
		free(c);
		return NULL;
	}
	c->prefix = find_prefix(folder, git);
	if (c->prefix && git_repository_open(&c->repository, git) == 0 && read_head(c))
		return c;
	checkout_close(c);
	return NULL;
}

void checkout_close(struct checkout *c)
{
	if (!c)
		return;
	git_odb_free(c->objects);
	git_tree_free(c->tree);
	git_repository_free(c->repository);
	(void)git_libgit2_shutdown();
	free(c->prefix);
	free(c);
}

const char *checkout_commit(const struct checkout *c)
{
	return c->commit;
}

bool checkout_has(struct checkout *c, const char *path, const void *bytes, size_t length)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	git_tree_entry *entry = NULL;
	git_oid id;
	bool same;

	strbuf_add_format(&whole, "%s%s", c->prefix, path);
	if (!strbuf_ok(&whole) ||
	    git_odb_hash(&id, bytes, length, GIT_OBJECT_BLOB) != 0 ||
	    git_tree_entry_bypath(&entry, c->tree, whole.data) != 0)
		return false;
	same = git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
	       git_oid_equal(git_tree_entry_id(entry), &id);
	git_tree_entry_free(entry);
	return same;
}
