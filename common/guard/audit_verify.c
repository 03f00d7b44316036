#include "guard/audit_line.h"

#include <stdarg.h>

#include "base/clock.h"
#include "guard/audit_files.h"

/* An anchor of this program, and whether its line was met. */
struct wanted {
	const struct audit_anchor *anchor;
	bool found;
};

struct verifier {
	const char *program;
	const struct verify_key *key;
	const struct audit_file_name *files;
	size_t file_count;
	size_t now;      /* the file that is read */
	int64_t *begins; /* of the files that were read: the seq of the first line */
	struct audit_reader *reader;
	struct wanted *wanted; /* ordered by hash */
	size_t wanted_count;
	struct audit_place before_last, last; /* places of the two last good lines */
	int64_t first_at_ms; /* of the first line; -1: none, or not to be read */
	bool ends_in_checkpoint, is_first_of_file;
	struct audit_report *report;
};

/* The file and line that 'seq' stands in, or would stand in. */
static int64_t line_of(const struct verifier *v, int64_t seq, size_t *ret_file)
{
	size_t i = v->now;

	while (i > 0 && v->begins[i] > seq)
		i--;
	*ret_file = i;
	/* A line before all files shows in the first one, which names it. */
	return seq < v->begins[i] ? 1 : seq - v->begins[i] + 1;
}

static bool place_fault(struct verifier *v, int64_t seq)
{
	struct audit_report *r = v->report;
	size_t file;

	r->finding_line = line_of(v, seq, &file);
	const char *path = v->files[file].path, *slash = strrchr(path, '/');
	(void)snprintf(r->finding_file, sizeof r->finding_file, "%s",
		       slash ? slash + 1 : path);
	r->sound = false;
	return false;
}

_printf_(3, 4) static bool find_fault(struct verifier *v, int64_t seq, const char *format,
				      ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(v->report->finding, sizeof v->report->finding, format, args);
	va_end(args);
	return place_fault(v, seq);
}

/* The line being read, and the one before it: by the place where they stand. */
static int64_t here(const struct verifier *v)
{
	return v->last.seq + 1;
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
		v->report->anchored_to_seq = v->last.seq;
	}
}

/* It would stand in a file that was moved away, or may: nothing follows from its absence. */
static bool is_before(const struct verifier *v, const struct audit_anchor *anchor)
{
	const int64_t first = v->report->first_seq;

	if (first <= 0)
		return false;
	if (anchor->seq >= 0)
		return anchor->seq < first - 1;
	return anchor->at_ms >= 0 && v->first_at_ms >= 0 &&
	       anchor->at_ms < v->first_at_ms + AUDIT_ANCHOR_LAG_MS;
}

/* The chain holds in itself; does it hold all that others know of it? */
static bool check_anchors(struct verifier *v)
{
	const struct audit_anchor *missing = NULL;

	for (size_t i = 0; i < v->wanted_count; i++) {
		const struct audit_anchor *anchor = v->wanted[i].anchor;
		if (!v->wanted[i].found && !is_before(v, anchor) &&
		    (!missing || (uint64_t)anchor->seq < (uint64_t)missing->seq))
			missing = anchor;
	}
	if (!missing)
		return true;
	if (missing->seq < 0)
		return find_fault(v, v->last.seq < 0 ? 0 : v->last.seq,
				  "cut or written anew: no line has the hash that %s "
				  "knows (%.12s...)",
				  missing->source, missing->hash);
	if (v->last.seq < 0)
		return find_fault(v, 0, "cut: the log is empty, and %s knows seq %lld",
				  missing->source, (long long)missing->seq);
	if (missing->seq > v->last.seq)
		return find_fault(
			v, v->last.seq,
			"cut: the log ends with seq %lld, and %s knows seq %lld",
			(long long)v->last.seq, missing->source, (long long)missing->seq);
	return find_fault(v, missing->seq,
			  "written anew: seq %lld is not the line that %s knows "
			  "(%.12s...)",
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

	for (size_t next = v->now + 1; v->reader; next++) {
		while (audit_reader_next(v->reader, &text, &length, &ignored) ==
		       AUDIT_READ_LINE) {
			json_auto_t *json =
				audit_line_read(text, length, &line, &ignored);
			if (json && follows(&line, &v->last))
				return true;
			error_clear(&ignored);
		}
		audit_reader_close(TAKE(v->reader));
		if (next < v->file_count)
			v->reader = audit_reader_open(v->files[next].path, &ignored);
	}
	return false;
}

static bool explain_break(struct verifier *v, const struct audit_line *line)
{
	const long long expected = v->last.seq + 1, seq = line->place.seq;

	if (v->last.seq >= 0 && follows(line, &v->before_last))
		return find_fault(v, v->last.seq,
				  "inserted: two lines claim seq %lld, this and the next",
				  seq);
	if (seq == expected && expected > 0)
		return find_fault(
			v, v->last.seq,
			"edited: the next line follows another than this, whose hash was "
			"computed anew");
	if (seq == expected)
		return find_fault(v, here(v),
				  "edited: the first line names a line before it");
	if (seq < expected)
		return find_fault(v, here(v),
				  "inserted: seq %lld stands here for the second time",
				  seq);
	if (comes_later(v))
		return find_fault(v, here(v),
				  "reordered: seq %lld stands where %lld belongs", seq,
				  expected);
	if (seq - 1 == expected)
		return find_fault(v, here(v),
				  "dropped: seq %lld is missing before this line",
				  expected);
	return find_fault(v, here(v),
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
		return find_fault(v, here(v), "%s", why.message);
	v->report->checkpoints++;
	if (v->key)
		v->report->signed_to_seq = v->last.seq;
	return true;
}

/* The first line of a file: is it the one that the file's name promises? */
static bool check_name(struct verifier *v, const struct audit_line *line)
{
	const struct audit_file_name *file = &v->files[v->now];
	const long long seq = line->place.seq;

	v->is_first_of_file = false;
	if (!file->is_numbered)
		return true;
	if (seq != file->first_seq)
		return find_fault(
			v, here(v),
			"renamed: a file named for seq %lld begins with seq %lld",
			(long long)file->first_seq, seq);
	/* With it the chain may begin: the files before were moved away. */
	if (v->report->lines == 0 && v->now == 0 && seq > 0) {
		v->last.seq = v->begins[0] = seq;
		v->last.seq--;
		memcpy(v->last.hash, line->prev, DIGEST_HEX_BYTES);
		meet_anchors(v);
	}
	return true;
}

static bool check_line(struct verifier *v, const char *text, size_t length)
{
	struct error why = ERROR_INIT;
	struct audit_line line;

	json_auto_t *json = audit_line_read(text, length, &line, &why);
	if (!json)
		return find_fault(v, here(v), "edited: %s", why.message);
	if (strcmp(line.program, v->program) != 0)
		return find_fault(v, here(v),
				  "inserted: the line is of the chain of '%s'",
				  line.program);
	if (v->is_first_of_file && !check_name(v, &line))
		return false;
	if (!follows(&line, &v->last))
		return explain_break(v, &line);
	if (!check_checkpoint(v, &line))
		return false;
	if (v->report->first_seq < 0) {
		v->report->first_seq = line.place.seq;
		if (!clock_parse(line.at, &v->first_at_ms, &why))
			v->first_at_ms = -1;
	}
	v->before_last = v->report->lines > 0 ? v->last : audit_nothing;
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
			find_fault(v, here(v), "torn: the last line does not end");
			return true;
		case AUDIT_READ_TOO_LONG:
			find_fault(v, here(v), "edited: longer than a line can be");
			return true;
		case AUDIT_READ_FAILED:
			return false;
		}
	}
}

static bool check_files(struct verifier *v, struct error *err)
{
	for (size_t i = 0; i < v->file_count && v->report->sound; i++) {
		v->now = i;
		v->begins[i] = v->last.seq + 1;
		v->is_first_of_file = true;
		audit_reader_close(v->reader);
		v->reader = audit_reader_open(v->files[i].path, err);
		if (!v->reader || !check_lines(v, err))
			return false;
		/* The last file may just have been begun. */
		if (v->report->sound && v->is_first_of_file && i + 1 < v->file_count)
			find_fault(v, here(v), "cut: no line is left of this file");
	}
	v->report->files = v->file_count;
	return true;
}

static void conclude(struct verifier *v)
{
	struct audit_report *r = v->report;
	const int64_t last = v->last.seq;

	r->last_seq = r->lines > 0 ? last : -1;
	memcpy(r->last_hash, v->last.hash, sizeof r->last_hash);
	if (r->sound && check_anchors(v) && r->anchored_to_seq >= 0)
		r->end_proven = r->anchored_to_seq == last ||
				(v->ends_in_checkpoint && r->anchored_to_seq == last - 1);
	r->proven_to_seq = r->anchored_to_seq > r->signed_to_seq ? r->anchored_to_seq
								 : r->signed_to_seq;
}

static void verifier_done(struct verifier *v)
{
	audit_reader_close(v->reader);
	free(v->wanted);
	free(v->begins);
}

static bool verify(const struct audit_file_name *files, size_t count, const char *program,
		   const struct verify_key *key, const struct audit_anchor *anchors,
		   size_t anchor_count, struct audit_report *ret, struct error *err)
{
	struct audit_report report = {
		.first_seq = -1,
		.signed_to_seq = -1,
		.anchored_to_seq = -1,
		.sound = true,
	};
	_cleanup_(verifier_done) struct verifier v = {
		.program = program,
		.key = key,
		.files = files,
		.file_count = count,
		.begins = calloc(count + 1, sizeof *v.begins),
		.before_last = audit_nothing,
		.last = audit_nothing,
		.first_at_ms = -1,
		.report = &report,
	};

	if (!v.begins)
		return error_oom(err);
	if (!collect_wanted(&v, anchors, anchor_count, err) || !check_files(&v, err))
		return false;
	conclude(&v);
	*ret = report;
	return true;
}

bool audit_verify_file(const char *path, const char *program,
		       const struct verify_key *key, const struct audit_anchor *anchors,
		       size_t anchor_count, struct audit_report *ret, struct error *err)
{
	_cleanup_free_ char *copy = strdup(path);
	struct audit_file_name file;

	if (!copy)
		return error_oom(err);
	audit_files_read_name(copy, &file);
	return verify(&file, 1, program, key, anchors, anchor_count, ret, err);
}

bool audit_verify(const char *folder, const char *program, const struct verify_key *key,
		  const struct audit_anchor *anchors, size_t anchor_count,
		  struct audit_report *ret, struct error *err)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };

	if (!audit_files_list(folder, program, &files, err))
		return false;
	if (files.count == 0)
		return error_set(err, ERR_NOT_FOUND,
				 "there is no audit log of '%s' in '%s'", program,
				 folder);
	return verify(files.file, files.count, program, key, anchors, anchor_count, ret,
		      err);
}
