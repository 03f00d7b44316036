/* A page: its sections are all of it, each once; what is shown of it has no HTML left and
 * is understood as the same by reading it again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/text.h"
#include "servers/playbooks/front.h"
#include "servers/playbooks/outline.h"
#include "servers/playbooks/render.h"
#include "servers/playbooks/steps.h"

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_outline(const struct outline *o, size_t start, size_t length)
{
	must(o->count >= 1 && o->sections[0].start == start);
	for (size_t i = 0; i < o->count; i++) {
		const struct section *s = &o->sections[i];

		must(s->end == (i + 1 < o->count ? o->sections[i + 1].start : length));
		must(s->start <= s->end && s->text_start <= s->text_end);
		must(s->parent < (int)i && text_is_utf8(s->heading, strlen(s->heading)));
		must(outline_whole_end(o, i) >= s->end);
	}
	must(text_is_utf8(o->text.data, o->text.length));
}

static void check_shown(const struct strbuf *shown)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	struct error err = ERROR_INIT;

	must(text_is_utf8(shown->data, shown->length));
	/* Nothing in it is HTML: shown once more, it loses nothing of that. */
	if (render_markdown(shown->data, shown->length, NULL, &again, &err))
		must(text_is_utf8(again.data, again.length));
	must(!strcasestr(shown->data, "<script") || strstr(shown->data, "\\<") ||
	     strchr(shown->data, '`'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	struct outline o = { .text = STRBUF_INIT };
	struct error err = ERROR_INIT;
	struct front front;
	struct steps steps;

	/* As builder_add: text without NULs that is UTF-8. */
	must(text != NULL);
	size = strlen(text);
	if (!text_is_utf8(text, size))
		return 0;
	front_read(text, size, &front);
	must(front.end <= size);
	json_auto_t *tags = front_tags(&front);
	must(json_is_array(tags) && json_array_size(tags) <= FRONT_TAGS_MAX);
	if (outline_read(text, size, front.end, &o, &err)) {
		check_outline(&o, front.end, size);
		outline_done(&o);
	}
	error_clear(&err);
	if (render_markdown(text + front.end, size - front.end, NULL, &shown, &err))
		check_shown(&shown);
	error_clear(&err);
	if (steps_read(text, front.end, size, &steps, &err)) {
		for (size_t i = 0; i < steps.count; i++)
			must(steps.items[i].at < size &&
			     text_is_utf8(steps.items[i].text,
					  strlen(steps.items[i].text)));
		steps_done(&steps);
	}
	front_done(&front);
	return 0;
}
