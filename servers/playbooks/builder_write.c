#include "servers/playbooks/builder_private.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "servers/playbooks/bytes.h"

static const char layout[] =
	"CREATE TABLE documents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" source TEXT NOT NULL, title TEXT NOT NULL, revision TEXT NOT NULL,"
	" digest TEXT NOT NULL, url TEXT, stamp TEXT, updated_ms INTEGER NOT NULL,"
	" tags TEXT NOT NULL, readers TEXT, fault TEXT NOT NULL, signature BLOB,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE TABLE sections(id INTEGER PRIMARY KEY, document INTEGER NOT NULL,"
	" level INTEGER NOT NULL, parent INTEGER NOT NULL, start INTEGER NOT NULL,"
	" stop INTEGER NOT NULL, heading TEXT NOT NULL) STRICT;"
	"CREATE TABLE stems(id INTEGER PRIMARY KEY, text TEXT NOT NULL,"
	" in_sections INTEGER NOT NULL, in_documents INTEGER NOT NULL,"
	" sections BLOB NOT NULL, documents BLOB NOT NULL) STRICT;"
	"CREATE TABLE surfaces(id INTEGER PRIMARY KEY, text TEXT NOT NULL,"
	" stem INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
	"CREATE TABLE acronyms(text TEXT NOT NULL) STRICT;"
	"CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
	"PRAGMA user_version = 3;"
	"BEGIN";

bool builder_failed(const struct builder *b, struct error *err)
{
	return error_set(err, ERR_INTERNAL, "cannot write the index: %s",
			 sqlite3_errmsg(b->db));
}

bool builder_exec(struct builder *b, const char *sql, struct error *err)
{
	return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       builder_failed(b, err);
}

static bool prepare(struct builder *b, const char *sql, sqlite3_stmt **ret,
		    struct error *err)
{
	return sqlite3_prepare_v2(b->db, sql, -1, ret, NULL) == SQLITE_OK ||
	       builder_failed(b, err);
}

static bool run(struct builder *b, sqlite3_stmt *s, struct error *err)
{
	const bool ok = sqlite3_step(s) == SQLITE_DONE || builder_failed(b, err);

	(void)sqlite3_reset(s);
	return ok;
}

/* Nobody else sees this file before it is whole, so it needs no journal. */
bool builder_open_file(struct builder *b, struct error *err)
{
	(void)unlink(b->new_path);
	if (sqlite3_open_v2(b->new_path, &b->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    NULL) != SQLITE_OK)
		return builder_failed(b, err);
	if (chmod(b->new_path, 0600) != 0)
		return error_errno(err, "cannot make %s", b->new_path);
	return builder_exec(b, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err) &&
	       builder_exec(b, layout, err) &&
	       prepare(b, "INSERT INTO documents VALUES(?,?,?,?,?,?,?,?,?,?,?,?,NULL,?)",
		       &b->add_document, err) &&
	       prepare(b, "INSERT INTO sections VALUES(?,?,?,?,?,?,?)", &b->add_section,
		       err);
}

/* ---- A document and its sections ---- */

static void bind_text(sqlite3_stmt *s, int index, const char *text)
{
	(void)sqlite3_bind_text(s, index, text, text ? (int)strlen(text) : 0,
				SQLITE_STATIC);
}

static bool write_row(struct builder *b, const struct page *page,
		      const struct front *front, const char *title, const char *tags,
		      const char *readers, struct error *err)
{
	sqlite3_stmt *s = b->add_document;
	char digest[DIGEST_HEX_BYTES];

	digest_sha256_hex(page->body, page->length, digest);
	(void)sqlite3_bind_int64(s, 1, b->document_count);
	bind_text(s, 2, page->id);
	bind_text(s, 3, page->source);
	bind_text(s, 4, title);
	bind_text(s, 5, page->revision);
	bind_text(s, 6, digest);
	bind_text(s, 7, page->url);
	bind_text(s, 8, page->stamp);
	(void)sqlite3_bind_int64(s, 9, page->updated_ms);
	bind_text(s, 10, tags);
	bind_text(s, 11, readers);
	bind_text(s, 12, front->fault);
	(void)sqlite3_bind_blob(s, 13, page->body, (int)page->length, SQLITE_STATIC);
	return run(b, s, err);
}

static bool write_sections(struct builder *b, const struct outline *o, struct error *err)
{
	sqlite3_stmt *s = b->add_section;

	for (size_t i = 0; i < o->count; i++) {
		const struct section *section = &o->sections[i];

		(void)sqlite3_bind_int64(s, 1, (int64_t)(b->section_count + i));
		(void)sqlite3_bind_int64(s, 2, b->document_count);
		(void)sqlite3_bind_int(s, 3, section->level);
		(void)sqlite3_bind_int(s, 4, section->parent);
		(void)sqlite3_bind_int64(s, 5, (int64_t)section->start);
		(void)sqlite3_bind_int64(s, 6, (int64_t)section->end);
		bind_text(s, 7, section->heading);
		if (!run(b, s, err))
			return false;
	}
	return true;
}

bool builder_write_document(struct builder *b, const struct page *page,
			    const struct front *front, const char *title,
			    const struct outline *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf tags = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf readers = STRBUF_INIT;

	if (!json_write(&tags, page->tags, err) ||
	    (page->readers && !json_write(&readers, page->readers, err)))
		return false;
	return write_row(b, page, front, title, tags.data,
			 page->readers ? readers.data : NULL, err) &&
	       write_sections(b, o, err);
}

bool builder_note(struct builder *b, const char *name, const char *value,
		  struct error *err)
{
	sqlite3_stmt *s;
	bool ok;

	if (!prepare(b, "INSERT OR REPLACE INTO notes VALUES(?,?)", &s, err))
		return false;
	bind_text(s, 1, name);
	bind_text(s, 2, value);
	ok = run(b, s, err);
	(void)sqlite3_finalize(s);
	return ok;
}

/* ---- Words ---- */

struct averages {
	double section[FIELD_COUNT], document[FIELD_COUNT];
};

static void average(const struct builder *b, struct averages *ret)
{
	*ret = (struct averages){ 0 };
	for (uint32_t i = 0; i < b->section_count; i++)
		for (int f = 0; f < FIELD_COUNT; f++)
			ret->section[f] += b->sections[i].lengths[f];
	for (uint32_t i = 0; i < b->document_count; i++)
		for (int f = 0; f < FIELD_COUNT; f++)
			ret->document[f] += b->documents[i].lengths[f];
	for (int f = 0; f < FIELD_COUNT; f++) {
		ret->section[f] = ret->section[f] / (b->section_count + 1.0) + 0.01;
		ret->document[f] = ret->document[f] / (b->document_count + 1.0) + 0.01;
	}
}

/* What an occurrence of a word in these fields says: 1 to 255. */
static uint8_t weigh(const struct builder *b, const struct field_weight *fields,
		     const double *averages, const uint32_t *counts,
		     const uint32_t *lengths)
{
	double sum = 0;

	for (int f = 0; f < FIELD_COUNT; f++)
		if (counts[f])
			sum += fields[f].weight * counts[f] /
			       (1 - fields[f].b + fields[f].b * lengths[f] / averages[f]);
	return (uint8_t)(1 + 254 * sum / (b->weights.k1 + sum));
}

/* The words that tell most about each document; a place is free where 'weight' is 0. */
struct signature {
	struct {
		uint32_t stem;
		float weight;
	} terms[SIGNATURE_TERMS];
};

static void sign(struct signature *s, uint32_t stem, double weight)
{
	size_t least = 0;

	for (size_t i = 1; i < SIGNATURE_TERMS; i++)
		if (s->terms[i].weight < s->terms[least].weight)
			least = i;
	if (weight > s->terms[least].weight) {
		s->terms[least].stem = stem;
		s->terms[least].weight = (float)weight;
	}
}

struct writer {
	struct builder *b;
	struct averages averages;
	struct signature *signatures;
	sqlite3_stmt *add;
	/* Of the stem that is written. */
	struct strbuf sections, documents;
	uint32_t last_section, last_document, in_sections, in_documents;
	uint32_t document, counts[FIELD_COUNT]; /* of the document that is summed up */
	bool open;
};

static void add_posting(struct strbuf *to, uint32_t delta, uint8_t weight)
{
	uint8_t bytes[6];
	const size_t n = bytes_put(bytes, delta);

	bytes[n] = weight;
	strbuf_add(to, bytes, n + 1);
}

static void end_document(struct writer *w)
{
	const struct builder *b = w->b;

	if (!w->open)
		return;
	add_posting(&w->documents, w->document - w->last_document,
		    weigh(b, b->weights.document, w->averages.document, w->counts,
			  b->documents[w->document].lengths));
	w->last_document = w->document;
	w->in_documents++;
	w->open = false;
}

static void add_section_posting(struct writer *w, uint32_t section, const uint8_t *in)
{
	const struct builder *b = w->b;
	const struct section_row *row = &b->sections[section];
	uint32_t counts[FIELD_COUNT], lengths[FIELD_COUNT];

	for (int f = 0; f < FIELD_COUNT; f++) {
		counts[f] = in[f];
		lengths[f] = row->lengths[f];
	}
	add_posting(&w->sections, section - w->last_section,
		    weigh(b, b->weights.section, w->averages.section, counts, lengths));
	w->last_section = section;
	w->in_sections++;
	if (w->open && w->document != row->document)
		end_document(w);
	if (!w->open) {
		w->open = true;
		w->document = row->document;
		memset(w->counts, 0, sizeof w->counts);
	}
	w->counts[FIELD_BODY] += in[FIELD_BODY];
	w->counts[FIELD_HEADING] += in[FIELD_HEADING];
	w->counts[FIELD_TITLE] = in[FIELD_TITLE];
	w->counts[FIELD_NAME] = in[FIELD_NAME];
}

static void sign_all(struct writer *w, uint32_t stem)
{
	const uint8_t *at = (const uint8_t *)w->documents.data;
	const uint8_t *end = at + w->documents.length;
	const double idf = log(1 + (w->b->document_count - w->in_documents + 0.5) /
					   (w->in_documents + 0.5));
	uint32_t document = 0, delta;

	if (w->in_documents < 2)
		return; /* nothing to find by it elsewhere */
	while (bytes_get(&at, end, &delta)) {
		document += delta;
		sign(&w->signatures[document], stem, *at++ * idf);
	}
}

static bool write_stem(struct writer *w, uint32_t stem, struct error *err)
{
	const struct gathered *g = &w->b->gathered[stem];
	const uint8_t *at = g->bytes, *end = at + g->length;
	uint32_t section = 0, delta;

	strbuf_clear(&w->sections);
	strbuf_clear(&w->documents);
	w->last_section = w->last_document = w->in_sections = w->in_documents = 0;
	while (at && bytes_get(&at, end, &delta)) {
		section += delta;
		add_section_posting(w, section, at);
		at += FIELD_COUNT;
	}
	end_document(w);
	if (!strbuf_ok(&w->sections) || !strbuf_ok(&w->documents))
		return error_oom(err);
	sign_all(w, stem);
	(void)sqlite3_bind_int64(w->add, 1, stem);
	bind_text(w->add, 2, lexicon_text(&w->b->stems, stem));
	(void)sqlite3_bind_int64(w->add, 3, w->in_sections);
	(void)sqlite3_bind_int64(w->add, 4, w->in_documents);
	(void)sqlite3_bind_blob(w->add, 5, w->sections.data, (int)w->sections.length,
				SQLITE_STATIC);
	(void)sqlite3_bind_blob(w->add, 6, w->documents.data, (int)w->documents.length,
				SQLITE_STATIC);
	return run(w->b, w->add, err);
}

static bool write_signatures(struct writer *w, struct error *err)
{
	struct builder *b = w->b;
	sqlite3_stmt *s;
	bool ok = true;

	if (!prepare(b, "UPDATE documents SET signature=? WHERE id=?", &s, err))
		return false;
	for (uint32_t i = 0; ok && i < b->document_count; i++) {
		(void)sqlite3_bind_blob(s, 1, &w->signatures[i], sizeof w->signatures[i],
					SQLITE_STATIC);
		(void)sqlite3_bind_int64(s, 2, i);
		ok = run(b, s, err);
	}
	(void)sqlite3_finalize(s);
	return ok;
}

static bool write_stems(struct builder *b, struct error *err)
{
	struct writer w = { .b = b, .sections = STRBUF_INIT, .documents = STRBUF_INIT };
	bool ok;

	average(b, &w.averages);
	w.signatures = calloc(b->document_count + 1, sizeof *w.signatures);
	ok = w.signatures || error_oom(err);
	ok = ok && prepare(b, "INSERT INTO stems VALUES(?,?,?,?,?,?)", &w.add, err);
	for (uint32_t i = 0; ok && i < b->stems.count; i++)
		ok = write_stem(&w, i, err);
	ok = ok && write_signatures(&w, err);
	(void)sqlite3_finalize(w.add);
	strbuf_done(&w.sections);
	strbuf_done(&w.documents);
	free(w.signatures);
	return ok;
}

static bool write_surfaces(struct builder *b, struct error *err)
{
	sqlite3_stmt *s;
	bool ok = true;

	if (!prepare(b, "INSERT INTO surfaces VALUES(?,?,?,?)", &s, err))
		return false;
	for (uint32_t i = 0; ok && i < b->surfaces.count; i++) {
		(void)sqlite3_bind_int64(s, 1, i);
		bind_text(s, 2, lexicon_text(&b->surfaces, i));
		(void)sqlite3_bind_int64(s, 3, b->surface_stem[i]);
		(void)sqlite3_bind_int64(s, 4, b->surface_count[i]);
		ok = run(b, s, err);
	}
	(void)sqlite3_finalize(s);
	return ok;
}

static bool write_acronyms(struct builder *b, struct error *err)
{
	sqlite3_stmt *s;
	bool ok = true;

	if (!prepare(b, "INSERT INTO acronyms VALUES(?)", &s, err))
		return false;
	for (uint32_t i = 0; ok && i < b->acronyms.count; i++) {
		bind_text(s, 1, lexicon_text(&b->acronyms, i));
		ok = run(b, s, err);
	}
	(void)sqlite3_finalize(s);
	return ok;
}

bool builder_write_words(struct builder *b, struct error *err)
{
	return write_stems(b, err) && write_surfaces(b, err) && write_acronyms(b, err);
}
