/* What everything stands on: JSON, configuration, text, schemas, messages. */
#include "tests/chaos/site.h"

#include "base/canonical.h"
#include "base/text.h"
#include "wire/jsonrpc.h"

static const char value_text[] =
	"{\"b\":[1,2.5,-3e2,true,null,\"\\u00e9\\u20ac\"],\"a\":{\"z\":\"x\",\"aa\":{}},"
	"\"long\":"
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";

static const char config_text[] = "a: 1\nb:\n  - x\n  - 'y'\nc: {d: [true, null, 1.5]}\n";

/* ---- Base ---- */

bool parse_and_write(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT, plain = STRBUF_INIT;
	json_auto_t *value =
		json_parse(value_text, sizeof value_text - 1, JSON_CONTRACT, err);
	char digest[DIGEST_HEX_BYTES];

	(void)s;
	if (!value || !json_check_contract(value, err) ||
	    !canonical_write(&canonical, value, err) || !json_write(&plain, value, err) ||
	    !canonical_digest(value, digest, err))
		return false;
	put(o, canonical.data, canonical.length);
	put(o, plain.data, plain.length);
	put_text(o, digest);
	return true;
}

bool read_configuration(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(config_freep) struct config *c = NULL;

	(void)s;
	c = config_parse("test.yaml", config_text, sizeof config_text - 1, err);
	if (!c || !json_write(&text, config_root(c), err))
		return false;
	put(o, text.data, text.length);
	(void)snprintf(o->text + o->length, 16, "%d", config_line(c, "/b/1"));
	o->length += strlen(o->text + o->length);
	return true;
}

/* These report through the strbuf. */
bool make_text_visible(const struct site *s, struct outcome *o, struct error *err)
{
	static const char odd[] =
		"J\xd0\xbehn \xe2\x80\xae\tDoe\\ password=hunter2hunter2";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, back = STRBUF_INIT;

	(void)s;
	text_visible(&sb, odd, sizeof odd - 1);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	if (!text_unescape(&back, sb.data, sb.length, err))
		return false;
	strbuf_add_char(&sb, '\n');
	text_escaped(&sb, odd, sizeof odd - 1);
	text_redact(&sb, odd, sizeof odd - 1);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	if (!text_fold(&sb, odd, sizeof odd - 1, err))
		return false;
	put(o, sb.data, sb.length);
	put(o, back.data, back.length);
	return true;
}

bool find_state_folder(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(statedir_freep) struct statedir *d = NULL;

	d = statedir_new(s->keys->folder, err);
	if (!d || !statedir_create(d, err))
		return false;
	_cleanup_free_ char *path = statedir_path(d, "config/%s.yaml", "gate");
	if (!path)
		return error_oom(err);
	put_text(o, path);
	return true;
}

/* ---- Wire ---- */

bool compile_and_judge(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct schema_fault fault = { 0 };

	schema = schema_compile(s->schemas, s->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!schema)
		return false;
	/* Without memory nothing is valid. */
	if (!schema_validate(schema, s->good, &fault))
		return error_set(err, ERR_INTERNAL, "%s", fault.message);
	put_text(o, "valid");
	return true;
}

bool find_fault(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct schema_fault fault = { 0 };

	schema = schema_compile(s->schemas, s->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!schema)
		return false;
	put_text(o, schema_validate(schema, s->bad, &fault) ? "valid" : "invalid");
	return true;
}

bool read_message(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct jsonrpc_message m;
	const json_t *id = NULL;

	if (!jsonrpc_read(s->request, &m, &id, err))
		return false;
	jsonrpc_write_result(&sb, m.id, "{\"ok\":true}", 11);
	jsonrpc_write_error(&sb, m.id, JSONRPC_INVALID_PARAMS, "no \"such\" tool",
			    m.params);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	put(o, sb.data, sb.length);
	return true;
}
