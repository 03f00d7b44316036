/*
 * embed -- texts as vectors, by an endpoint of the shape that OpenAI's embeddings have:
 * POST {url}/embeddings {"model", "input": [...]} is answered by {"data": [{"index",
 * "embedding": [...]}]}.
 *
 * The endpoint is not believed: as many vectors as texts, each once, all of one length,
 * finite and not zero, in a reply of bounded size; anything else is an error and nothing of
 * it is used. Vectors come out with length 1, so that a product is a cosine. Thread-safe.
 */
#ifndef PLAYBOOKS_EMBED_H
#define PLAYBOOKS_EMBED_H

#include "api/rest/rest_credential.h"

enum {
	EMBED_BATCH = 32,        /* texts in one request */
	EMBED_TEXT_BYTES = 2000, /* of a text; the rest is left out */
	EMBED_DIMENSIONS_MAX = 4096,
	EMBED_REPLY_PER_TEXT = 128 * 1024, /* bytes of JSON */
};

struct embed;

/* 'config': url, model, token_file, ca_file; copied. */
struct embed *embed_new(const struct statedir *dir, const json_t *config,
			struct error *err) _must_use_;
void embed_free(struct embed *e);
DEFINE_CLEANUP(struct embed, embed_free);

/* The first bytes of a text, at most EMBED_TEXT_BYTES, no character cut in two. */
size_t embed_cut(const char *text, size_t length);

struct embedded {
	uint32_t count, dimensions;
	float *vectors; /* one behind the other */
};
void embedded_done(struct embedded *e);
#define _cleanup_embedded_ _cleanup_(embedded_done)

/* 'texts': an array of strings, 1 to EMBED_BATCH. 'dimensions': what they must have; 0: what
 * comes. Errors are those of rest_call; ERR_BACKEND_UNAVAILABLE for an odd answer. */
bool embed_texts(struct embed *e, const json_t *texts, uint32_t dimensions,
		 const struct rest_patience *patience, struct embedded *ret,
		 struct error *err);
/* The answer, judged. */
bool embed_read(const json_t *body, size_t count, uint32_t dimensions,
		struct embedded *ret, struct error *err);

#endif
