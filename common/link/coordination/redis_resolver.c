#include "link/coordination/redis_resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

struct redis_resolver {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	char *host, *port;
	unsigned owners; /* the store, and the thread while there is one */
	bool is_asking;
	uint64_t answer; /* counts them */
	int code;        /* of the last answer */
	struct redis_addresses found;
};

struct redis_resolver *redis_resolver_new(const char *host, const char *port,
					  struct error *err)
{
	struct redis_resolver *r = calloc(1, sizeof *r);
	pthread_condattr_t monotonic;

	if (!r) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->answered, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	r->owners = 1;
	r->host = strdup(host);
	r->port = strdup(port);
	if (r->host && r->port)
		return r;
	redis_resolver_free(r);
	error_oom(err);
	return NULL;
}

/* Called with the lock, which ends here. */
static void disown(struct redis_resolver *r)
{
	bool is_last = --r->owners == 0;

	(void)pthread_mutex_unlock(&r->lock);
	if (!is_last)
		return;
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->answered);
	free(r->host);
	free(r->port);
	free(r);
}

void redis_resolver_free(struct redis_resolver *r)
{
	if (!r)
		return;
	(void)pthread_mutex_lock(&r->lock);
	disown(r);
}

static int look_up(const char *host, const char *port, int flags,
		   struct redis_addresses *ret)
{
	const struct addrinfo wanted = { .ai_flags = AI_NUMERICSERV | flags,
					 .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int code = getaddrinfo(host, port, &wanted, &list);

	ret->count = 0;
	for (const struct addrinfo *a = list; a && ret->count < REDIS_ADDRESSES_MAX;
	     a = a->ai_next) {
		if (a->ai_addrlen > sizeof ret->list[0].address)
			continue;
		memcpy(&ret->list[ret->count].address, a->ai_addr, a->ai_addrlen);
		ret->list[ret->count++].length = a->ai_addrlen;
	}
	if (list)
		freeaddrinfo(list);
	return code == 0 && ret->count == 0 ? EAI_NONAME : code;
}

static void *ask(void *argument)
{
	struct redis_resolver *r = argument;
	struct redis_addresses found;
	int code = look_up(r->host, r->port, AI_ADDRCONFIG, &found);

	(void)pthread_mutex_lock(&r->lock);
	r->code = code;
	r->found = found;
	r->answer++;
	r->is_asking = false;
	(void)pthread_cond_broadcast(&r->answered);
	disown(r);
	return NULL;
}

/* With the lock. */
static bool start(struct redis_resolver *r)
{
	pthread_attr_t detached;
	sigset_t all, before;
	pthread_t thread;
	int code;

	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&thread, &detached, ask, r);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&detached);
	if (code != 0)
		return false;
	r->owners++;
	r->is_asking = true;
	return true;
}

bool redis_resolver_ask(struct redis_resolver *r, int64_t deadline_ms,
			struct redis_addresses *ret, const char **ret_why)
{
	const struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000),
					.tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	bool good;

	if (look_up(r->host, r->port, AI_NUMERICHOST, ret) == 0)
		return true;
	(void)pthread_mutex_lock(&r->lock);
	uint64_t before = r->answer;
	if (!r->is_asking && !start(r)) {
		(void)pthread_mutex_unlock(&r->lock);
		*ret_why = "no thread could be started";
		return false;
	}
	while (r->answer == before &&
	       pthread_cond_timedwait(&r->answered, &r->lock, &until) == 0)
		;
	good = r->answer != before && r->code == 0;
	if (good)
		*ret = r->found;
	else
		*ret_why = r->answer == before ? "no answer in time"
					       : gai_strerror(r->code);
	(void)pthread_mutex_unlock(&r->lock);
	return good;
}
