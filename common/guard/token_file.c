#include "guard/token_file.h"

#include <sys/stat.h>

#include "base/file.h"
#include "guard/copy.h"
#include "guard/names.h"

enum { INDEX_BYTES_MAX = 16 * 1024 * 1024, SCOPE_MAX = 64 };

struct members {
	const char *id, *sha256, *principal, *client;
	json_t *scopes;
	int64_t created_at, expires_at, revoked_at;
};

static bool is_scope(const char *text)
{
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789:_-");

	return length > 0 && length <= SCOPE_MAX && text[length] == '\0';
}

bool token_scopes_set(struct caller *c, const char *const *scopes, size_t count,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf joined = STRBUF_INIT;

	if (count == 0 || count > TOKEN_SCOPES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a token has 1 to %d scopes",
				 TOKEN_SCOPES_MAX);
	strbuf_add_char(&joined, ' ');
	for (size_t i = 0; i < count; i++) {
		if (!scopes[i] || !is_scope(scopes[i]))
			return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no scope",
					 scopes[i] ? scopes[i] : "");
		strbuf_add_format(&joined, "%s ", scopes[i]);
	}
	if (!strbuf_ok(&joined))
		return error_oom(err);
	if (joined.length >= sizeof c->scopes)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the scopes are too long together");
	COPY(c->scopes, joined.data);
	return true;
}

static bool read_scopes(struct caller *c, const json_t *array, struct error *err)
{
	const char *scopes[TOKEN_SCOPES_MAX + 1] = { NULL };
	const size_t count = json_array_size(array);

	for (size_t i = 0; i < count && i < ARRAY_SIZE(scopes); i++)
		scopes[i] = json_string_value(json_array_get(array, i));
	return token_scopes_set(c, scopes, count, err);
}

static bool is_short_id(const char *text)
{
	return name_is_id(text) && strlen(text) < sizeof((struct token_row *)0)->id;
}

static bool read_row(const json_t *json, struct token_row *ret, struct error *err)
{
	static const struct json_field fields[] = {
#define MUST(name, type)                                                                 \
	{ #name, type, offsetof(struct members, name), JSON_FIELD_REQUIRED }
#define MAY(name, type)                                                                  \
	{                                                                                \
#name, type, offsetof(struct members, name), 0                           \
	}
		MUST(id, JSON_FIELD_STRING),
		MUST(sha256, JSON_FIELD_STRING),
		MUST(principal, JSON_FIELD_STRING),
		MUST(client, JSON_FIELD_STRING),
		MUST(scopes, JSON_FIELD_ARRAY),
		MUST(created_at, JSON_FIELD_INT64),
		MAY(expires_at, JSON_FIELD_INT64),
		MAY(revoked_at, JSON_FIELD_INT64),
#undef MUST
#undef MAY
		{ 0 },
	};
	struct members m = { .expires_at = INT64_MAX, .revoked_at = INT64_MAX };

	if (!json_decode(json, fields, &m, "a token", err))
		return false;
	/* A time of 0 or below would read as "never": damaged, not harmless. */
	if (!is_short_id(m.id) || !digest_is_hex(m.sha256) ||
	    !name_is_principal(m.principal) || !is_short_id(m.client) ||
	    m.expires_at <= 0 || m.revoked_at <= 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "a token is malformed");
	*ret = (struct token_row){
		.created_at = m.created_at,
		.expires_at = m.expires_at == INT64_MAX ? 0 : m.expires_at,
		.revoked_at = m.revoked_at == INT64_MAX ? 0 : m.revoked_at,
	};
	COPY(ret->id, m.id);
	COPY(ret->sha256, m.sha256);
	COPY(ret->caller.principal, m.principal);
	COPY(ret->caller.client, m.client);
	return read_scopes(&ret->caller, m.scopes, err);
}

static int by_hash(const void *a, const void *b)
{
	return strcmp(((const struct token_row *)a)->sha256,
		      ((const struct token_row *)b)->sha256);
}

static bool read_rows(const json_t *json, struct token_row **ret_rows, size_t *ret_count,
		      struct error *err)
{
	struct {
		int64_t v;
		json_t *tokens;
	} file = { 0 };
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, 0, JSON_FIELD_REQUIRED },
		{ "tokens", JSON_FIELD_ARRAY, sizeof(int64_t), JSON_FIELD_REQUIRED },
		{ 0 },
	};

	if (!json_decode(json, fields, &file, "the index", err))
		return false;
	const size_t count = json_array_size(file.tokens);
	if (file.v != 1 || count > TOKENS_MAX)
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"the index is of another version or has more than %d tokens",
			TOKENS_MAX);
	_cleanup_free_ struct token_row *rows = calloc(count + 1, sizeof *rows);
	if (!rows)
		return error_oom(err);
	for (size_t i = 0; i < count; i++)
		if (!read_row(json_array_get(file.tokens, i), &rows[i], err))
			return false;
	qsort(rows, count, sizeof *rows, by_hash);
	for (size_t i = 1; i < count; i++)
		if (by_hash(&rows[i - 1], &rows[i]) == 0)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "two tokens are the same");
	*ret_rows = TAKE(rows);
	*ret_count = count;
	return true;
}

/* Whoever can write the index can let himself in. */
static bool is_ours_alone(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, ERR_INTERNAL,
				 "token index '%s' can be written by others", path);
	return true;
}

bool token_file_read(const char *path, struct token_row **ret_rows, size_t *ret_count,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;

	if (!is_ours_alone(path, err) || !file_read(path, INDEX_BYTES_MAX, &text, err))
		return false;
	json_auto_t *json = json_parse(text.data, text.length, JSON_CONTRACT, &why);
	if (json && read_rows(json, ret_rows, ret_count, &why))
		return true;
	return error_set(err, ERR_INTERNAL, "token index '%s': %s", path, why.message);
}

static json_t *scopes_json(const char *scopes)
{
	json_auto_t *array = json_array();

	while (*scopes) {
		const size_t length = strcspn(++scopes, " ");
		if (length > 0 &&
		    json_array_append_new(array, json_stringn(scopes, length)) != 0)
			return NULL;
		scopes += length;
	}
	return TAKE(array);
}

json_t *token_row_json(const struct token_row *row, bool with_hash)
{
	const struct caller *c = &row->caller;
	const size_t members = 5U + with_hash + (row->expires_at != 0) +
			       (row->revoked_at != 0);
	json_auto_t *json = json_pack(
		"{s:s, s:s*, s:s, s:s, s:o, s:I, s:o*, s:o*}", "id", row->id, "sha256",
		with_hash ? row->sha256 : NULL, "principal", c->principal, "client",
		c->client, "scopes", scopes_json(c->scopes), "created_at",
		(json_int_t)row->created_at, "expires_at",
		row->expires_at ? json_integer(row->expires_at) : NULL, "revoked_at",
		row->revoked_at ? json_integer(row->revoked_at) : NULL);

	/* json_pack leaves an optional member out when there is no memory for it, and a
	 * row without "revoked_at" would be good again. */
	return json_object_size(json) == members ? TAKE(json) : NULL;
}

/* 0600; where its folder passes its group on (setgid) and lets that group look in, programs
 * of other users are to read it too: 0640. */
static mode_t mode_in(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path))
					    : strdup(".");
	struct stat st;

	if (!folder || stat(folder, &st) != 0)
		return 0600;
	return (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) ? 0640 : 0600;
}

bool token_file_write(const char *path, const struct token_row *rows, size_t count,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *tokens = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(tokens, token_row_json(&rows[i], true)) != 0)
			return error_oom(err);
	json_auto_t *json = json_pack("{s:i, s:O}", "v", 1, "tokens", tokens);
	if (!json)
		return error_oom(err);
	if (!json_write(&text, json, err))
		return false;
	strbuf_add_char(&text, '\n');
	if (!strbuf_ok(&text))
		return error_oom(err);
	return file_write(path, text.data, text.length, mode_in(path), err);
}
