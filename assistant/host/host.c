#include "assistant/host/host.h"

#include "assistant/host/host_private.h"

struct host *host_new(const struct host_options *o, struct error *err)
{
	struct host *h = calloc(1, sizeof *h);

	if (!h)
		error_oom(err);
	else
		h->o = *o;
	return h;
}

void host_free(struct host *h)
{
	if (!h)
		return;
	while (h->turns)
		host_turn_free(h->turns);
	host_egress_end(h);
	free(h);
}

struct loop *host_loop(const struct host *h)
{
	return h->o.loop;
}
