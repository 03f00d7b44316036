#include "servers/people/report.h"

#include <string.h>

#include "base/text.h"

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

static const struct {
	const char *system, *member;
} shown[] = { { "ldap", "uid" },
	      { "okta", "login" },
	      { "slack", "handle" },
	      { "github", "login" } };

void report_person(struct strbuf *sb, const json_t *record)
{
	const json_t *systems = json_object_get(record, "systems");
	const char *text = json_get_string(record, "display_name");

	strbuf_add_string(sb, "**");
	report_text(sb, text ? text : "?");
	strbuf_add_string(sb, "** (id ");
	report_text(sb, json_get_string(record, "id"));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		text = json_get_string(json_object_get(systems, shown[i].system),
				       shown[i].member);
		if (!text)
			continue;
		strbuf_add_format(sb, ", %s ", shown[i].system);
		report_text(sb, text);
	}
	strbuf_add_format(sb, "): %s %s", json_get_string(record, "status"),
			  json_get_string(record, "kind"));
	if (json_object_get(record, "conflicts"))
		strbuf_add_string(sb, ", **with conflicts**");
}

void report_finish(struct mcp_result *result, const struct strbuf *sb)
{
	mcp_result_text(result, "%s", strbuf_ok(sb) ? sb->data : "out of memory");
}
