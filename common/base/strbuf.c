#include "base/strbuf.h"

#include <inttypes.h>

#include "base/bytes.h"

/* Shared by all empty buffers, so that 'data' is never NULL; never written. */
char strbuf_empty[1] = "";

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_done(struct strbuf *sb)
{
	if (sb->capacity)
		free(sb->data);
	strbuf_init(sb);
}

void strbuf_clear(struct strbuf *sb)
{
	sb->failed = false;
	strbuf_truncate(sb, 0);
}

void strbuf_wipe(struct strbuf *sb)
{
	if (sb->capacity)
		explicit_bzero(sb->data, sb->capacity);
	strbuf_done(sb);
}

void strbuf_truncate(struct strbuf *sb, size_t length)
{
	if (length > sb->length || !sb->capacity)
		return;
	sb->length = length;
	sb->data[length] = '\0';
}

char *strbuf_reserve(struct strbuf *sb, size_t length)
{
	if (sb->failed)
		return NULL;
	if (length > STRBUF_MAX - sb->length) {
		sb->failed = true;
		return NULL;
	}
	size_t wanted = sb->length + length + 1;
	if (wanted > sb->capacity) {
		size_t capacity = sb->capacity ? sb->capacity * 2 : 64;
		if (capacity < wanted)
			capacity = wanted;
		char *data = realloc(sb->capacity ? sb->data : NULL, capacity);
		if (!data) {
			sb->failed = true;
			return NULL;
		}
		data[sb->length] = '\0';
		sb->data = data;
		sb->capacity = capacity;
	}
	return sb->data + sb->length;
}

void strbuf_commit(struct strbuf *sb, size_t length)
{
	if (!sb->capacity || length > sb->capacity - 1 - sb->length)
		return;
	sb->length += length;
	sb->data[sb->length] = '\0';
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	char *to = strbuf_reserve(sb, length);
	if (!to)
		return;
	memcpy(to, bytes, length);
	strbuf_commit(sb, length);
}

void strbuf_add_string(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_add_char(struct strbuf *sb, char c)
{
	if (sb->length + 1 < sb->capacity && !sb->failed) {
		sb->data[sb->length++] = c;
		sb->data[sb->length] = '\0';
		return;
	}
	strbuf_add(sb, &c, 1);
}

void strbuf_add_format(struct strbuf *sb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(sb, format, args);
	va_end(args);
}

void strbuf_add_vformat(struct strbuf *sb, const char *format, va_list args)
{
	va_list again;
	char *to = strbuf_reserve(sb, 0);

	if (!to)
		return;
	size_t room = sb->capacity - sb->length;
	va_copy(again, args);
	int n = vsnprintf(to, room, format, again);
	va_end(again);
	if (n < 0) {
		*to = '\0';
		sb->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		*to = '\0';
		to = strbuf_reserve(sb, (size_t)n);
		if (!to)
			return;
		(void)vsnprintf(to, (size_t)n + 1, format, args);
	}
	strbuf_commit(sb, (size_t)n);
}

void strbuf_add_int64(struct strbuf *sb, int64_t value)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--at] = '-';
	strbuf_add(sb, digits + at, sizeof digits - at);
}

static void add_escape(struct strbuf *sb, unsigned char c)
{
	static const char short_escape[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	char text[8] = { '\\' };

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		strbuf_add(sb, text, 2);
	} else if (short_escape[c]) {
		text[1] = short_escape[c];
		strbuf_add(sb, text, 2);
	} else {
		(void)snprintf(text, sizeof text, "\\u%04x", c);
		strbuf_add(sb, text, 6);
	}
}

/* How many bytes from 'text' on stand for themselves; a multiple of eight. */
static size_t plain_words(const char *text, size_t length)
{
	size_t at = 0;

	for (; length - at >= BYTES_WORD; at += BYTES_WORD) {
		const uint64_t word = bytes_word(text + at);
		if (bytes_any_below(word, 0x20) || bytes_any(word, '"') ||
		    bytes_any(word, '\\'))
			break;
	}
	return at;
}

void strbuf_add_json_string(struct strbuf *sb, const char *text, size_t length)
{
	size_t start = 0;

	strbuf_add_char(sb, '"');
	for (size_t i = plain_words(text, length); i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		strbuf_add(sb, text + start, i - start);
		add_escape(sb, c);
		start = i + 1;
	}
	strbuf_add(sb, text + start, length - start);
	strbuf_add_char(sb, '"');
}

char *strbuf_take(struct strbuf *sb)
{
	if (sb->failed || !strbuf_reserve(sb, 0)) {
		strbuf_done(sb);
		return NULL;
	}
	char *data = sb->data;
	strbuf_init(sb);
	return data;
}
