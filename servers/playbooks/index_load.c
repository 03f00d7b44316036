/* The index's file into memory, each row held against what is there already. */
#include "servers/playbooks/index_private.h"

#include <string.h>

enum { VERSION = 3, ARENA_BLOCK = 256 * 1024 };

/* ---- Memory for texts ---- */

static const char *keep(struct index_private *p, const char *text)
{
	const size_t length = strlen(text) + 1;

	if (!p->blocks || p->block_used + length > p->block_room) {
		const size_t room = length > ARENA_BLOCK ? length : ARENA_BLOCK;
		struct index_block *b = malloc(sizeof *b + room);

		if (!b)
			return NULL;
		b->next = p->blocks;
		p->blocks = b;
		p->block_used = 0;
		p->block_room = room;
		p->memory += room;
	}
	char *to = p->blocks->bytes + p->block_used;
	p->block_used += length;
	return memcpy(to, text, length);
}

/* ---- Rows ---- */

/* One number out of the file; -1: none. */
static int64_t ask(const struct index *x, const char *sql)
{
	struct error ignored = ERROR_INIT;
	sqlite3_stmt *s = NULL;
	int64_t value = -1;

	if (index_prepare(x, sql, &s, &ignored) && sqlite3_step(s) == SQLITE_ROW)
		value = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return value;
}

typedef bool row_reader(struct index *x, sqlite3_stmt *s, uint32_t at, struct error *err);

/* Every row, numbered from 0; 'expected' of them. */
static bool read_rows(struct index *x, const char *sql, uint32_t expected,
		      row_reader *read, struct error *err)
{
	sqlite3_stmt *s = NULL;
	uint32_t at = 0;
	bool ok = index_prepare(x, sql, &s, err);
	int rc = SQLITE_DONE;

	while (ok && (rc = sqlite3_step(s)) == SQLITE_ROW && at < expected)
		ok = read(x, s, at++, err);
	if (ok && (rc != SQLITE_DONE || at != expected))
		ok = rc == SQLITE_DONE || rc == SQLITE_ROW
			     ? error_set(err, ERR_INTERNAL, "the index is not whole")
			     : index_fail(x, err);
	(void)sqlite3_finalize(s);
	return ok;
}

static const char *text_of(struct index *x, sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? keep(x->private, text) : NULL;
}

static uint32_t find_twin(const struct index *x, struct lexicon *digests, uint32_t at)
{
	const struct index_document *d = &x->documents[at];
	char key[160];
	uint32_t number;

	(void)snprintf(key, sizeof key, "%s", d->digest);
	if (d->readers || !lexicon_add(digests, key, &number))
		return at;
	return number;
}

static bool read_document(struct index *x, sqlite3_stmt *s, uint32_t at,
			  struct error *err)
{
	struct index_document *d = &x->documents[at];
	const void *signature = sqlite3_column_blob(s, 9);
	uint32_t number;

	*d = (struct index_document){
		.id = text_of(x, s, 0),
		.source = text_of(x, s, 1),
		.title = text_of(x, s, 2),
		.revision = text_of(x, s, 3),
		.digest = text_of(x, s, 4),
		.url = text_of(x, s, 5),
		.fault = text_of(x, s, 6),
		.tags = index_json(s, 7),
		.readers = index_json(s, 8),
		.updated_ms = sqlite3_column_int64(s, 10),
		.twin = at,
	};
	if (signature && sqlite3_column_bytes(s, 9) == sizeof *x->signatures)
		memcpy(&x->signatures[at], signature, sizeof *x->signatures);
	/* What is hidden from somebody must not become visible because a row is odd. */
	if (sqlite3_column_type(s, 8) != SQLITE_NULL && !json_is_array(d->readers))
		return error_set(err, ERR_INTERNAL, "the index has odd readers");
	if (!d->id || !d->source || !d->title || !d->revision || !d->digest ||
	    !d->fault || !d->tags)
		return error_oom(err);
	return (lexicon_add(&x->private->ids, d->id, &number) && number == at) ||
	       error_oom(err);
}

static bool read_section(struct index *x, sqlite3_stmt *s, uint32_t at, struct error *err)
{
	struct index_section *section = &x->sections[at];

	*section = (struct index_section){
		.document = (uint32_t)sqlite3_column_int64(s, 0),
		.level = sqlite3_column_int(s, 1),
		.parent = sqlite3_column_int(s, 2),
		.start = (uint32_t)sqlite3_column_int64(s, 3),
		.end = (uint32_t)sqlite3_column_int64(s, 4),
		.heading = text_of(x, s, 5),
	};
	if (!section->heading)
		return error_oom(err);
	if (section->document >= x->document_count || section->start > section->end)
		return error_set(err, ERR_INTERNAL, "the index has an odd section");
	struct index_document *d = &x->documents[section->document];
	if (d->section_count++ == 0)
		d->first_section = at;
	return section->parent < (int)d->section_count ||
	       error_set(err, ERR_INTERNAL, "the index has an odd section");
}

static bool read_stem(struct index *x, sqlite3_stmt *s, uint32_t at, struct error *err)
{
	struct index_private *p = x->private;
	const char *text = (const char *)sqlite3_column_text(s, 0);
	const size_t sections = (size_t)sqlite3_column_bytes(s, 3);
	const size_t documents = (size_t)sqlite3_column_bytes(s, 4);
	/* 'block_used' counts in the postings while these are read. */
	uint8_t *to = p->postings + p->block_used;
	uint32_t number;

	if (!text || p->block_used + sections + documents > p->block_room)
		return error_set(err, ERR_INTERNAL, "the index has an odd stem");
	if (sections)
		memcpy(to, sqlite3_column_blob(s, 3), sections);
	if (documents)
		memcpy(to + sections, sqlite3_column_blob(s, 4), documents);
	p->block_used += sections + documents;
	x->postings[at] = (struct index_postings){
		.sections = to,
		.sections_end = to + sections,
		.documents = to + sections,
		.documents_end = to + sections + documents,
		.in_sections = (uint32_t)sqlite3_column_int64(s, 1),
		.in_documents = (uint32_t)sqlite3_column_int64(s, 2),
	};
	return (lexicon_add(&x->stems, text, &number) && number == at) || error_oom(err);
}

uint32_t index_letters(const char *word)
{
	uint32_t letters = 0;

	for (; *word; word++) {
		const unsigned char c = (unsigned char)*word;

		letters |= 1u << (c >= 'a' && c <= 'z'   ? c - 'a'
				  : c >= '0' && c <= '9' ? 26 + c % 3
							 : 29 + c % 3);
	}
	return letters;
}

static bool read_surface(struct index *x, sqlite3_stmt *s, uint32_t at, struct error *err)
{
	const char *text = (const char *)sqlite3_column_text(s, 0);
	const size_t length = text ? strlen(text) : 0;
	uint32_t number;

	x->surface_rows[at] = (struct index_surface){
		.stem = (uint32_t)sqlite3_column_int64(s, 1),
		.count = (uint32_t)sqlite3_column_int64(s, 2),
		.letters = text ? index_letters(text) : 0,
		.length = (uint8_t)(length < 255 ? length : 255),
	};
	if (!text || x->surface_rows[at].stem >= x->stems.count)
		return error_set(err, ERR_INTERNAL, "the index has an odd word");
	return (lexicon_add(&x->surfaces, text, &number) && number == at) ||
	       error_oom(err);
}

static bool read_acronym(struct index *x, sqlite3_stmt *s, uint32_t at, struct error *err)
{
	const char *text = (const char *)sqlite3_column_text(s, 0);
	uint32_t ignored;

	(void)at;
	return (text && lexicon_add(&x->acronyms, text, &ignored)) || error_oom(err);
}

/* ---- The whole ---- */

static void fold_twins(struct index *x)
{
	struct lexicon digests = { 0 };
	uint32_t *first = calloc(x->document_count + 1, sizeof *first);
	uint32_t known = 0;

	for (uint32_t i = 0; first && i < x->document_count; i++) {
		if (x->documents[i].readers)
			continue;
		const uint32_t number = find_twin(x, &digests, i);

		if (digests.count > known) {
			first[known] = i;
			known = digests.count;
		} else if (number < known)
			x->documents[i].twin = first[number];
	}
	free(first);
	lexicon_done(&digests);
}

static bool allocate(struct index *x, const int64_t *counts, struct error *err)
{
	struct index_private *p = x->private;

	for (size_t i = 0; i < 5; i++)
		if (counts[i] < 0 || counts[i] > UINT32_MAX / 2)
			return error_set(err, ERR_INTERNAL, "the index has odd counts");
	x->document_count = (uint32_t)counts[0];
	x->section_count = (uint32_t)counts[1];
	x->documents = calloc(x->document_count + 1, sizeof *x->documents);
	x->signatures = calloc(x->document_count + 1, sizeof *x->signatures);
	x->sections = calloc(x->section_count + 1, sizeof *x->sections);
	x->postings = calloc((size_t)counts[2] + 1, sizeof *x->postings);
	x->surface_rows = calloc((size_t)counts[3] + 1, sizeof *x->surface_rows);
	p->postings = malloc((size_t)counts[4] + 1);
	p->memory += x->document_count * (sizeof *x->documents + sizeof *x->signatures) +
		     x->section_count * sizeof *x->sections +
		     (size_t)counts[2] * sizeof *x->postings +
		     (size_t)counts[3] * sizeof *x->surface_rows + (size_t)counts[4];
	return (x->documents && x->signatures && x->sections && x->postings &&
		x->surface_rows && p->postings) ||
	       error_oom(err);
}

bool index_load(struct index *x, struct error *err)
{
	struct index_private *p = x->private;
	const int64_t counts[] = {
		ask(x, "SELECT count(*) FROM documents"),
		ask(x, "SELECT count(*) FROM sections"),
		ask(x, "SELECT count(*) FROM stems"),
		ask(x, "SELECT count(*) FROM surfaces"),
		ask(x, "SELECT coalesce(sum(length(sections)+length(documents)),0)"
		       " FROM stems"),
	};
	const int64_t acronyms = ask(x, "SELECT count(*) FROM acronyms");

	if (ask(x, "PRAGMA user_version") != VERSION || acronyms < 0)
		return error_set(err, ERR_INTERNAL, "the index is of another version");
	if (!allocate(x, counts, err) ||
	    !read_rows(x,
		       "SELECT name,source,title,revision,digest,url,fault,tags,readers,"
		       "signature,updated_ms FROM documents ORDER BY id",
		       x->document_count, read_document, err) ||
	    !read_rows(x,
		       "SELECT document,level,parent,start,stop,heading FROM sections"
		       " ORDER BY id",
		       x->section_count, read_section, err))
		return false;
	/* From here on the texts of documents and sections are complete. */
	const size_t used = p->block_used, room = p->block_room;
	p->block_used = 0;
	p->block_room = (size_t)counts[4];
	if (!read_rows(x,
		       "SELECT text,in_sections,in_documents,sections,documents"
		       " FROM stems ORDER BY id",
		       (uint32_t)counts[2], read_stem, err))
		return false;
	p->block_used = used;
	p->block_room = room;
	fold_twins(x);
	return read_rows(x, "SELECT text,stem,count FROM surfaces ORDER BY id",
			 (uint32_t)counts[3], read_surface, err) &&
	       read_rows(x, "SELECT text FROM acronyms", (uint32_t)acronyms, read_acronym,
			 err) &&
	       index_prepare(x, "SELECT body FROM documents WHERE id=?", &p->body, err) &&
	       index_prepare(x, "SELECT stamp FROM documents WHERE id=?", &p->stamp, err);
}
