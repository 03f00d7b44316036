/*
 * index -- an index file in memory: what searching needs is read at once, the
 * pages' text when it is asked for.
 *
 * Never changed once open, so that any number of threads search it; a newer one
 * takes its place while who has the old one keeps it (index_ref, index_unref). What is
 * returned is borrowed and lives as long as the index.
 */
#ifndef PLAYBOOKS_INDEX_H
#define PLAYBOOKS_INDEX_H

#include "base/json.h"
#include "servers/playbooks/lexicon.h"
#include "servers/playbooks/page.h"

enum { INDEX_SIGNATURE_TERMS = 24 };

struct index_section {
	uint32_t document;
	int level;
	int parent; /* counted within the document; -1: none */
	uint32_t start, end;
	const char *heading;
};

struct index_document {
	const char *id, *source, *title, *revision, *digest;
	const char *url;   /* NULL: none */
	const char *fault; /* of its front matter; "" */
	json_t *tags;      /* array */
	json_t *readers;   /* array; NULL: everybody */
	int64_t updated_ms;
	uint32_t first_section, section_count;
	uint32_t twin; /* the first document with the same text; often itself */
};

/* The words that tell most about a document; weight 0: no word. */
struct index_signature {
	struct {
		uint32_t stem;
		float weight;
	} terms[INDEX_SIGNATURE_TERMS];
};

/* Where a stem stands: by section and by document, as (delta, weight) pairs. */
struct index_postings {
	const uint8_t *sections, *sections_end;
	const uint8_t *documents, *documents_end;
	uint32_t in_sections, in_documents;
};

struct index_surface {
	uint32_t stem, count;
	uint32_t letters; /* which of 32 kinds of characters it has */
	uint8_t length;
};

struct index {
	struct index_document *documents;
	struct index_signature *signatures;
	uint32_t document_count;
	struct index_section *sections;
	uint32_t section_count;
	struct lexicon stems;
	struct index_postings *postings; /* by stem */
	struct lexicon surfaces;
	struct index_surface *surface_rows;
	struct lexicon acronyms; /* "bec\tbusiness email compromise" */
	struct index_private *private;
};

/* ERR_NOT_FOUND: there is none yet. Anything else that is wrong with the file is
 * ERR_INTERNAL: it is made anew. */
struct index *index_open(const char *path, struct error *err) _must_use_;
struct index *index_ref(struct index *x);
void index_unref(struct index *x);
DEFINE_CLEANUP(struct index, index_unref);

bool index_find_page(const struct index *x, const char *id, uint32_t *ret);
/* The page's bytes; false if the file fails. */
bool index_body(const struct index *x, uint32_t document, struct strbuf *ret,
		struct error *err);
/* A note of the builder's, as JSON; NULL: none. New reference. */
json_t *index_note(const struct index *x, const char *name) _must_use_;
/* What the source said by which it knows whether the page changed; new, or NULL. */
char *index_stamp(const struct index *x, uint32_t document) _must_use_;
/* What it takes in memory, bytes. */
size_t index_memory(const struct index *x);

/* The kinds of characters of a word, as 'letters' above. */
uint32_t index_letters(const char *word);

#endif
