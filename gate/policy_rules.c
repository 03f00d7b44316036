#include "gate/policy_rules.h"

#include "base/clock.h"
#include "gate/policy.h"
#include "guard/state.h"

/* A plan's sealed state must outlive prompt, approval and the call itself. */
enum { WAITING_MAX_MS = STATE_TTL_MS - 2 * 60 * 1000 };

void policy_rules_free(struct policy_rule *rules, size_t count)
{
	for (size_t i = 0; rules && i < count; i++) {
		json_decref(rules[i].callers);
		json_decref(rules[i].approvers);
		for (size_t j = 0; j < rules[i].pattern_count; j++)
			policy_pattern_done(&rules[i].patterns[j]);
		free(rules[i].patterns);
	}
	free(rules);
}

static bool complain(const struct config *file, size_t rule, const char *member,
		     const char *what, struct error *err)
{
	char pointer[128];

	(void)snprintf(pointer, sizeof pointer, "/rules/%zu/%s", rule, member);
	return error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s", config_name(file),
			 config_line(file, pointer), what);
}

/* Persons and groups, flat, into a new array; "team" becomes NULL. */
static bool read_persons(const struct config *file, size_t index, const json_t *rule,
			 const char *member, json_t **ret, struct error *err)
{
	const json_t *groups = json_object_get(config_root(file), "groups");
	const json_t *named = json_object_get(rule, member);
	json_auto_t *flat = json_array();
	size_t i, j;
	json_t *item, *person;

	if (!json_is_array(named)) /* absent, or "team" */
		return true;
	json_array_foreach(named, i, item)
	{
		const char *text = json_string_value(item);

		if (text && strncmp(text, "group:", 6) == 0) {
			const json_t *group = json_object_get(groups, text + 6);

			if (!group)
				return complain(file, index, member,
						"there is no such group", err);
			json_array_foreach(group, j, person)
			{
				if (json_array_append(flat, person) != 0)
					return error_oom(err);
			}

		} else if (json_array_append(flat, item) != 0) {
			return error_oom(err);
		}
	}
	*ret = TAKE(flat);
	return true;
}

static bool read_times(const struct config *file, size_t i, const json_t *rule,
		       struct policy_rule *r, struct error *err)
{
	const char *expires = json_get_string(rule, "expires_in");
	const char *good_for = json_get_string(rule, "good_for");

	r->expires_ms = POLICY_EXPIRES_MS;
	r->good_for_ms = POLICY_GOOD_FOR_MS;
	if (expires && !clock_parse_duration(expires, &r->expires_ms, err))
		return false;
	if (good_for && !clock_parse_duration(good_for, &r->good_for_ms, err))
		return false;
	if (r->expires_ms > WAITING_MAX_MS - r->good_for_ms)
		return complain(
			file, i, expires ? "expires_in" : "good_for",
			"expires_in and good_for together may be 28m at most, because "
			"a plan is kept for 30m",
			err);
	return true;
}

static bool read_match(const struct config *file, size_t i, const json_t *rule,
		       struct policy_rule *r, struct error *err)
{
	const char *server = json_get_string(rule, "server");
	const char *tool = json_get_string(rule, "tool");
	const json_t *reversible = json_object_get(rule, "reversible");
	size_t n;
	json_t *risk;

	if (server && !name_is_server(server))
		return complain(file, i, "server", "this is no server's name", err);
	if (tool && !name_is_tool(tool))
		return complain(file, i, "tool", "this is no tool's name", err);
	(void)snprintf(r->server, sizeof r->server, "%s", server ? server : "");
	(void)snprintf(r->tool, sizeof r->tool, "%s", tool ? tool : "");
	json_array_foreach(json_object_get(rule, "risk"), n, risk)
	{
		enum risk one;

		if (!json_is_string(risk) || !risk_parse(json_string_value(risk), &one))
			return complain(file, i, "risk", "this is no risk", err);
		r->risks |= 1U << one;
	}
	r->reversible = reversible ? json_is_true(reversible) : -1;
	return true;
}

static bool read_patterns(const struct config *file, size_t i, const json_t *rule,
			  struct policy_rule *r, struct error *err)
{
	json_t *patterns = json_object_get(rule, "arguments");
	const char *name;
	json_t *pattern;

	if (!patterns)
		return true;
	if (!*r->server || !*r->tool)
		return complain(file, i, "arguments",
				"patterns are for the arguments of one tool: name server "
				"and tool",
				err);
	if (json_object_size(patterns) == 0 ||
	    json_object_size(patterns) > POLICY_PATTERNS_MAX)
		return complain(file, i, "arguments",
				"a rule has patterns for 1 to 16 arguments", err);
	r->patterns = calloc(json_object_size(patterns), sizeof *r->patterns);
	if (!r->patterns)
		return error_oom(err);
	json_object_foreach(patterns, name, pattern)
	{
		struct error why = ERROR_INIT;
		char member[96];

		(void)snprintf(member, sizeof member, "arguments/%.64s", name);
		if (!policy_pattern_read(name, pattern, &r->patterns[r->pattern_count],
					 &why))
			return complain(file, i, member, why.message, err);
		r->pattern_count++;
	}
	return true;
}

static bool read_rate(const struct config *file, size_t i, const json_t *rule,
		      struct policy_rule *r, struct error *err)
{
	const json_t *rate = json_object_get(rule, "rate");
	const char *per = json_get_string(rate, "per");
	struct error why = ERROR_INIT;

	if (!rate)
		return true;
	r->rate_calls = json_get_int64(rate, "calls", 0);
	if (r->rate_calls < 1 || !per ||
	    !clock_parse_duration(per, &r->rate_per_ms, &why))
		return complain(file, i, "rate",
				"a rate is a number of calls per a time such as 1h", err);
	if (r->refuse)
		return complain(file, i, "rate", "what is refused has no rate", err);
	return true;
}

static bool read_rule(const struct config *file, size_t i, const json_t *rule,
		      struct policy_rule *r, struct error *err)
{
	const char *name = json_get_string(rule, "name");

	(void)snprintf(r->name, sizeof r->name, "%s", name ? name : "");
	r->needed = json_get_int64(rule, "needed", 1);
	r->four_eyes = json_is_true(json_object_get(rule, "four_eyes"));
	r->free = json_is_true(json_object_get(rule, "free"));
	r->refuse = json_is_true(json_object_get(rule, "refuse"));
	if (r->needed < 1 || r->needed > 8)
		return complain(file, i, "needed", "needed must be 1 to 8", err);
	if (r->free && r->refuse)
		return complain(file, i, "free", "a rule frees or refuses, not both",
				err);
	if (!read_match(file, i, rule, r, err) || !read_times(file, i, rule, r, err) ||
	    !read_patterns(file, i, rule, r, err) || !read_rate(file, i, rule, r, err))
		return false;
	if (r->free && (!*r->server || !*r->tool))
		return complain(file, i, "free",
				"a read is freed by the exact names of server and tool",
				err);
	return read_persons(file, i, rule, "callers", &r->callers, err) &&
	       read_persons(file, i, rule, "approvers", &r->approvers, err);
}

struct policy_rule *policy_rules_read(const struct config *file, size_t *ret_count,
				      struct error *err)
{
	const json_t *list = json_object_get(config_root(file), "rules");
	size_t count = json_array_size(list), i;
	struct policy_rule *rules;
	json_t *rule;

	if (count == 0 || count > POLICY_RULES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "%s: 1 to %d rules are needed, here are %zu", config_name(file),
			  POLICY_RULES_MAX, count);
		return NULL;
	}
	rules = calloc(count, sizeof *rules);
	if (!rules) {
		error_oom(err);
		return NULL;
	}
	json_array_foreach(list, i, rule)
	{
		bool twice = false;

		if (!read_rule(file, i, rule, &rules[i], err))
			break;
		for (size_t j = 0; j < i; j++)
			twice = twice || strcmp(rules[j].name, rules[i].name) == 0;
		if (twice &&
		    !complain(file, i, "name", "another rule has this name", err))
			break;
	}
	if (error_is_set(err)) {
		policy_rules_free(rules, count);
		return NULL;
	}
	*ret_count = count;
	return rules;
}
