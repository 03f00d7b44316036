#include "mcp/client/oauth_challenge.h"

#include <strings.h>

#define ALPHA "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

static const char token_chars[] = ALPHA DIGIT "!#$%&'*+-.^_`|~";
static const char token68_chars[] = ALPHA DIGIT "-._~+/";

/* A challenge under way. */
struct reading {
	const char *at;
	bool is_bearer;
	unsigned challenges, parameters;
	bool has_error, has_scope, has_metadata;
	char value[OAUTH_CHALLENGE_BYTES_MAX + 1]; /* of the last parameter, unquoted */
	struct oauth_challenge one;
};

static void skip_space(struct reading *r)
{
	r->at += strspn(r->at, " \t");
}

/* Optional space, commas and space: what may stand between elements of a list. */
static bool skip_commas(struct reading *r)
{
	bool any = false;

	for (;;) {
		skip_space(r);
		if (*r->at != ',')
			return any;
		any = true;
		r->at++;
	}
}

static bool read_quoted(struct reading *r)
{
	size_t length = 0;

	for (r->at++; *r->at != '"'; r->at++) {
		if (*r->at == '\\')
			r->at++;
		if (((unsigned char)*r->at < 0x20 && *r->at != '\t') || *r->at == 0x7f)
			return false; /* the end of the text among them */
		r->value[length++] = *r->at;
	}
	r->at++;
	r->value[length] = '\0';
	return true;
}

static bool read_value(struct reading *r)
{
	size_t length = strspn(r->at, token_chars);

	if (*r->at == '"')
		return read_quoted(r);
	memcpy(r->value, r->at, length);
	r->value[length] = '\0';
	r->at += length;
	return length > 0;
}

/* ---- What a Bearer challenge says ---- */

static bool take_once(bool *has)
{
	if (*has)
		return false;
	return *has = true;
}

static bool take_error(struct reading *r)
{
	size_t length = strlen(r->value);

	if (!take_once(&r->has_error))
		return false;
	if (length <= OAUTH_ERROR_MAX && strspn(r->value, ALPHA DIGIT "_-.") == length)
		memcpy(r->one.error, r->value, length + 1);
	return true;
}

static bool take_scope(struct reading *r)
{
	if (!take_once(&r->has_scope))
		return false;
	/* One that is none says nothing; what is wanted stands in the metadata then. */
	(void)oauth_scope_add(r->one.scope, r->value);
	return true;
}

static bool take_metadata(struct reading *r)
{
	struct error ignored = ERROR_INIT;
	struct http_url url;

	if (!take_once(&r->has_metadata))
		return false;
	r->one.is_bad_metadata = !oauth_url_read(r->value, &url, &ignored);
	if (!r->one.is_bad_metadata)
		memcpy(r->one.metadata, r->value, strlen(r->value) + 1);
	return true;
}

static bool take_parameter(struct reading *r, const char *name, size_t length)
{
	static const struct {
		const char *name;
		bool (*take)(struct reading *r);
	} known[] = {
		{ "error", take_error },
		{ "resource_metadata", take_metadata },
		{ "scope", take_scope },
	};

	if (++r->parameters > OAUTH_CHALLENGE_PARAMETERS_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known) && r->is_bearer; i++)
		if (strlen(known[i].name) == length &&
		    strncasecmp(name, known[i].name, length) == 0)
			return known[i].take(r);
	return true;
}

/* ---- The grammar ---- */

/* name BWS "=" BWS value. Leaves 'at' alone and returns false when there is no "=";
 * '*ret_good' says whether what is there is good. */
static bool read_parameter(struct reading *r, bool *ret_good)
{
	const char *name = r->at;
	size_t length = strspn(name, token_chars);

	*ret_good = true;
	r->at += length;
	skip_space(r);
	if (length == 0 || *r->at != '=') {
		r->at = name;
		return false;
	}
	r->at++;
	skip_space(r);
	*ret_good = read_value(r) && take_parameter(r, name, length);
	return true;
}

/* "Negotiate YII=": letters, "=" at the end, and then the next challenge. */
static bool read_token68(struct reading *r)
{
	size_t length = strspn(r->at, token68_chars);
	const char *end = r->at + length;

	if (length == 0)
		return false;
	end += strspn(end, "=");
	end += strspn(end, " \t");
	if (*end != ',' && *end != '\0')
		return false;
	r->at = end;
	return true;
}

/* The parameters of a challenge, to the next one or the end. */
static bool read_parameters(struct reading *r)
{
	bool good = true;

	while (read_parameter(r, &good)) {
		if (!good)
			return false;
		if (!skip_commas(r))
			return *r->at == '\0';
	}
	return true;
}

static bool begin_challenge(struct reading *r)
{
	size_t length = strspn(r->at, token_chars);

	if (length == 0 || ++r->challenges > OAUTH_CHALLENGES_MAX)
		return false;
	r->is_bearer = length == strlen("Bearer") &&
		       strncasecmp(r->at, "Bearer", length) == 0 && !r->one.is_bearer;
	if (r->is_bearer)
		r->one.is_bearer = true;
	r->at += length;
	return *r->at == ' ' || *r->at == ',' || *r->at == '\t' || *r->at == '\0';
}

static bool read_challenge(struct reading *r)
{
	if (!begin_challenge(r))
		return false;
	skip_space(r);
	if (*r->at == ',' || *r->at == '\0') {
		(void)skip_commas(r);
		return true;
	}
	if (read_token68(r)) {
		(void)skip_commas(r);
		return true;
	}
	return read_parameters(r);
}

bool oauth_challenge_read(struct oauth_challenge *ret, const char *field)
{
	_cleanup_free_ struct reading *r = NULL;

	if (strnlen(field, OAUTH_CHALLENGE_BYTES_MAX + 1) > OAUTH_CHALLENGE_BYTES_MAX)
		return false;
	r = calloc(1, sizeof *r);
	if (!r)
		return false;
	r->at = field;
	(void)skip_commas(r);
	while (*r->at != '\0')
		if (!read_challenge(r))
			return false;
	if (!r->one.is_bearer || ret->is_bearer)
		return false;
	*ret = r->one;
	return true;
}
