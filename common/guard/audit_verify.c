#include "guard/audit_line.h"

#include <stdarg.h>

/* An anchor of this program, and whether its line was met. */
struct wanted {
	const struct audit_anchor *anchor;
	bool found;
};

struct verifier {
	const char *program;
	const struct verify_key *key;
	struct audit_reader *reader;
	struct wanted *wanted; /* ordered by hash */
	size_t wanted_count;
	struct audit_place before_last, last; /* places of the two last good lines */
	int64_t anchored_seq; /* the last line that an anchor names; -1: none */
	bool ends_in_checkpoint;
	struct audit_report *report;
};

_printf_(3, 4) static bool find_fault(struct verifier *v, int64_t line,
				      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(v->report->finding, sizeof v->report->finding, format, args);
	va_end(args);
	v->report->finding_line = line;
	v->report->sound = false;
	return false;
}

/* ---- Anchors ---- */

static int by_hash(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->anchor->hash,
		      ((const struct wanted *)b)->anchor->hash);
}

static bool collect_wanted(struct verifier *v, const struct audit_anchor *anchors,
			   size_t count, struct error *err)
{
	if (!(v->wanted = calloc(count + 1, sizeof *v->wanted)))
		return error_oom(err);
	for (size_t i = 0; i < count; i++)
		if (strcmp(anchors[i].program, v->program) == 0)
			v->wanted[v->wanted_count++].anchor = &anchors[i];
	qsort(v->wanted, v->wanted_count, sizeof *v->wanted, by_hash);
	return true;
}

static void meet_anchors(struct verifier *v)
{
	size_t low = 0, high = v->wanted_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(v->wanted[middle].anchor->hash, v->last.hash) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < v->wanted_count; low++) {
		const struct audit_anchor *anchor = v->wanted[low].anchor;
		if (strcmp(anchor->hash, v->last.hash) != 0)
			return;
		if (anchor->seq != -1 && anchor->seq != v->last.seq)
			continue;
		v->wanted[low].found = true;
		v->anchored_seq = v->last.seq;
	}
}

/* The chain holds in itself; does it hold all that others know of it? */
static bool check_anchors(struct verifier *v)
{
	const struct audit_anchor *missing = NULL;

	for (size_t i = 0; i < v->wanted_count; i++) {
		const struct audit_anchor *anchor = v->wanted[i].anchor;
		if (!v->wanted[i].found &&
		    (!missing || (uint64_t)anchor->seq < (uint64_t)missing->seq))
			missing = anchor;
	}
	if (!missing)
		return true;
	if (missing->seq < 0)
		return find_fault(v, v->report->lines,
				  "cut or written anew: no line has the hash that %s "
				  "knows (%.12s...)",
				  missing->source, missing->hash);
	if (missing->seq > v->last.seq)
		return find_fault(
			v, v->report->lines,
			"cut: the log ends with seq %lld, and %s knows seq %lld",
			(long long)v->last.seq, missing->source, (long long)missing->seq);
	return find_fault(
		v, missing->seq + 1,
		"written anew: seq %lld is not the line that %s knows (%.12s...)",
		(long long)missing->seq, missing->source, missing->hash);
}

/* ---- The chain ---- */

static bool follows(const struct audit_line *line, const struct audit_place *place)
{
	return line->place.seq == place->seq + 1 && strcmp(line->prev, place->hash) == 0;
}

/* Whether the line that should stand here comes later. */
static bool comes_later(struct verifier *v)
{
	struct error ignored = ERROR_INIT;
	struct audit_line line;
	const char *text;
	size_t length;

	while (audit_reader_next(v->reader, &text, &length, &ignored) ==
	       AUDIT_READ_LINE) {
		json_auto_t *json = audit_line_read(text, length, &line, &ignored);
		if (json && follows(&line, &v->last))
			return true;
		error_clear(&ignored);
	}
	return false;
}

static bool explain_break(struct verifier *v, const struct audit_line *line)
{
	const int64_t here = v->report->lines + 1;
	const long long expected = v->last.seq + 1, seq = line->place.seq;

	if (v->last.seq >= 0 && follows(line, &v->before_last))
		return find_fault(v, here - 1,
				  "inserted: two lines claim seq %lld, this and the next",
				  seq);
	if (seq == expected && expected > 0)
		return find_fault(
			v, here - 1,
			"edited: the next line follows another than this, whose hash was "
			"computed anew");
	if (seq == expected)
		return find_fault(v, here,
				  "edited: the first line names a line before it");
	if (seq < expected)
		return find_fault(v, here,
				  "inserted: seq %lld stands here for the second time",
				  seq);
	if (comes_later(v))
		return find_fault(v, here,
				  "reordered: seq %lld stands where %lld belongs", seq,
				  expected);
	if (seq - 1 == expected)
		return find_fault(v, here,
				  "dropped: seq %lld is missing before this line",
				  expected);
	return find_fault(v, here,
			  "dropped: seq %lld to %lld are missing before this line",
			  expected, seq - 1);
}

static bool check_checkpoint(struct verifier *v, const struct audit_line *line)
{
	struct error why = ERROR_INIT;

	v->ends_in_checkpoint = strcmp(line->event, AUDIT_CHECKPOINT_EVENT) == 0;
	if (!v->ends_in_checkpoint)
		return true;
	if (!audit_checkpoint_check(line->data, &v->last, v->program, v->key, &why))
		return find_fault(v, v->report->lines + 1, "%s", why.message);
	v->report->checkpoints++;
	if (v->key)
		v->report->signed_to_seq = v->last.seq;
	return true;
}

static bool check_line(struct verifier *v, const char *text, size_t length)
{
	struct error why = ERROR_INIT;
	struct audit_line line;

	json_auto_t *json = audit_line_read(text, length, &line, &why);
	if (!json)
		return find_fault(v, v->report->lines + 1, "edited: %s", why.message);
	if (strcmp(line.program, v->program) != 0)
		return find_fault(v, v->report->lines + 1,
				  "inserted: the line is of the chain of '%s'",
				  line.program);
	if (!follows(&line, &v->last))
		return explain_break(v, &line);
	if (!check_checkpoint(v, &line))
		return false;
	v->before_last = v->last;
	v->last = line.place;
	v->report->lines++;
	meet_anchors(v);
	return true;
}

/* False only when the file cannot be read. */
static bool check_lines(struct verifier *v, struct error *err)
{
	const char *text;
	size_t length;

	for (;;) {
		switch (audit_reader_next(v->reader, &text, &length, err)) {
		case AUDIT_READ_LINE:
			if (!check_line(v, text, length))
				return true;
			break;
		case AUDIT_READ_END:
			return true;
		case AUDIT_READ_TORN:
			find_fault(v, v->report->lines + 1,
				   "torn: the last line does not end");
			return true;
		case AUDIT_READ_TOO_LONG:
			find_fault(v, v->report->lines + 1,
				   "edited: longer than a line can be");
			return true;
		case AUDIT_READ_FAILED:
			return false;
		}
	}
}

static void verifier_done(struct verifier *v)
{
	audit_reader_close(v->reader);
	free(v->wanted);
}

bool audit_verify_file(const char *path, const char *program,
		       const struct verify_key *key, const struct audit_anchor *anchors,
		       size_t anchor_count, struct audit_report *ret, struct error *err)
{
	struct audit_report report = { .signed_to_seq = -1, .sound = true };
	_cleanup_(verifier_done) struct verifier v = {
		.program = program,
		.key = key,
		.reader = audit_reader_open(path, err),
		.before_last = audit_nothing,
		.last = audit_nothing,
		.anchored_seq = -1,
		.report = &report,
	};

	if (!v.reader || !collect_wanted(&v, anchors, anchor_count, err) ||
	    !check_lines(&v, err))
		return false;
	report.last_seq = v.last.seq;
	memcpy(report.last_hash, v.last.hash, sizeof report.last_hash);
	if (report.sound && check_anchors(&v) && v.anchored_seq >= 0)
		report.end_proven =
			v.anchored_seq == v.last.seq ||
			(v.ends_in_checkpoint && v.anchored_seq == v.last.seq - 1);
	*ret = report;
	return true;
}
