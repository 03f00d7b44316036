#include "servers/playbooks/builder.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "servers/playbooks/builder_private.h"

enum { ROOM_FIRST = 1024 };

struct builder *builder_new(const char *path, const struct weights *weights,
			    struct error *err)
{
	_cleanup_(builder_freep) struct builder *b = calloc(1, sizeof *b);

	if (!b) {
		error_oom(err);
		return NULL;
	}
	b->weights = *weights;
	b->path = strdup(path);
	b->stemmer = stemmer_new();
	if (!b->path || !b->stemmer || asprintf(&b->new_path, "%s.new", path) < 0) {
		error_oom(err);
		return NULL;
	}
	return builder_open_file(b, err) ? TAKE(b) : NULL;
}

void builder_free(struct builder *b)
{
	if (!b)
		return;
	(void)sqlite3_finalize(b->add_document);
	(void)sqlite3_finalize(b->add_section);
	(void)sqlite3_close(b->db);
	if (b->new_path && !b->finished)
		(void)unlink(b->new_path);
	for (uint32_t i = 0; i < b->gathered_room; i++)
		free(b->gathered[i].bytes);
	free(b->gathered);
	free(b->surface_stem);
	free(b->surface_count);
	free(b->sections);
	free(b->documents);
	free(b->stamps);
	free(b->places);
	free(b->counts);
	lexicon_done(&b->ids);
	lexicon_done(&b->surfaces);
	lexicon_done(&b->stems);
	lexicon_done(&b->acronyms);
	stemmer_free(b->stemmer);
	free(b->path);
	free(b->new_path);
	free(b);
}

bool builder_has(const struct builder *b, const char *id)
{
	uint32_t ignored;

	return lexicon_find(&b->ids, id, &ignored);
}

/* ---- What a document is called ---- */

/* "ra-5101_unblock.md" as words; new. */
static char *name_words(const char *id)
{
	const char *slash = strrchr(id, '/');
	const char *base = slash ? slash + 1 : id;
	const char *dot = strrchr(base, '.');
	char *name =
		strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));

	for (char *c = name; c && *c; c++)
		if (*c == '-' || *c == '_')
			*c = ' ';
	return name;
}

static bool is_blank(const char *text, size_t length)
{
	return strspn(text, " \t\r\n") >= length;
}

/* A heading is the title when it is the document's first words, or of the first level. */
static const char *heading_title(const struct outline *o)
{
	const struct section *first = &o->sections[0];

	if (o->count < 2 || !*o->sections[1].heading)
		return NULL;
	if (o->sections[1].level == 1 || is_blank(o->text.data + first->text_start,
						  first->text_end - first->text_start))
		return o->sections[1].heading;
	return NULL;
}

static char *choose_title(const struct page *page, const struct front *front,
			  const struct outline *o)
{
	const char *title = page->title ? page->title : front_title(front);

	if (!title)
		title = o->table_title;
	if (!title)
		title = heading_title(o);
	return title && *title ? strdup(title) : name_words(page->id);
}

/* ---- Counting ---- */

static bool count_path(struct builder *b, const struct outline *o, int parent,
		       struct section_row *row)
{
	for (; parent >= 0; parent = o->sections[parent].parent) {
		const char *heading = o->sections[parent].heading;

		if (!builder_words(b, heading, strlen(heading), FIELD_PATH, row))
			return false;
	}
	return true;
}

static bool count_names(struct builder *b, const struct page *page, const char *title,
			const json_t *tags, struct section_row *row)
{
	const char *dot = strrchr(page->id, '.');
	const size_t length = dot ? (size_t)(dot - page->id) : strlen(page->id);
	const json_t *tag;
	size_t i;

	if (!builder_words(b, title, strlen(title), FIELD_TITLE, row) ||
	    !builder_words(b, page->id, length, FIELD_NAME, row))
		return false;
	json_array_foreach(tags, i, tag)
	{
		if (!builder_words(b, json_string_value(tag), json_string_length(tag),
				   FIELD_NAME, row))
			return false;
	}
	return true;
}

static bool count_section(struct builder *b, const struct page *page, const char *title,
			  const json_t *tags, const struct outline *o, size_t i)
{
	const struct section *s = &o->sections[i];
	struct section_row *row = &b->sections[b->section_count];

	*row = (struct section_row){ .document = b->document_count };
	return builder_words_start(b) &&
	       builder_words(b, o->text.data + s->text_start, s->text_end - s->text_start,
			     FIELD_BODY, row) &&
	       builder_words(b, s->heading, strlen(s->heading), FIELD_HEADING, row) &&
	       count_path(b, o, s->parent, row) &&
	       count_names(b, page, title, tags, row) &&
	       builder_words_end(b, b->section_count);
}

static void add_lengths(struct document_row *d, const struct section_row *row, bool first)
{
	d->lengths[FIELD_BODY] += row->lengths[FIELD_BODY];
	d->lengths[FIELD_HEADING] += row->lengths[FIELD_HEADING];
	if (first) {
		d->lengths[FIELD_TITLE] = row->lengths[FIELD_TITLE];
		d->lengths[FIELD_NAME] = row->lengths[FIELD_NAME];
	}
}

static bool make_room(struct builder *b, size_t sections)
{
	if (b->section_count + sections > b->section_room) {
		const size_t room = 2 * (size_t)b->section_room + ROOM_FIRST + sections;
		struct section_row *grown =
			reallocarray(b->sections, room, sizeof *grown);

		if (!grown)
			return false;
		b->sections = grown;
		b->section_room = (uint32_t)room;
	}
	if (b->document_count == b->document_room) {
		const uint32_t room = 2 * b->document_room + ROOM_FIRST;
		struct document_row *grown =
			reallocarray(b->documents, room, sizeof *grown);

		if (!grown)
			return false;
		b->documents = grown;
		b->document_room = room;
	}
	return true;
}

static bool count_document(struct builder *b, const struct page *page, const char *title,
			   const json_t *tags, const struct outline *o, struct error *err)
{
	struct document_row d = { .first_section = b->section_count,
				  .section_count = (uint32_t)o->count };
	uint32_t ignored;

	if (!make_room(b, o->count) || !lexicon_add(&b->ids, page->id, &ignored) ||
	    !builder_acronyms(b, o->text.data, o->text.length))
		return error_oom(err);
	for (size_t i = 0; i < o->count; i++) {
		if (!count_section(b, page, title, tags, o, i))
			return error_oom(err);
		add_lengths(&d, &b->sections[b->section_count], i == 0);
		b->section_count++;
	}
	b->documents[b->document_count++] = d;
	return true;
}

/* ---- A page ---- */

/* Ids stand in answers, also in text, and are typed back. */
static bool is_shown_as_it_is(const char *id)
{
	for (const char *c = id; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '`')
			return false;
	return !(text_flags(id, strlen(id)) & (TEXT_BIDI | TEXT_INVISIBLE));
}

static bool check_page(const struct builder *b, const struct page *page,
		       struct error *err)
{
	if (page->length > PAGE_BYTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "it is larger than %d KiB",
				 PAGE_BYTES_MAX / 1024);
	if (strlen(page->id) > PAGE_ID_MAX || !*page->id)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "its name is longer than %d bytes", PAGE_ID_MAX);
	if (memchr(page->body, '\0', page->length))
		return error_set(err, ERR_INVALID_ARGUMENT, "it is no text: it has NULs");
	if (!text_is_utf8(page->body, page->length) ||
	    !text_is_utf8(page->id, strlen(page->id)))
		return error_set(err, ERR_INVALID_ARGUMENT, "it is not UTF-8");
	if (!is_shown_as_it_is(page->id))
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"its name has characters that cannot be seen, or a backtick");
	if (builder_has(b, page->id))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "another source has a page with this id");
	if (b->document_count >= PAGES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "there are more than %d",
				 PAGES_MAX);
	return true;
}

static json_t *all_tags(const struct page *page, const struct front *front)
{
	json_auto_t *tags = front_tags(front);
	json_t *tag;
	size_t i;

	json_array_foreach(page->tags, i, tag)
	{
		if (!tags || json_array_append(tags, tag) != 0)
			return NULL;
	}
	return TAKE(tags);
}

static bool add_read(struct builder *b, const struct page *page,
		     const struct front *front, const struct outline *o,
		     struct error *err)
{
	_cleanup_free_ char *title = choose_title(page, front, o);
	json_auto_t *tags = all_tags(page, front);

	if (!title || !tags)
		return error_oom(err);
	if (b->section_count + o->count > NEW_SECTIONS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "there are more than %d sections", NEW_SECTIONS_MAX);
	struct page tagged = *page;
	tagged.tags = tags;
	return builder_write_document(b, &tagged, front, title, o, err) &&
	       count_document(b, &tagged, title, tags, o, err);
}

bool builder_add(struct builder *b, const struct page *page, struct error *err)
{
	struct outline o = { .text = STRBUF_INIT };
	struct front front;
	bool ok;

	if (!check_page(b, page, err))
		return false;
	front_read(page->body, page->length, &front);
	ok = outline_read(page->body, page->length, front.end, &o, err) &&
	     add_read(b, page, &front, &o, err);
	outline_done(&o);
	front_done(&front);
	return ok;
}

bool builder_finish(struct builder *b, struct error *err)
{
	_cleanup_free_ char *folder = strdup(b->path);
	_cleanup_close_ int fd = -1, folder_fd = -1;
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!slash)
		return error_oom(err);
	*slash = '\0';
	(void)sqlite3_finalize(TAKE(b->add_document));
	(void)sqlite3_finalize(TAKE(b->add_section));
	if (!builder_write_words(b, err) || !builder_exec(b, "COMMIT", err))
		return false;
	if (sqlite3_close(b->db) != SQLITE_OK)
		return error_set(err, ERR_INTERNAL, "cannot close %s", b->new_path);
	b->db = NULL;
	fd = open(b->new_path, O_RDONLY | O_CLOEXEC);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || folder_fd < 0 || fsync(fd) != 0 ||
	    rename(b->new_path, b->path) != 0 || fsync(folder_fd) != 0)
		return error_errno(err, "cannot put %s in place", b->path);
	b->finished = true;
	return true;
}
