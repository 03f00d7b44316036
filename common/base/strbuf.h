/*
 * strbuf -- text and bytes that grow.
 *
 * 'data' is always NUL-terminated and never NULL after strbuf_init; 'length'
 * does not count the NUL, and the content may hold NULs of its own. An
 * allocation that fails, or growth past STRBUF_MAX, marks the buffer failed:
 * it keeps what it has, drops the rest, and strbuf_ok says false, so that a
 * sequence of appends is checked once at its end. Owned by whoever declared it.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>

#include "base/cleanup.h"

enum { STRBUF_MAX = 256 * 1024 * 1024 };

struct strbuf {
	char *data;
	size_t length;
	size_t capacity;
	bool failed;
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                      \
	{                                                                                \
		.data = strbuf_empty                                                     \
	}
#define _cleanup_strbuf_ _cleanup_(strbuf_done)

void strbuf_init(struct strbuf *sb);
void strbuf_done(struct strbuf *sb);  /* frees; the struct is as after strbuf_init */
void strbuf_clear(struct strbuf *sb); /* empties, keeps the memory, clears 'failed' */
void strbuf_wipe(struct strbuf *sb);  /* explicit_bzero over the memory, then done */
void strbuf_truncate(struct strbuf *sb, size_t length);

void strbuf_add(struct strbuf *sb, const void *bytes, size_t length);
void strbuf_add_string(struct strbuf *sb, const char *text);
void strbuf_add_char(struct strbuf *sb, char c);
void strbuf_add_format(struct strbuf *sb, const char *format, ...) _printf_(2, 3);
void strbuf_add_vformat(struct strbuf *sb, const char *format, va_list args)
	_printf_(2, 0);
void strbuf_add_int64(struct strbuf *sb, int64_t value);

/* 'text' as a JSON string with its quotes: ", \ and bytes below 0x20 escaped as
 * RFC 8785 wants them, all else copied. 'text' must be valid UTF-8. */
void strbuf_add_json_string(struct strbuf *sb, const char *text, size_t length);

/* Make room for 'length' more bytes and return where they go; the caller then
 * raises 'length' (and writes the NUL) with strbuf_commit, or puts the NUL back with
 * strbuf_truncate(sb, sb->length). NULL if failed. */
char *strbuf_reserve(struct strbuf *sb, size_t length);
void strbuf_commit(struct strbuf *sb, size_t length);

static inline bool strbuf_ok(const struct strbuf *sb)
{
	return !sb->failed;
}

/* Hand the memory over (free with free()) and leave the buffer empty; NULL if
 * the buffer failed or there is no memory. Never returns strbuf_empty. */
char *strbuf_take(struct strbuf *sb) _must_use_;

#endif
