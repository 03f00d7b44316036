/* Which rule a call falls under, and why not under another. */
#include "gate/policy.h"
#include "gate/policy_rules.h"

enum { ALL_RISKS = 1U << RISK_READ | 1U << RISK_WRITE | 1U << RISK_DESTRUCTIVE };

_printf_(2, 3) static bool say(char why[static POLICY_WHY_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): set right above. */
	(void)vsnprintf(why, POLICY_WHY_BYTES, format, args);
	va_end(args);
	return false;
}

static bool check_patterns(const struct policy_rule *r, const json_t *arguments,
			   char why[static POLICY_WHY_BYTES])
{
	for (size_t i = 0; i < r->pattern_count; i++) {
		const char *name = r->patterns[i].argument;

		if (policy_pattern_matches(&r->patterns[i], arguments, r->refuse))
			continue;
		if (json_object_get(arguments, name))
			return say(why, "'%s' is not as it wants", name);
		return say(why, "it is for certain values of '%s', which is %s", name,
			   arguments ? "absent" : "not given");
	}
	return true;
}

bool policy_rule_matches(const struct policy_rule *r, const struct policy_question *q,
			 const json_t *arguments, char why[static POLICY_WHY_BYTES])
{
	if (*r->server && strcmp(r->server, q->server) != 0)
		return say(why, "it is for the server %s", r->server);
	if (*r->tool && strcmp(r->tool, q->tool) != 0)
		return say(why, "it is for the tool %s", r->tool);
	if (r->risks && !(r->risks & (1U << q->risk)))
		return say(why, "it is not for the risk %s", risk_name(q->risk));
	if (r->reversible >= 0 && r->reversible != q->reversible)
		return say(why, "it is for plans that %s be undone",
			   r->reversible ? "can" : "cannot");
	if (!check_patterns(r, arguments, why))
		return false;
	(void)say(why, "%s",
		  r->pattern_count > 0 ? "server, tool, risk and arguments fit"
				       : "it is the first that fits");
	return true;
}

bool policy_rule_covers(const struct policy_rule *earlier,
			const struct policy_rule *later)
{
	unsigned wide = earlier->risks ? earlier->risks : ALL_RISKS;
	unsigned narrow = later->risks ? later->risks : ALL_RISKS;

	return earlier->pattern_count == 0 &&
	       (!*earlier->server || strcmp(earlier->server, later->server) == 0) &&
	       (!*earlier->tool || strcmp(earlier->tool, later->tool) == 0) &&
	       (narrow & ~wide) == 0 &&
	       (earlier->reversible < 0 || earlier->reversible == later->reversible);
}
