/*
 * memory_private -- a store of bodies of conversations, and what it is asked.
 */
#ifndef ASSISTANT_HOST_MEMORY_PRIVATE_H
#define ASSISTANT_HOST_MEMORY_PRIVATE_H

#include <pthread.h>

#include "assistant/host/memory.h"

struct memory_store {
	/* '*ret' NULL: nothing is kept, or it is too old. */
	bool (*get)(struct memory *m, const char *id, json_t **ret, struct error *err);
	bool (*put)(struct memory *m, const char *id, const json_t *body,
		    struct error *err);
	/* Nobody else changes it between these. */
	bool (*lock)(struct memory *m, const char *id, int64_t *ret_fence,
		     struct error *err);
	void (*unlock)(struct memory *m, const char *id, int64_t fence);
	/* Append ids that begin with 'prefix'. */
	bool (*list)(struct memory *m, const char *prefix, json_t *ids,
		     struct error *err);
	bool (*sweep)(struct memory *m, struct error *err);
};

struct memory_waiting {
	struct memory_waiting *next;
	char id[CONVERSATION_ID_MAX + 1];
	json_t *body;
};

struct memory {
	struct memory_options o;
	const struct memory_store *store;
	char holder[DIGEST_ID_BYTES];
	pthread_mutex_t write_lock; /* of whoever changes the store */
	pthread_mutex_t lock;       /* of what follows */
	pthread_cond_t changed;
	struct memory_waiting *waiting;       /* the oldest first */
	const struct memory_waiting *writing; /* that the thread is at; NULL: none */
	size_t waiting_count;
	bool is_ending, has_thread;
	pthread_t thread;
};

extern const struct memory_store memory_documents, memory_coordination;

#endif
