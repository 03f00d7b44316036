/*
 * builder_private -- what the files of the builder share: builder.c reads pages,
 * builder_words.c counts their words, builder_write.c weighs and writes.
 */
#ifndef PLAYBOOKS_BUILDER_PRIVATE_H
#define PLAYBOOKS_BUILDER_PRIVATE_H

#include <sqlite3.h>

#include "servers/playbooks/builder.h"
#include "servers/playbooks/front.h"
#include "servers/playbooks/lexicon.h"
#include "servers/playbooks/outline.h"
#include "servers/playbooks/words.h"

enum {
	SIGNATURE_TERMS = 24, /* the words that tell most about a document */
	NEW_SECTIONS_MAX = 2 * 1000 * 1000,
	ACRONYM_WORDS_MAX = 8,
};

/* The postings of a stem while they are gathered: section (delta), and its count in
 * each field, a byte. */
struct gathered {
	uint8_t *bytes;
	uint32_t length, room, last;
};

struct section_row {
	uint32_t document;
	uint16_t lengths[FIELD_COUNT];
};

struct document_row {
	uint32_t first_section, section_count;
	uint32_t lengths[FIELD_COUNT];
};

struct builder {
	char *path, *new_path;
	struct weights weights;
	sqlite3 *db;
	sqlite3_stmt *add_document, *add_section;
	struct lexicon ids;                     /* of documents */
	struct lexicon surfaces;                /* words as they are written */
	uint32_t *surface_stem, *surface_count; /* by surface */
	uint32_t surface_room;
	struct lexicon stems;
	struct gathered *gathered; /* by stem */
	uint32_t gathered_room;
	struct section_row *sections;
	uint32_t section_count, section_room;
	struct document_row *documents;
	uint32_t document_count, document_room;
	struct lexicon acronyms; /* "abc\tstem stem stem" */
	struct stemmer *stemmer;
	/* The section that is counted: by stem, where its counts stand in 'counts'. */
	uint32_t *stamps, *places;
	uint32_t stamp, stamp_room;
	struct count {
		uint32_t stem;
		uint8_t in[FIELD_COUNT];
	} * counts;
	uint32_t count_used, count_room;
	bool finished;
};

bool builder_words_start(struct builder *b);
/* Count the words of a text in a field of the section that is counted. */
bool builder_words(struct builder *b, const char *text, size_t length, enum field field,
		   struct section_row *row);
/* Its counts become postings. */
bool builder_words_end(struct builder *b, uint32_t section);
/* "Business Email Compromise (BEC)" in a text. */
bool builder_acronyms(struct builder *b, const char *text, size_t length);

bool builder_open_file(struct builder *b, struct error *err);
bool builder_write_document(struct builder *b, const struct page *page,
			    const struct front *front, const char *title,
			    const struct outline *o, struct error *err);
bool builder_write_words(struct builder *b, struct error *err);
bool builder_exec(struct builder *b, const char *sql, struct error *err);
bool builder_failed(const struct builder *b, struct error *err);

#endif
