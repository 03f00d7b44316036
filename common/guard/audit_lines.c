#include "guard/audit.h"

#include <assert.h>

/* Canonical text, as base/canonical.h would write it. */
static bool add_text(struct strbuf *sb, const struct audit_text *text, struct error *err)
{
	const size_t length = strlen(text->value);

	strbuf_add_char(sb, '"');
	strbuf_add_string(sb, text->name);
	strbuf_add(sb, "\":", 2);
	strbuf_add_json_string(sb, text->value, length);
	return json_check_text(text->value, length, err);
}

bool audit_lines_add(struct audit_lines *lines, const struct audit_text *texts,
		     size_t count, struct error *err)
{
	struct strbuf *sb = &lines->data;
	const size_t before = sb->length;
	bool good = true;

	strbuf_add_char(sb, '{');
	for (size_t i = 0; good && i < count; i++) {
		assert(i == 0 || strcmp(texts[i - 1].name, texts[i].name) < 0);
		if (i > 0)
			strbuf_add_char(sb, ',');
		good = add_text(sb, &texts[i], err);
	}
	strbuf_add(sb, "}\n", 2);
	if (good && strbuf_ok(sb)) {
		lines->count++;
		return true;
	}
	/* Of what was there before nothing is lost when there is no memory for more. */
	sb->failed = false;
	strbuf_truncate(sb, before);
	return good ? error_oom(err) : false;
}

void audit_lines_clear(struct audit_lines *lines)
{
	strbuf_clear(&lines->data);
	lines->count = 0;
}

void audit_lines_done(struct audit_lines *lines)
{
	strbuf_done(&lines->data);
	lines->count = 0;
}
