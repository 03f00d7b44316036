#include "assistant/host/host.h"

#include "assistant/host/host_private.h"
#include "assistant/host/launcher.h"

struct host *host_new(const struct host_options *o, struct error *err)
{
	struct host *h = calloc(1, sizeof *h);

	if (!h) {
		error_oom(err);
		return NULL;
	}
	h->o = *o;
	if (host_budget_open(h, err))
		return h;
	host_free(h);
	return NULL;
}

void host_free(struct host *h)
{
	if (!h)
		return;
	while (h->turns)
		host_turn_free(h->turns);
	host_egress_end(h);
	host_egress_forget(h);
	host_budget_close(h);
	free(h);
}

bool host_begin_program(struct host *h, bool is_worker, struct child *ret,
			const struct child_start *s, struct error *err)
{
	const char *path = is_worker ? h->o.worker_socket : h->o.egress_socket;
	pid_t pid = 0; /* none of ours: it ends when its connection does */
	int fd;

	if (path) {
		fd = channel_connect(path, err);
		return fd >= 0 && child_adopt(ret, h->o.loop, s, NULL, fd, pid, err);
	}
	if (!h->o.launcher)
		return child_begin(ret, h->o.loop, s, err);
	return launcher_begin(h->o.launcher,
			      is_worker ? LAUNCHER_WORKER : LAUNCHER_EGRESS, &fd, &pid,
			      err) &&
	       child_adopt(ret, h->o.loop, s, h->o.launcher, fd, pid, err);
}

struct loop *host_loop(const struct host *h)
{
	return h->o.loop;
}
