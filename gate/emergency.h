/*
 * emergency -- break-glass: a yes while the surface that people usually use is down.
 *
 * It replaces the surface, not the rules: same prompt, plan, policy and approvers, one
 * call. What a person says is guard/emergency.h; here is when it may be said. Pure: what is
 * known comes in, a judgement goes out.
 */
#ifndef GATE_EMERGENCY_H
#define GATE_EMERGENCY_H

#include "guard/emergency.h"

#ifdef EMERGENCY_QUICK /* a test's own build of the gate */
enum { EMERGENCY_DOWN_MS = 3000, EMERGENCY_PROBE_MS = 200 };
#else
enum {
	EMERGENCY_DOWN_MS = 5 * 60 * 1000, /* seen down without a break */
	EMERGENCY_PROBE_MS = 10 * 1000,    /* between looks */
};
#endif
enum {
	EMERGENCY_GAP_MS = 45 * 1000, /* not looking for longer is having seen nothing */
	EMERGENCY_UNREVIEWED_MAX = 3,
};

/* What the probe has seen of the usual surface. Times are monotonic milliseconds. */
struct surface_health {
	int64_t down_since_ms; /* 0: it was up, or nobody has looked */
	int64_t seen_ms;       /* the last look; 0: none */
};
void surface_health_note(struct surface_health *h, bool is_up, int64_t now_ms);
/* How long it has been seen down, to this moment; 0: it has not. */
int64_t surface_health_down_ms(const struct surface_health *h, int64_t now_ms);

/* Tools that no emergency reaches: the gate's own (policy, pins, key) and who is who. */
bool emergency_is_never(const char *server, const char *tool);

#endif
