#include "servers/accounts/report.h"

#include "base/clock.h"
#include "base/text.h"

static bool set_text(json_t *object, const char *name, const char *value,
		     struct error *err)
{
	if (!value || !*value)
		return true;
	return json_object_set_new(object, name, json_string(value)) == 0 ||
	       error_oom(err);
}

static bool set_time(json_t *object, const char *name, int64_t wall_ms, struct error *err)
{
	char text[CLOCK_TEXT_BYTES];

	return wall_ms == 0 || set_text(object, name, clock_format(wall_ms, text), err);
}

json_t *report_person(const struct person *p)
{
	return json_pack("{s:s, s:s*, s:s*}", "display_name", p->name, "uid",
			 *p->uid ? p->uid : NULL, "email", *p->mail ? p->mail : NULL);
}

int64_t report_since_ms(const struct account *a, const json_t *event)
{
	struct error err = ERROR_INIT;
	const char *at = event ? json_get_string(event, "at") : NULL;
	int64_t since_ms = 0;

	if (at && clock_parse(at, &since_ms, &err))
		return since_ms;
	return a->since_ms;
}

bool report_block(json_t *object, const struct account *a, const json_t *event,
		  int64_t expires_ms, struct error *err)
{
	static const struct {
		const char *from, *to;
	} members[] = {
		{ "by", "blocked_by" },     { "approved_by", "approved_by" },
		{ "approval", "approval" }, { "reason", "reason" },
		{ "incident", "incident" }, { "ticket", "ticket" },
	};

	/* Taken out of an organisation by a block of ours, it is absent there. */
	if (a->state != ACCOUNT_BLOCKED && !(a->state == ACCOUNT_ABSENT && event))
		return true;
	if (!set_time(object, "since", report_since_ms(a, event), err) ||
	    !set_time(object, "until", a->until_ms, err) ||
	    !set_time(object, "expires_at", expires_ms, err))
		return false;
	for (size_t i = 0; event && i < ARRAY_SIZE(members); i++)
		if (!set_text(object, members[i].to,
			      json_get_string(event, members[i].from), err))
			return false;
	return true;
}

void report_text(struct strbuf *sb, const char *text)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	text_visible(&visible, text, strlen(text));
	for (const char *p = visible.data; *p; p++) {
		if (strchr("\\`*_{}[]()<>#+!|~&$", *p))
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, *p);
	}
}

void report_name(struct strbuf *sb, const char *name, const char *identifier)
{
	strbuf_add_string(sb, "**");
	report_text(sb, name);
	strbuf_add_string(sb, "** (");
	report_text(sb, identifier);
	strbuf_add_char(sb, ')');
}

void report_finish(struct mcp_result *result, const struct strbuf *sb)
{
	mcp_result_text(result, "%s", strbuf_ok(sb) ? sb->data : "out of memory");
}
