/*
 * Chains of several programs that name each other's heads, in files that are followed by
 * others at random, and then somebody who changes what is there: TAMPERINGS times, each
 * in one of the ways below, judged with what a verifier may know. Whatever it says is
 * proven must be what was written; what was not touched must be found sound.
 */
#include "base/canonical.h"
#include "guard/audit_files.h"
#include "guard/audit_line.h"
#include "guard/testing_audit.h"

enum {
	PROGRAMS = 3,
	WORLDS = 10,
	TAMPERINGS = 10000,
	LINES = 30, /* appended by all programs of a world, at least */
	COPY_FILES = 64,
	COPY_LINES = 400
};

static const char *const names[PROGRAMS] = { "gate", "accounts", "files" };

/* ---- Chance: the same at every run ---- */

struct chance {
	uint64_t state;
};

static size_t pick(struct chance *c, size_t count)
{
	c->state = c->state * UINT64_C(6364136223846793005) +
		   UINT64_C(1442695040888963407);
	return count > 0 ? (size_t)((c->state >> 33) % count) : 0;
}

/* ---- One chain in memory ---- */

struct copy_file {
	char *path;
	char *lines[COPY_LINES]; /* without newlines */
	size_t count;
	const char *tail; /* what stands behind the last newline */
};

struct copy {
	struct copy_file files[COPY_FILES];
	size_t count;
};

static void file_done(struct copy_file *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->lines[i]);
	free(f->path);
	*f = (struct copy_file){ 0 };
}

static void copy_free(struct copy *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		file_done(&c->files[i]);
	free(c);
}

static void file_add(struct copy_file *f, const char *line, size_t length)
{
	assert_true(f->count < COPY_LINES);
	f->lines[f->count++] = strndup(line, length);
}

static void duplicate_file(struct copy_file *to, const struct copy_file *from)
{
	*to = (struct copy_file){ .path = strdup(from->path), .tail = from->tail };
	for (size_t i = 0; i < from->count; i++)
		file_add(to, from->lines[i], strlen(from->lines[i]));
}

static struct copy *copy_of(const struct copy *from)
{
	struct copy *c = calloc(1, sizeof *c);

	for (; c->count < from->count; c->count++)
		duplicate_file(&c->files[c->count], &from->files[c->count]);
	return c;
}

static struct copy *copy_read(const char *folder, const char *program)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };
	struct copy *c = calloc(1, sizeof *c);
	struct error err = ERROR_INIT;

	assert_true(audit_files_list(folder, program, &files, &err));
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct copy_file *f = &c->files[c->count++];

		assert_true(c->count < COPY_FILES);
		f->path = strdup(files.file[i].path);
		assert_true(file_read(f->path, 10000000, &text, &err));
		for (char *at = text.data, *end; at && (end = strchr(at, '\n'));
		     at = end + 1)
			file_add(f, at, (size_t)(end - at));
	}
	return c;
}

static void copy_write(const struct copy *c)
{
	for (size_t i = 0; i < c->count; i++) {
		FILE *f = fopen(c->files[i].path, "we");
		assert_non_null(f);
		for (size_t j = 0; j < c->files[i].count; j++)
			(void)fprintf(f, "%s\n", c->files[i].lines[j]);
		(void)fputs(c->files[i].tail ? c->files[i].tail : "", f);
		assert_int_equal(fclose(f), 0);
	}
}

static void copy_unlink(const struct copy *c)
{
	for (size_t i = 0; i < c->count; i++)
		(void)unlink(c->files[i].path);
}

static size_t count_lines(const struct copy *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		count += c->files[i].count;
	return count;
}

/* The line at 'n' of all; NULL behind the last. */
static char **line_at(struct copy *c, size_t n)
{
	for (size_t i = 0; i < c->count; n -= c->files[i++].count)
		if (n < c->files[i].count)
			return &c->files[i].lines[n];
	return NULL;
}

static struct copy_file *file_of(struct copy *c, size_t n, size_t *ret_at)
{
	for (size_t i = 0; i < c->count; n -= c->files[i++].count)
		if (n < c->files[i].count) {
			*ret_at = n;
			return &c->files[i];
		}
	return NULL;
}

static void drop_file(struct copy *c, size_t n)
{
	file_done(&c->files[n]);
	memmove(&c->files[n], &c->files[n + 1], (c->count - n - 1) * sizeof c->files[0]);
	c->count--;
}

static void drop_line(struct copy *c, size_t n)
{
	size_t at = 0;
	struct copy_file *f = file_of(c, n, &at);

	free(f->lines[at]);
	memmove(&f->lines[at], &f->lines[at + 1],
		(f->count - at - 1) * sizeof f->lines[0]);
	f->count--;
}

static void insert_line(struct copy *c, size_t n, const char *line)
{
	size_t at = 0;
	struct copy_file *f = file_of(c, n, &at);

	assert_true(f->count < COPY_LINES);
	memmove(&f->lines[at + 1], &f->lines[at], (f->count - at) * sizeof f->lines[0]);
	f->lines[at] = strdup(line);
	f->count++;
}

/* ---- Forging ---- */

/* What a careful forger does with one line: another content at this place, with its hash;
 * a checkpoint is made over what is before it, with his key if he has one. */
static void forge(char **line, const char *data, struct audit_place *place,
		  const struct sign_key *key)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, fresh = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct audit_line read;
	json_auto_t *json = audit_line_read(*line, strlen(*line), &read, &err);

	assert_non_null(json);
	if (data)
		strbuf_add_string(&text, data);
	else if (strcmp(read.event, AUDIT_CHECKPOINT_EVENT) == 0 && key)
		assert_true(
			audit_checkpoint_write(&text, place, read.program, key, &err));
	else
		assert_true(canonical_write(&text, read.data, &err));
	assert_true(audit_line_write(&fresh, place, read.at, read.program, read.event,
				     &text, &err));
	free(*line);
	*line = strndup(fresh.data, fresh.length - 1);
}

static struct audit_place place_before(struct copy *c, size_t n)
{
	struct audit_place place = audit_nothing;
	struct error err = ERROR_INIT;
	struct audit_line read;

	if (n > 0) {
		char **line = line_at(c, n - 1);
		json_auto_t *json = audit_line_read(*line, strlen(*line), &read, &err);
		assert_non_null(json);
		place = read.place;
	}
	return place;
}

static void forge_rest(struct copy *c, size_t from, const struct sign_key *key)
{
	struct audit_place place = place_before(c, from);

	for (char **line; (line = line_at(c, from)); from++)
		forge(line, NULL, &place, key);
}

/* ---- A world ---- */

struct world {
	char folder[TESTING_PATH_BYTES];
	char audit[TESTING_PATH_BYTES + 16];
	struct statedir *dir;
	struct copy *chains[PROGRAMS], *older[PROGRAMS];
	struct verify_key *keys[PROGRAMS];
	struct audit_anchor *peers[PROGRAMS]; /* what the other two know of it */
	size_t peer_counts[PROGRAMS];
	struct sign_key *forger;
};

static json_t *line_data(struct chance *chance, struct audit *const *audits, size_t self,
			 int n)
{
	json_t *data = json_pack("{s:i, s:s}", "n", n, "text", "äöü \"quoted\" </x>");
	const size_t peer = pick(chance, PROGRAMS);
	char hash[DIGEST_HEX_BYTES];
	int64_t seq;

	if (peer == self || pick(chance, 3) > 0)
		return data;
	audit_head(audits[peer], &seq, hash);
	/* A grant tells the head of the gate without its number. */
	(void)json_object_set_new(
		data, peer == 0 ? "gate_head" : "server_head",
		peer == 0 ? json_pack("{s:s, s:s}", "program", names[peer], "hash", hash)
			  : json_pack("{s:s, s:I, s:s}", "program", names[peer], "seq",
				      (json_int_t)seq, "hash", hash));
	return data;
}

static void write_chains(struct world *w, struct chance *chance)
{
	struct audit *audits[PROGRAMS] = { NULL };
	struct error err = ERROR_INIT;
	const size_t total = PROGRAMS * (LINES + pick(chance, LINES));

	for (size_t i = 0; i < total; i++) {
		const size_t self = pick(chance, PROGRAMS);

		if (i == total / 2)
			for (size_t p = 0; p < PROGRAMS; p++) {
				audit_close(TAKE(audits[p]));
				w->older[p] = copy_read(w->audit, names[p]);
			}
		for (size_t p = 0; p < PROGRAMS; p++)
			if (!audits[p] || pick(chance, 90) == 0) {
				audit_close(TAKE(audits[p]));
				audits[p] = audit_open(w->dir, names[p], &err);
				testing_no_error(&err);
				audit_limit_file(audits[p],
						 (int64_t)(2000 + pick(chance, 8000)));
			}
		assert_true(audit_append(audits[self], "test.line",
					 line_data(chance, audits, self, (int)i), NULL,
					 &err));
	}
	for (size_t p = 0; p < PROGRAMS; p++)
		audit_close(audits[p]);
}

static struct world *world_new(struct chance *chance)
{
	struct world *w = calloc(1, sizeof *w);
	struct error err = ERROR_INIT;

	testing_folder(w->folder);
	(void)snprintf(w->audit, sizeof w->audit, "%s/audit", w->folder);
	w->dir = statedir_new(w->folder, &err);
	assert_true(w->dir && statedir_create(w->dir, &err));
	write_chains(w, chance);
	for (size_t p = 0; p < PROGRAMS; p++) {
		_cleanup_free_ char *pem =
			statedir_path(w->dir, "audit/%s.pem", names[p]);
		w->keys[p] = verify_key_read(pem, &err);
		assert_non_null(w->keys[p]);
		w->chains[p] = copy_read(w->audit, names[p]);
		for (size_t other = 0; other < PROGRAMS; other++)
			if (other != p)
				assert_true(audit_collect(w->audit, names[other],
							  &w->peers[p],
							  &w->peer_counts[p], &err));
	}
	_cleanup_free_ char *forger = statedir_path(w->dir, "forger.key");
	w->forger = sign_key_create(forger, &err);
	assert_non_null(w->forger);
	return w;
}

static void world_free(struct world *w)
{
	for (size_t p = 0; p < PROGRAMS; p++) {
		copy_free(w->chains[p]);
		copy_free(w->older[p]);
		verify_key_free(w->keys[p]);
		free(w->peers[p]);
	}
	sign_key_free(w->forger);
	statedir_free(w->dir);
	testing_remove(w->folder);
	free(w);
}

/* ---- Ways to tamper; 'n' is a line, and nothing is said of what results ---- */

struct tampering {
	struct world *world, *elsewhere;
	struct chance *chance;
	size_t program;
	struct copy *c;
	size_t n, lines;
};

static void edit(struct tampering *t)
{
	char *line = *line_at(t->c, t->n);

	line[pick(t->chance, strlen(line))] ^= (char)(1 + pick(t->chance, 15));
}

static void edit_with_hash(struct tampering *t)
{
	struct audit_place place = place_before(t->c, t->n);

	forge(line_at(t->c, t->n), "{\"n\":4711}", &place, NULL);
}

static void edit_and_go_on(struct tampering *t)
{
	edit_with_hash(t);
	forge_rest(t->c, t->n + 1, NULL);
}

static void edit_and_sign(struct tampering *t)
{
	edit_with_hash(t);
	forge_rest(t->c, t->n + 1, t->world->forger);
}

/* Where nothing is signed any more, and nothing signed follows: this shows to those alone
 * who know the line, or one behind it. */
static void edit_the_unsigned_end(struct tampering *t)
{
	edit_and_go_on(t);
	for (size_t i = t->n; i < count_lines(t->c); i++)
		if (strstr(*line_at(t->c, i), "\"event\":\"checkpoint\""))
			while (count_lines(t->c) > i)
				drop_line(t->c, i);
	while (t->c->count > 1 && t->c->files[t->c->count - 1].count == 0)
		drop_file(t->c, t->c->count - 1);
}

static void sign_all_anew(struct tampering *t)
{
	forge_rest(t->c, 0, t->world->forger);
}

static void drop(struct tampering *t)
{
	for (size_t i = pick(t->chance, 4) + 1; i > 0 && t->n < count_lines(t->c); i--)
		drop_line(t->c, t->n);
}

static void drop_and_sign(struct tampering *t)
{
	drop(t);
	forge_rest(t->c, t->n, t->world->forger);
}

static void insert(struct tampering *t)
{
	struct audit_place place = place_before(t->c, t->n);

	insert_line(t->c, t->n, *line_at(t->c, t->n));
	forge(line_at(t->c, t->n), "{\"n\":4712}", &place, NULL);
}

static void insert_and_go_on(struct tampering *t)
{
	insert(t);
	forge_rest(t->c, t->n + 1, pick(t->chance, 2) ? t->world->forger : NULL);
}

static void repeat(struct tampering *t)
{
	insert_line(t->c, pick(t->chance, t->lines), *line_at(t->c, t->n));
}

static void reorder(struct tampering *t)
{
	char **one = line_at(t->c, t->n),
	     **other = line_at(t->c, pick(t->chance, t->lines));
	char *line = *one;

	*one = *other;
	*other = line;
}

static void cut(struct tampering *t)
{
	while (count_lines(t->c) > t->n)
		drop_line(t->c, t->n);
	/* With the files that were begun afterwards, or most of them. */
	while (t->c->count > 1 && t->c->files[t->c->count - 1].count == 0 &&
	       pick(t->chance, 8) > 0)
		drop_file(t->c, t->c->count - 1);
	if (pick(t->chance, 4) == 0)
		t->c->files[t->c->count - 1].tail = "{\"at\":\"2026-";
}

static void roll_back(struct tampering *t)
{
	copy_free(t->c);
	t->c = copy_of(t->world->older[t->program]);
}

static void swap_files(struct tampering *t)
{
	struct copy_file *one = &t->c->files[pick(t->chance, t->c->count)],
			 *other = &t->c->files[pick(t->chance, t->c->count)];
	char *path = one->path;

	one->path = other->path;
	other->path = path;
}

static void drop_a_file(struct tampering *t)
{
	drop_file(t->c, pick(t->chance, t->c->count));
}

static void empty_a_file(struct tampering *t)
{
	struct copy_file *f = &t->c->files[pick(t->chance, t->c->count)];
	struct copy_file empty = { .path = strdup(f->path) };

	file_done(f);
	*f = empty;
}

static void repeat_a_file(struct tampering *t)
{
	struct copy_file *f = &t->c->files[t->c->count++];

	duplicate_file(f, &t->c->files[pick(t->chance, t->c->count - 1)]);
	free(f->path);
	f->path = audit_files_path(t->world->audit, names[t->program],
				   (int64_t)pick(t->chance, 2 * t->lines));
	/* One that is there already is replaced. */
	for (size_t i = 0; i + 1 < t->c->count; i++)
		if (strcmp(t->c->files[i].path, f->path) == 0) {
			drop_file(t->c, i);
			return;
		}
}

static void rename_a_file(struct tampering *t)
{
	struct copy_file *f = &t->c->files[pick(t->chance, t->c->count)];
	char *path = audit_files_path(t->world->audit, names[t->program],
				      (int64_t)pick(t->chance, 2 * t->lines));

	for (size_t i = 0; i < t->c->count; i++)
		if (strcmp(t->c->files[i].path, path) == 0) {
			free(path);
			return;
		}
	free(f->path);
	f->path = path;
}

/* Lines from here on are those of another chain: of this program elsewhere, or of a peer. */
static void splice_lines(struct tampering *t)
{
	const bool is_peer = pick(t->chance, 2);
	struct copy *from = is_peer ? t->world->chains[(t->program + 1) % PROGRAMS]
				    : t->elsewhere->chains[t->program];

	for (size_t i = t->n, n = 0; n < 30 && line_at(t->c, i) && line_at(from, i);
	     i++, n++) {
		free(*line_at(t->c, i));
		*line_at(t->c, i) = strdup(*line_at(from, i));
	}
	if (pick(t->chance, 2) && !is_peer)
		forge_rest(t->c, t->n, t->world->forger);
}

static void file_from_elsewhere(struct tampering *t)
{
	struct copy *from = t->elsewhere->chains[t->program];
	const size_t n =
		pick(t->chance, t->c->count < from->count ? t->c->count : from->count);
	char *path = strdup(t->c->files[n].path);

	file_done(&t->c->files[n]);
	duplicate_file(&t->c->files[n], &from->files[n]);
	free(t->c->files[n].path);
	t->c->files[n].path = path;
}

static const struct way {
	void (*fn)(struct tampering *);
	const char *name;
} ways[] = {
#define WAY(name)                                                                        \
	{                                                                                \
		name, #name                                                              \
	}
	WAY(edit),
	WAY(edit_with_hash),
	WAY(edit_and_go_on),
	WAY(edit_and_sign),
	WAY(edit_the_unsigned_end),
	WAY(sign_all_anew),
	WAY(drop),
	WAY(drop_and_sign),
	WAY(insert),
	WAY(insert_and_go_on),
	WAY(repeat),
	WAY(reorder),
	WAY(cut),
	WAY(roll_back),
	WAY(swap_files),
	WAY(drop_a_file),
	WAY(empty_a_file),
	WAY(repeat_a_file),
	WAY(rename_a_file),
	WAY(splice_lines),
	WAY(file_from_elsewhere),
#undef WAY
};

/* ---- Judging ---- */

enum knowledge { NOTHING, PEERS, A_NOTE, KNOWLEDGE_COUNT };

static void sort_by_path(struct copy *c)
{
	/* As they will be read again. */
	for (size_t i = 1; i < c->count; i++)
		for (size_t j = i; j > 0; j--) {
			struct audit_file_name one, other;
			audit_files_read_name(c->files[j - 1].path, &one);
			audit_files_read_name(c->files[j].path, &other);
			const bool in_order = one.first_seq != other.first_seq
						      ? one.first_seq < other.first_seq
						      : !one.is_numbered ||
								other.is_numbered;
			if (in_order)
				break;
			struct copy_file f = c->files[j];
			c->files[j] = c->files[j - 1];
			c->files[j - 1] = f;
		}
}

static bool is_untouched(const struct copy *a, const struct copy *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct copy_file *one = &a->files[i], *other = &b->files[i];

		if (strcmp(one->path, other->path) != 0 || one->count != other->count ||
		    one->tail)
			return false;
		for (size_t j = 0; j < one->count; j++)
			if (strcmp(one->lines[j], other->lines[j]) != 0)
				return false;
	}
	return true;
}

static void fail_at(const struct tampering *t, const struct way *way,
		    enum knowledge knowledge, const struct audit_report *r,
		    const char *why)
{
	fail_msg("%s at line %zu of %zu of %s, knowing %d: %s: seq %lld to %lld, proven "
		 "to "
		 "%lld, end %s, '%s'",
		 way ? way->name : "untouched", t->n, t->lines, names[t->program],
		 (int)knowledge, why, (long long)r->first_seq, (long long)r->last_seq,
		 (long long)r->proven_to_seq, r->end_proven ? "proven" : "not proven",
		 r->finding);
}

/* How many of the numbered things that are known stand behind the end. */
static bool is_end_known(const struct audit_anchor *anchors, size_t count,
			 const char *program, int64_t last)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(anchors[i].program, program) == 0 && anchors[i].seq > last)
			return true;
	return false;
}

static void judge(struct tampering *t, const struct way *way, enum knowledge knowledge,
		  const struct audit_anchor *note, unsigned *found)
{
	struct copy *original = t->world->chains[t->program];
	const struct audit_anchor *anchors = knowledge == PEERS
						     ? t->world->peers[t->program]
					     : knowledge == A_NOTE ? note
								   : NULL;
	const size_t count = knowledge == PEERS    ? t->world->peer_counts[t->program]
			     : knowledge == A_NOTE ? 1
						   : 0;
	struct audit_report r;
	struct error err = ERROR_INIT;

	if (!audit_verify(t->world->audit, names[t->program], t->world->keys[t->program],
			  anchors, count, &r, &err)) {
		/* No file is left: nobody is deceived. */
		assert_int_equal(t->c->count, 0);
		return;
	}
	*found += !r.sound;
	if (is_untouched(t->c, original)) {
		if (!r.sound || r.first_seq != 0 || r.last_seq != (int64_t)t->lines - 1)
			fail_at(t, way, knowledge, &r, "a false alarm");
		return;
	}
	if (!r.sound) {
		if (r.finding[0] == '\0' || r.finding_line < 1 || r.end_proven)
			fail_at(t, way, knowledge, &r,
				"nothing is said of what was found");
		return;
	}
	/* Not found: then nothing that is called proven was touched. */
	if (is_end_known(anchors, count, names[t->program], r.last_seq))
		fail_at(t, way, knowledge, &r, "the end is known and not missed");
	size_t here = 0;
	for (int64_t seq = r.first_seq; seq >= 0 && seq <= r.proven_to_seq;
	     seq++, here++) {
		char **is = line_at(t->c, here), **was = line_at(original, (size_t)seq);
		if (!is || !was || strcmp(*is, *was) != 0)
			fail_at(t, way, knowledge, &r,
				"what was forged is called proven");
	}
	if (r.end_proven && r.proven_to_seq < r.last_seq - 1)
		fail_at(t, way, knowledge, &r, "proven, but for its end");
}

/* The head as somebody wrote it down when line 'n' was the last. */
static struct audit_anchor note_of(struct world *w, size_t program, size_t n)
{
	struct audit_anchor a = { .at_ms = -1, .source = "a note" };
	const struct audit_place place = place_before(w->chains[program], n + 1);

	(void)snprintf(a.program, sizeof a.program, "%s", names[program]);
	a.seq = place.seq;
	memcpy(a.hash, place.hash, sizeof a.hash);
	return a;
}

static unsigned tamper(struct world *w, struct world *elsewhere, struct chance *chance,
		       const struct way *way)
{
	const size_t program = pick(chance, PROGRAMS);
	struct tampering t = { .world = w,
			       .elsewhere = elsewhere,
			       .chance = chance,
			       .program = program,
			       .c = copy_of(w->chains[program]),
			       .lines = count_lines(w->chains[program]) };
	unsigned found = 0;

	t.n = pick(chance, t.lines);
	const struct audit_anchor note = note_of(w, program, pick(chance, t.lines));
	if (way)
		way->fn(&t);
	sort_by_path(t.c);
	copy_unlink(w->chains[program]);
	copy_write(t.c);
	if (way)
		judge(&t, way, (enum knowledge)pick(chance, KNOWLEDGE_COUNT), &note,
		      &found);
	else
		for (int k = 0; k < KNOWLEDGE_COUNT; k++)
			judge(&t, way, (enum knowledge)k, &note, &found);
	copy_unlink(t.c);
	copy_write(w->chains[program]);
	copy_free(t.c);
	return found;
}

/* The oldest files moved away, and nothing else: no alarm, and it is said from where on. */
static void move_away(struct world *w, struct chance *chance)
{
	const size_t program = pick(chance, PROGRAMS);
	const struct copy *c = w->chains[program];
	const size_t away = pick(chance, c->count);
	int64_t first = 0;
	struct audit_report r;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < away; i++) {
		first += (int64_t)c->files[i].count;
		assert_int_equal(unlink(c->files[i].path), 0);
	}
	assert_true(audit_verify(w->audit, names[program], w->keys[program],
				 w->peers[program], w->peer_counts[program], &r, &err));
	if (!r.sound || r.first_seq != first)
		fail_msg("%zu of %zu files moved away: from seq %lld: %s", away, c->count,
			 (long long)r.first_seq, r.finding);
	copy_write(c);
}

static void test_tamperings(void **state)
{
	struct chance chance = { 20261123 };
	unsigned found[ARRAY_SIZE(ways)] = { 0 }, tried[ARRAY_SIZE(ways)] = { 0 };
	struct world *elsewhere = world_new(&chance);
	size_t files = 0;

	(void)state;
	for (int i = 0; i < WORLDS; i++) {
		struct world *w = world_new(&chance);

		for (size_t p = 0; p < PROGRAMS; p++)
			files += w->chains[p]->count;
		for (int n = 0; n < TAMPERINGS / WORLDS; n++) {
			const size_t way = pick(&chance, ARRAY_SIZE(ways));
			found[way] += tamper(w, elsewhere, &chance, &ways[way]);
			tried[way]++;
			if (n % 50 == 0) {
				assert_int_equal(tamper(w, elsewhere, &chance, NULL), 0);
				move_away(w, &chance);
			}
		}
		world_free(w);
	}
	world_free(elsewhere);
	assert_true(files > 2 * PROGRAMS * WORLDS); /* it went on in other files */
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		print_message("# %-20s %u of %u found\n", ways[i].name, found[i],
			      tried[i]);
		/* A way that is never found, or never taken, tells of a broken test. */
		assert_true(tried[i] > 100 && found[i] > tried[i] / 10);
	}
}

int main(void)
{
	/* Thousands of files that live for a moment need no disk. */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tamperings),
	};

	return cmocka_run_group_tests_name("audit-tamper", tests, NULL, NULL);
}
