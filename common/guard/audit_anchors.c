#include "guard/audit_line.h"

#include "base/clock.h"
#include "guard/audit_files.h"
#include "guard/copy.h"

enum { ANCHORS_MAX = 1000 * 1000 };

struct list {
	struct audit_anchor *items;
	size_t count, room;
};

static bool add(struct list *l, const struct audit_anchor *anchor, struct error *err)
{
	if (l->count >= ANCHORS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "more than %d anchors",
				 ANCHORS_MAX);
	if (l->count >= l->room) {
		const size_t room = l->room ? l->room * 2 : 64;
		struct audit_anchor *items = reallocarray(l->items, room, sizeof *items);
		if (!items)
			return error_oom(err);
		l->items = items;
		l->room = room;
	}
	l->items[l->count++] = *anchor;
	return true;
}

/* A member that is no head of a chain is no anchor; what is malformed is no fault
 * of this log's chain, which only tells what it was told. */
static bool read_head(const json_t *head, struct audit_anchor *ret)
{
	const char *program = json_get_string(head, "program");
	const char *hash = json_get_string(head, "hash");

	if (!program || !hash || !name_is_server(program) || !digest_is_hex(hash))
		return false;
	*ret = (struct audit_anchor){ .seq = json_get_int64(head, "seq", -1),
				      .at_ms = -1 };
	COPY(ret->program, program);
	COPY(ret->hash, hash);
	return ret->seq >= -1;
}

static bool add_heads(struct list *l, const struct audit_line *of, const char *path,
		      int64_t line, struct error *err)
{
	static const char *const names[] = { "gate_head", "server_head" };
	struct error ignored = ERROR_INIT;
	struct audit_anchor anchor;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!read_head(json_object_get(of->data, names[i]), &anchor))
			continue;
		(void)clock_parse(of->at, &anchor.at_ms, &ignored);
		error_clear(&ignored);
		/* The end of a path says more than its beginning. */
		const size_t length = strlen(path), most = sizeof anchor.source - 32;
		(void)snprintf(anchor.source, sizeof anchor.source, "%s line %lld",
			       path + (length > most ? length - most : 0),
			       (long long)line);
		if (!add(l, &anchor, err))
			return false;
	}
	return true;
}

bool audit_collect_anchors(const char *path, struct audit_anchor **anchors, size_t *count,
			   struct error *err)
{
	_cleanup_(audit_reader_closep) struct audit_reader *reader =
		audit_reader_open(path, err);
	struct list l = { *anchors, *count, *count };
	struct error ignored = ERROR_INIT;
	struct audit_line line;
	const char *text;
	size_t length;
	enum audit_read got;
	bool complete = true;

	if (!reader)
		return false;
	for (int64_t n = 1; complete; n++) {
		got = audit_reader_next(reader, &text, &length, err);
		if (got != AUDIT_READ_LINE)
			break;
		json_auto_t *json = audit_line_read(text, length, &line, &ignored);
		if (!json)
			break;
		complete = add_heads(&l, &line, path, n, err);
	}
	*anchors = l.items;
	*count = l.count;
	return !error_is_set(err);
}

bool audit_collect(const char *folder, const char *program, struct audit_anchor **anchors,
		   size_t *count, struct error *err)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };

	if (!audit_files_list(folder, program, &files, err))
		return false;
	for (size_t i = 0; i < files.count; i++)
		if (!audit_collect_anchors(files.file[i].path, anchors, count, err))
			return false;
	return true;
}
