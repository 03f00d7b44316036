#include "gate/emergency.h"

#include <string.h>

void surface_health_note(struct surface_health *h, bool is_up, int64_t now_ms)
{
	bool is_gap = h->seen_ms == 0 || now_ms - h->seen_ms > EMERGENCY_GAP_MS;

	h->seen_ms = now_ms;
	if (is_up)
		h->down_since_ms = 0;
	else if (h->down_since_ms == 0 || is_gap)
		h->down_since_ms = now_ms;
}

int64_t surface_health_down_ms(const struct surface_health *h, int64_t now_ms)
{
	if (h->down_since_ms == 0 || now_ms - h->seen_ms > EMERGENCY_GAP_MS)
		return 0;
	return now_ms - h->down_since_ms;
}

bool emergency_is_never(const char *server, const char *tool)
{
	static const struct {
		const char *server, *tool;
	} never[] = {
		{ "people", "link_identity" },
		{ "people", "unlink_identity" },
	};

	if (!server || !tool || strcmp(server, "gate") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strcmp(never[i].server, server) == 0 &&
		    strcmp(never[i].tool, tool) == 0)
			return true;
	return false;
}
