/*
 * egress -- requests of a surface's workers, sent to the one model there is.
 *
 * The main thread reads messages; each request has a thread of its own while it lasts,
 * which tries, waits, and hands the answer on in pieces. Which address, which key: as
 * configured, and nothing that a message can say. A malformed message ends the process.
 */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "assistant/egress/credentials.h"
#include "assistant/fields.h"
#include "link/http/http_client.h"
#include "proc/workers.h"

enum { EGRESS_JOBS_MAX = 64, EGRESS_REFUSAL_MAX = 64 * 1024, EGRESS_NO_REQUEST = -1 };

struct egress;

struct job {
	struct egress *egress;
	int64_t request;
	char *path, *body;
	size_t body_bytes;
	atomic_bool dropped;
	bool is_used;
};

struct egress {
	int fd;
	const struct assistant_settings *settings;
	struct credentials credentials;
	struct http_client *client;
	struct workers *workers;
	pthread_mutex_t lock;   /* jobs, writing, waiting */
	pthread_cond_t changed; /* a job was dropped */
	struct job jobs[EGRESS_JOBS_MAX];
	bool is_broken; /* nobody hears us any more */
	double tokens;  /* of the rate, and when they were counted */
	int64_t counted_ms;
};

/* Leaves the files that finding an address takes (authorities and the key are read
 * before), and internet sockets: the kernel of Debian 12 cannot hold a process to one
 * address, so that is for systemd's IPAddressAllow. No file is written, no program run. */
bool egress_enter(const struct assistant_settings *s, struct error *err);

/* Until the surface is gone: true. */
bool egress_serve(struct egress *e, struct error *err);

/* In the job's thread: all of it, to its 'ended'. */
void egress_send(struct job *j);

/* Takes 'message'. Any thread. */
void egress_say(struct egress *e, json_t *message);

#endif
