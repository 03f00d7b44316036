/*
 * sign-grant -- play the gate: print a signed grant, or a requester ticket.
 *
 * For tests. Everything has a default that makes a good grant, and everything can be
 * made wrong, because refusing is what is to be tested: members are put together
 * here and sealed as they are, past the checks of grant_sign.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "guard/grant.h"
#include "guard/ticket.h"
#include "mcp/definition.h"

enum { INPUT_BYTES_MAX = 16 * 1024 * 1024 };

struct options {
	const char *key, *server, *tool, *args, *plan;
	const char *aud, *pin, *shown, *id, *requester, *approver;
	const char *rule, *bundle, *head, *extra, *without;
	int64_t seq, iat, ttl;
	bool emergency, ticket;
};

static const struct option_row rows[] = {
#define AT(member) offsetof(struct options, member)
	OPTION_STRING("key", 'k', "FILE", "signing key, PKCS#8 PEM", AT(key)),
	OPTION_STRING("server", 's', "NAME", "server that is called", AT(server)),
	OPTION_STRING("tool", 't', "NAME", "tool that is called", AT(tool)),
	OPTION_STRING("args", 'a', "FILE",
		      "arguments, a JSON object; '-' for standard input", AT(args)),
	OPTION_STRING("plan", 'p', "FILE", "plan that was approved; none: a read",
		      AT(plan)),
	OPTION_STRING("aud", 0, "TEXT", "the server's instance (default: its name)",
		      AT(aud)),
	OPTION_STRING("pin", 0, "HEX",
		      "digest of the definition (default: the one compiled in)", AT(pin)),
	OPTION_STRING("shown", 0, "HEX",
		      "digest of the prompt (default: that of nothing)", AT(shown)),
	OPTION_STRING("id", 0, "TEXT", "id of the approval (default: random)", AT(id)),
	OPTION_STRING("requester", 0, "PERSON",
		      "who asked (default: tester@example.test)", AT(requester)),
	OPTION_STRING(
		"approver", 0, "PERSON,...",
		"who said yes (default: tester@example.test, or nobody with --rule)",
		AT(approver)),
	OPTION_STRING("rule", 0, "TEXT", "rule that freed the read", AT(rule)),
	OPTION_STRING("bundle", 0, "TEXT", "id of the decision about several calls",
		      AT(bundle)),
	OPTION_INT64("seq", 0, "N", "place in that decision", AT(seq)),
	OPTION_BOOL("emergency", 0, "approved by break-glass", AT(emergency)),
	OPTION_STRING("head", 0, "HEX", "head of the gate's audit chain", AT(head)),
	OPTION_INT64("iat", 0, "SECONDS", "signed at (default: now)", AT(iat)),
	OPTION_INT64("ttl", 0, "SECONDS", "good for (default: 60)", AT(ttl)),
	OPTION_STRING("extra", 0, "NAME=VALUE",
		      "member to add or replace, JSON or text; also as operands",
		      AT(extra)),
	OPTION_STRING("without", 0, "NAME", "member to leave out", AT(without)),
	OPTION_BOOL("ticket", 0, "print a requester ticket instead", AT(ticket)),
	OPTION_END
#undef AT
};

static json_t *read_json(const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const bool read =
		strcmp(path, "-") == 0
			? file_read_fd(STDIN_FILENO, INPUT_BYTES_MAX, &text, err)
			: file_read(path, INPUT_BYTES_MAX, &text, err);

	return read ? json_parse(text.data, text.length, JSON_CONTRACT, err) : NULL;
}

static bool digest_file(const char *path, char ret_hex[static DIGEST_HEX_BYTES],
			struct error *err)
{
	json_auto_t *json = read_json(path, err);

	return json && canonical_digest(json, ret_hex, err);
}

/* An unknown tool is no error: calling one is worth a test too. */
static void find_pin(const struct options *o, char ret_hex[static DIGEST_HEX_BYTES])
{
	struct error ignored = ERROR_INIT;
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load(o->server, o->tool, &ignored);

	if (d)
		memcpy(ret_hex, d->pin, DIGEST_HEX_BYTES);
	else
		digest_sha256_hex("", 0, ret_hex);
}

static json_t *split(const char *list)
{
	json_auto_t *array = json_array();

	while (*list) {
		const size_t length = strcspn(list, ",");
		json_array_append_new(array, json_stringn(list, length));
		list += length + (list[length] == ',');
	}
	return TAKE(array);
}

static json_t *make_grant(const struct options *o, const char *kid, const char *args,
			  struct error *err)
{
	char plan[DIGEST_HEX_BYTES], pin[DIGEST_HEX_BYTES], shown[DIGEST_HEX_BYTES];
	char id[DIGEST_ID_BYTES];

	find_pin(o, pin);
	digest_random_id(id);
	digest_sha256_hex("", 0, shown);
	if (o->plan && !digest_file(o->plan, plan, err))
		return NULL;
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:o,"
		" s:s*, s:s*, s:o*, s:o*, s:s*, s:I, s:I}",
		"typ", TYP_GRANT, "v", 1, "kid", kid, "id", o->id ? o->id : id, "aud",
		o->aud, "server", o->server, "tool", o->tool, "pin",
		o->pin ? o->pin : pin, "args", args, "plan", o->plan ? plan : NULL,
		"shown", o->shown ? o->shown : shown, "requester", o->requester,
		"approvers", split(o->approver), "rule", o->rule, "bundle", o->bundle,
		"seq", o->seq == INT64_MIN ? NULL : json_integer(o->seq), "emergency",
		o->emergency ? json_true() : NULL, "head", o->head, "iat",
		(json_int_t)o->iat, "exp", (json_int_t)(o->iat + o->ttl));
}

static json_t *make_ticket(const struct options *o, const char *kid, const char *args,
			   struct error *err)
{
	char request[DIGEST_HEX_BYTES];

	if (!request_digest(o->server, o->tool, args, request, err))
		return NULL;
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:I}", "typ", TYP_REQUESTER,
			 "v", 1, "kid", kid, "aud", o->aud, "requester", o->requester,
			 "request", request, "iat", (json_int_t)o->iat, "exp",
			 (json_int_t)(o->iat + o->ttl));
}

/* "name=value": the value is JSON if it reads as such, else text. */
static bool add_extra(json_t *payload, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	struct error ignored = ERROR_INIT;

	if (!equals)
		return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is not NAME=VALUE",
				 pair);
	_cleanup_free_ char *name = strndup(pair, (size_t)(equals - pair));
	json_t *value = json_parse(equals + 1, strlen(equals + 1), JSON_SYNTAX, &ignored);
	if (!name || json_object_set_new(payload, name,
					 value ? value : json_string(equals + 1)) != 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "'%s' cannot be a member",
				 pair);
	return true;
}

static bool run(const struct options *o, char **extras, int extra_count,
		struct error *err)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	char args[DIGEST_HEX_BYTES];

	_cleanup_(sign_key_freep) struct sign_key *key = sign_key_read(o->key, err);
	if (!key || !digest_file(o->args, args, err))
		return false;
	json_auto_t *payload = o->ticket ? make_ticket(o, sign_key_kid(key), args, err)
					 : make_grant(o, sign_key_kid(key), args, err);
	if (!payload)
		return error_set(err, ERR_INVALID_ARGUMENT, "an option is not UTF-8");
	if (o->extra && !add_extra(payload, o->extra, err))
		return false;
	for (int i = 0; i < extra_count; i++)
		if (!add_extra(payload, extras[i], err))
			return false;
	if (o->without && json_object_del(payload, o->without) != 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "there is no member '%s'",
				 o->without);
	if (!envelope_seal(&word, payload, key, err))
		return false;
	return puts(word.data) != EOF && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	static const char tester[] = "tester@example.test";
	struct options o = {
		.requester = tester,
		.seq = INT64_MIN,
		.iat = clock_wall_ms() / 1000,
		.ttl = GRANT_TTL_S,
	};
	struct error err = ERROR_INIT;
	int operands = 0;

	switch (options_parse(rows, &o, argc, argv, &operands, &err)) {
	case OPTIONS_OK:
		break;
	case OPTIONS_HELP:
		options_help("sign-grant",
			     "--key FILE --server NAME --tool NAME --args FILE [options]",
			     "Print a signed grant or requester ticket; for tests that "
			     "play the gate.",
			     rows, stdout);
		return 0;
	case OPTIONS_VERSION:
		(void)puts("sign-grant " WINGMAN_VERSION);
		return 0;
	case OPTIONS_BAD:
		(void)fprintf(stderr, "sign-grant: %s\n", err.message);
		return 2;
	}
	if (!o.key || !o.server || !o.tool || !o.args) {
		(void)fputs("sign-grant: --key, --server, --tool and --args are needed\n",
			    stderr);
		return 2;
	}
	o.aud = o.aud ? o.aud : o.server;
	o.approver = o.approver ? o.approver : o.rule ? "" : tester;
	if (!run(&o, argv + 1, operands, &err)) {
		(void)fprintf(stderr, "sign-grant: %s\n",
			      error_is_set(&err) ? err.message : "cannot write");
		return 1;
	}
	return 0;
}
