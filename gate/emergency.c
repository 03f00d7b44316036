#include "gate/emergency.h"

#include <string.h>

#include "gate/policy.h"

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
	return !server || !tool || strcmp(server, "gate") == 0 ||
	       policy_is_who_is_who(server, tool);
}
