#include "schema_remotes.h"

#include <errno.h>
#include <fts.h>

#include "base/file.h"
#include "base/json.h"

#define SERVED_AT "http://localhost:1234/"

json_t *schema_remotes_read(const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;
	json_t *value;

	if (!file_read(path, JSON_TEXT_MAX, &text, err))
		return NULL;
	value = json_parse(text.data, text.length, JSON_SYNTAX, &why);
	if (!value)
		error_set(err, why.code, "%s: %s", path, why.message);
	return value;
}

static bool add_file(struct schema_set *set, const char *path, const char *below,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	json_auto_t *document = schema_remotes_read(path, err);

	strbuf_add_string(&uri, SERVED_AT);
	strbuf_add_string(&uri, below);
	return document && schema_set_add(set, uri.data, document, err);
}

static void close_walk(FTS **walk)
{
	if (*walk)
		fts_close(*walk);
}

bool schema_remotes_add(struct schema_set *set, const char *dir, struct error *err)
{
	_cleanup_free_ char *root = strdup(dir);
	char *roots[] = { root, NULL };
	_cleanup_(close_walk) FTS *walk =
		root ? fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL)
		     : NULL;
	FTSENT *entry;

	if (!walk)
		return error_errno(err, "cannot read '%s'", dir);
	while ((entry = fts_read(walk))) {
		const char *below = entry->fts_path + strlen(root);

		while (*below == '/')
			below++;
		if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
		    entry->fts_info == FTS_NS) {
			errno = entry->fts_errno;
			return error_errno(err, "cannot read '%s'", entry->fts_path);
		}
		if (entry->fts_info == FTS_F &&
		    !add_file(set, entry->fts_path, below, err))
			return false;
	}
	return true;
}
