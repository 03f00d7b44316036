#include "wire/shared_bytes.h"

#include <stdatomic.h>

enum { SIZE_LINE_MAX = sizeof(size_t) * 2 + 2, LINE_END = 2 };

struct shared_bytes {
	atomic_uint refs;
	unsigned text_at; /* in 'bytes'; the size line stands before */
	size_t length;    /* of the text */
	char bytes[];
};

struct shared_bytes *shared_bytes_new(const void *bytes, size_t length)
{
	char line[SIZE_LINE_MAX + 1];
	int n = snprintf(line, sizeof line, "%zx\r\n", length);
	struct shared_bytes *b = NULL;

	if (length <= STRBUF_MAX)
		b = malloc(sizeof *b + (size_t)n + length + LINE_END);
	if (!b)
		return NULL;
	atomic_init(&b->refs, 1);
	b->text_at = (unsigned)n;
	b->length = length;
	memcpy(b->bytes, line, (size_t)n);
	if (length > 0)
		memcpy(b->bytes + n, bytes, length);
	memcpy(b->bytes + (size_t)n + length, "\r\n", LINE_END);
	return b;
}

struct shared_bytes *shared_bytes_take(struct strbuf *sb)
{
	struct shared_bytes *b = strbuf_ok(sb) ? shared_bytes_new(sb->data, sb->length)
					       : NULL;

	strbuf_done(sb);
	return b;
}

struct shared_bytes *shared_bytes_ref(struct shared_bytes *b)
{
	(void)atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void shared_bytes_unref(struct shared_bytes *b)
{
	if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		free(b);
}

const char *shared_bytes_text(const struct shared_bytes *b, size_t *ret_length)
{
	*ret_length = b->length;
	return b->bytes + b->text_at;
}

const char *shared_bytes_chunk(const struct shared_bytes *b, size_t *ret_length)
{
	*ret_length = b->text_at + b->length + LINE_END;
	return b->bytes;
}
