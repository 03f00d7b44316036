/*
 * testing_codec -- answers read out of texts, in pieces of every size. For *-test.c alone.
 */
#ifndef WORKER_TESTING_CODEC_H
#define WORKER_TESTING_CODEC_H

#include "assistant/worker/eventstream.h"
#include "assistant/worker/reader.h"
#include "base/testing.h"

/* Reads 'bytes' in pieces of 'piece' bytes. What it says: whether it was whole. */
static inline bool testing_read(const struct codec *codec, const char *type,
				const char *bytes, size_t length, size_t piece,
				struct answer *ret)
{
	struct error err = ERROR_INIT;

	answer_init(ret);
	_cleanup_(reader_freep) struct reader *r =
		reader_new(codec, 200, type, ret, &err);
	assert_non_null(r);
	for (size_t at = 0; at < length; at += piece) {
		size_t part = length - at < piece ? length - at : piece;

		if (!reader_feed(r, bytes + at, part, &err))
			return false;
	}
	return reader_end(r, &err);
}

static inline void testing_block(const struct answer *a, size_t i, enum answer_kind kind,
				 const char *id, const char *name, const char *text)
{
	assert_true(i < a->count);
	assert_int_equal(a->blocks[i].kind, kind);
	assert_string_equal(a->blocks[i].id, id);
	assert_string_equal(a->blocks[i].name, name);
	assert_string_equal(a->blocks[i].text.data, text);
}

/* A request as the codec writes it, parsed; its path in 'path'. */
static inline json_t *testing_write(const struct codec *codec, const struct chat *c,
				    struct strbuf *path)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(codec->write(c, path, &body, &err));
	json_t *value = json_parse(body.data, body.length, JSON_CONTRACT, &err);
	assert_non_null(value);
	return value;
}

/* All that a chat can hold. Free 'messages' and 'tools'. */
static inline struct chat testing_chat(void)
{
	static const char messages[] =
		"[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\",\"mark\":true},{"
		"\"text\":\"there\"}]},"
		"{\"role\":\"assistant\",\"parts\":[{\"kept\":{\"k\":1}},{\"text\":\"t\"}"
		","
		"{\"call\":\"c1\",\"name\":\"a__b\",\"args\":{\"x\":1}},"
		"{\"call\":\"c2\",\"name\":\"a__b\",\"args\":{}}]},"
		"{\"role\":\"user\",\"parts\":["
		"{\"result\":\"c1\",\"text\":\"r1\",\"error\":false},"
		"{\"result\":\"c2\",\"text\":\"r2\",\"error\":true},{\"text\":\"go\"}]}]";
	static const char tools[] = "[{\"name\":\"a__b\",\"description\":\"d\","
				    "\"schema\":{\"type\":\"object\"}}]";

	return (struct chat){ .model = "m:1/x",
			      .max_output = 7,
			      .stream = true,
			      .cache = true,
			      .stable = "S",
			      .tools = json_loads(tools, 0, NULL),
			      .messages = json_loads(messages, 0, NULL) };
}

static inline void testing_json(const json_t *got, const char *want)
{
	json_auto_t *value = json_loads(want, JSON_DECODE_ANY, NULL);
	_cleanup_free_ char *text = json_dumps(got, JSON_ENCODE_ANY);

	if (!json_equal(got, value))
		fail_msg("got %s\nwant %s", text ? text : "nothing", want);
}

/* One frame of an event stream. */
static inline void testing_frame(struct strbuf *sb, const char *kind, const char *type,
				 const char *payload)
{
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT, f = STRBUF_INIT;
	const char *const pairs[][2] = {
		{ ":message-type",
		  kind[1] == 'e' && kind[2] == 'v' ? "event" : "exception" },
		{ kind, type },
		{ ":content-type", "application/json" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		strbuf_add_char(&headers, (char)strlen(pairs[i][0]));
		strbuf_add_string(&headers, pairs[i][0]);
		strbuf_add(&headers, "\7\0", 2);
		strbuf_add_char(&headers, (char)strlen(pairs[i][1]));
		strbuf_add_string(&headers, pairs[i][1]);
	}
#define U32(n)                                                                           \
	do {                                                                             \
		uint32_t n_ = (uint32_t)(n);                                             \
		for (int shift = 24; shift >= 0; shift -= 8)                             \
			strbuf_add_char(&f, (char)(n_ >> shift & 0xff));                 \
	} while (0)
	U32(16 + headers.length + strlen(payload));
	U32(headers.length);
	U32(eventstream_crc(f.data, f.length));
	strbuf_add(&f, headers.data, headers.length);
	strbuf_add_string(&f, payload);
	U32(eventstream_crc(f.data, f.length));
#undef U32
	strbuf_add(sb, f.data, f.length);
	assert_true(strbuf_ok(sb));
}

#endif
