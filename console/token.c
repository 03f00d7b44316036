/* wingman token: bearer tokens for MCP clients. */
#include "guard/token.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "console/console.h"
#include "guard/names.h"

struct token_options {
	const char *person;
	const char *service;
	const char *scopes;
	const char *expires;
	const char *file;
};

static const struct option_row rows[] = {
	OPTION_STRING("for", 0, "PERSON", "whose token it is (alice@company.com)",
		      offsetof(struct token_options, person)),
	OPTION_STRING(
		"service", 0, "NAME",
		"in place of these two: what a server registers at the gate with, or "
		"the gate calls servers with",
		offsetof(struct token_options, service)),
	OPTION_STRING("scopes", 0, "LIST",
		      "comma separated, such as accounts:read,accounts:write",
		      offsetof(struct token_options, scopes)),
	OPTION_STRING("expires", 0, "DURATION", "such as 30d (default: never)",
		      offsetof(struct token_options, expires)),
	OPTION_STRING("file", 0, "FILE",
		      "write it there (mode 0600) instead of printing it",
		      offsetof(struct token_options, file)),
	OPTION_END,
};

/* A person's token asks; it never speaks for the gate or for a server. */
static bool is_client_scope(const char *scope)
{
	const char *colon = strchr(scope, ':');

	return colon && strncmp(scope, "wingman:", 8) != 0 &&
	       (strcmp(colon, ":read") == 0 || strcmp(colon, ":write") == 0);
}

/* What somebody asked for: whose, and for what. 'scopes' points into 'list'. */
struct wanted {
	char person[129];
	const char *scopes[TOKEN_SCOPES_MAX];
	size_t count;
};

/* "gate", or a server: what programs prove to each other with. */
static bool want_service(struct wanted *w, const char *name)
{
	(void)snprintf(w->person, sizeof w->person, "service/%s", name);
	w->scopes[w->count++] = strcmp(name, "gate") == 0 ? SCOPE_GATE : SCOPE_REGISTER;
	return name_is_server(name);
}

/* NULL, or what is wrong. */
static const char *want(struct wanted *w, const struct token_options *o, char *list)
{
	if (o->service && (o->person || o->scopes))
		return "--service goes without --for and --scopes";
	if (o->service)
		return want_service(w, o->service)
			       ? NULL
			       : "--service wants a server's name, or gate";
	if (!o->person || !list)
		return "new wants --for PERSON and --scopes LIST, or --service NAME";
	if (!name_is_principal(o->person))
		return "--for wants a name without spaces or quotes";
	(void)snprintf(w->person, sizeof w->person, "%s", o->person);
	for (char *scope; (scope = strsep(&list, ","));) {
		if (w->count == TOKEN_SCOPES_MAX || !is_client_scope(scope))
			return "a scope is SERVER:read or SERVER:write";
		w->scopes[w->count++] = scope;
	}
	return NULL;
}

static int create(struct console *c, const struct token_options *o, const char *index)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *list = o->scopes ? strdup(o->scopes) : NULL;
	_cleanup_(secret_freep) struct secret *token = NULL;
	struct wanted w = { .count = 0 };
	const char *wrong = want(&w, o, list);
	int64_t ttl_ms = 0, now = clock_wall_ms();
	char id[65];

	if (wrong)
		return console_usage(c, &command_token, wrong);
	if (o->expires && !clock_parse_duration(o->expires, &ttl_ms, &err))
		return console_fail(c, &err);
	if (o->file && file_exists(o->file)) {
		error_set(&err, ERR_CONFLICT, "there is a file '%s' already", o->file);
		error_hint(&err,
			   "remove it, or name another; 'wingman token revoke ID' ends "
			   "the token in it");
		return console_fail(c, &err);
	}
	if (!token_create(index, w.person, w.scopes, w.count, ttl_ms ? now + ttl_ms : 0,
			  now, &token, id, &err))
		return console_fail(c, &err);
	if (o->file) {
		if (!file_write(o->file, secret_bytes(token), secret_length(token), 0600,
				&err))
			return console_fail(c, &err);
		printf("token %s is in %s\n", id, o->file);
		return EXIT_DONE;
	}
	if (c->json) {
		json_auto_t *line = json_pack("{s:s, s:s%}", "id", id, "token",
					      secret_bytes(token), secret_length(token));

		console_print_json(line);
		return EXIT_DONE;
	}
	fprintf(stderr, "token %s for %s; it is shown this once:\n", id, w.person);
	printf("%.*s\n", (int)secret_length(token), (const char *)secret_bytes(token));
	return EXIT_DONE;
}

static int list(struct console *c, const char *index)
{
	struct error err = ERROR_INIT;
	json_auto_t *tokens = token_list(index, &err);
	size_t i;
	json_t *t;

	if (!tokens)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(tokens);
		return EXIT_DONE;
	}
	json_array_foreach(tokens, i, t)
	{
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		const char *revoked = json_get_string(t, "revoked_at");
		const char *expires = json_get_string(t, "expires_at");
		size_t k;
		json_t *scope;

		strbuf_add_format(&line, "%-28s %-28s", console_member(t, "id"),
				  console_member(t, "principal"));
		json_array_foreach(json_object_get(t, "scopes"), k, scope)
		{
			strbuf_add_format(&line, " %s",
					  json_is_string(scope) ? json_string_value(scope)
								: "?");
		}
		if (expires)
			strbuf_add_format(&line, ", until %s", expires);
		if (revoked)
			strbuf_add_format(&line, ", REVOKED %s", revoked);
		console_print_visible(line.data);
	}
	return EXIT_DONE;
}

static int run(struct console *c, int argc, char **argv)
{
	struct token_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_free_ char *index = statedir_path(c->dir, "callers/index.json");

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_token, err.message);
	if (operands == 1 && strcmp(argv[1], "new") == 0)
		return create(c, &o, index);
	if (operands == 1 && strcmp(argv[1], "list") == 0)
		return list(c, index);
	if (operands == 2 && strcmp(argv[1], "revoke") == 0) {
		if (!token_revoke(index, argv[2], clock_wall_ms(), &err))
			return console_fail(c, &err);
		printf("token %s is revoked\n", argv[2]);
		return EXIT_DONE;
	}
	return console_usage(c, &command_token, "say new, list or revoke ID");
}

const struct command command_token = { "token",
				       "token [new (--for PERSON --scopes LIST | "
				       "--service NAME) [--expires 30d] [--file FILE] | "
				       "list | revoke ID]",
				       "Make, list and revoke the tokens of MCP clients.",
				       run };
