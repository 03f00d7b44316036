/*
 * reader -- an answer out of the bytes in which it comes.
 *
 * Goes by the reply's media type: server-sent events, Amazon's event stream, or JSON as
 * a whole. A stream that ends without its closing event is no answer. Everything is
 * refused that is longer than messages.h allows.
 */
#ifndef WORKER_READER_H
#define WORKER_READER_H

#include "assistant/worker/chat.h"

struct reader;

/* 'codec' and 'answer' (initialised) are borrowed. 'status' above 299: only for
 * reader_refusal. */
struct reader *reader_new(const struct codec *codec, int status, const char *type,
			  struct answer *answer, struct error *err) _must_use_;
void reader_free(struct reader *r);
DEFINE_CLEANUP(struct reader, reader_free);

/* False: it cannot be read, now or later. */
bool reader_feed(struct reader *r, const char *bytes, size_t length, struct error *err);
/* All bytes came. True when the answer is whole. */
bool reader_end(struct reader *r, struct error *err);
/* Of a status above 299, when all bytes came. Never ASSISTANT_OK. */
enum assistant_code reader_refusal(struct reader *r);
bool reader_is_refusal(const struct reader *r);

#endif
