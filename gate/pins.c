#include "gate/pins.h"

#include "gate/pins_compare.h"

struct pinned_server {
	const struct settings_server *settings;
	char address[SETTINGS_URL_MAX + 1]; /* as pinned */
	struct pin_set pinned;
	struct pin_set current; /* as listed last */
	bool seen, up;
};

struct pins {
	const struct settings *settings;
	struct documents *documents;
	struct pinned_server servers[SETTINGS_SERVERS_MAX];
};

void pins_free(struct pins *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < SETTINGS_SERVERS_MAX; i++) {
		pin_set_done(&p->servers[i].pinned);
		pin_set_done(&p->servers[i].current);
	}
	free(p);
}

size_t pins_server_count(const struct pins *p)
{
	return p->settings->server_count;
}

static struct pinned_server *find_server(const struct pins *p, const char *name,
					 struct error *err)
{
	for (size_t i = 0; i < p->settings->server_count; i++)
		if (strcmp(p->servers[i].settings->name, name) == 0)
			return (struct pinned_server *)(uintptr_t)&p->servers[i];
	error_set(err, ERR_NOT_FOUND, "there is no server '%.64s'", name);
	return NULL;
}

bool pins_is_up(const struct pins *p, const char *server)
{
	struct error ignored = ERROR_INIT;
	const struct pinned_server *s = find_server(p, server, &ignored);

	return s && s->up;
}

static bool load_compiled_in(struct pinned_server *s, struct error *err)
{
	_cleanup_free_ const char **names = tool_definition_names(s->settings->name);

	for (size_t i = 0; names && names[i]; i++) {
		struct tool_definition *d =
			tool_definition_load(s->settings->name, names[i], err);

		if (!d || !pin_set_add(&s->pinned, d, err))
			return false;
	}
	(void)snprintf(s->address, sizeof s->address, "%s", s->settings->url);
	return true;
}

static bool load_server(struct pins *p, struct pinned_server *s, struct error *err)
{
	struct document stored = { 0 };
	bool found = false, ok;
	const char *address;

	if (!documents_get(p->documents, "pins", s->settings->name, &stored, &found, err))
		return false;
	if (!found)
		return load_compiled_in(s, err);
	address = json_get_string(stored.body, "address");
	(void)snprintf(s->address, sizeof s->address, "%s", address ? address : "");
	ok = pin_set_read(&s->pinned, s->settings->name,
			  json_object_get(stored.body, "tools"), err);
	document_done(&stored);
	return ok;
}

struct pins *pins_open(const struct settings *settings, struct documents *documents,
		       struct error *err)
{
	_cleanup_(pins_freep) struct pins *p = calloc(1, sizeof *p);

	if (!p) {
		error_oom(err);
		return NULL;
	}
	p->settings = settings;
	p->documents = documents;
	for (size_t i = 0; i < settings->server_count; i++) {
		p->servers[i].settings = &settings->servers[i];
		if (!load_server(p, &p->servers[i], err))
			return NULL;
	}
	return TAKE(p);
}

static bool has_moved(const struct pinned_server *s)
{
	return strcmp(s->address, s->settings->url) != 0;
}

static bool has_changed(const struct pinned_server *s,
			const struct tool_definition *pinned)
{
	const struct tool_definition *now;

	if (has_moved(s))
		return true;
	if (!s->seen)
		return false;
	now = pin_set_find(&s->current, pinned->name);
	return !now || strcmp(now->pin, pinned->pin) != 0;
}

static bool say_changed(const struct pinned_server *s, const char *tool,
			struct error *err)
{
	return error_set(err, ERR_PRECONDITION_FAILED,
			 "%s.%s changed since pinned: run wingman pin %s",
			 s->settings->name, tool, s->settings->name);
}

/* The name nearest to what was asked for, for a hint alone: nothing is ever repaired. */
static void hint_nearest(const struct pins *p, const char *server, const char *tool,
			 struct error *err)
{
	char asked[160], name[160], best[160] = "";
	size_t least = 6;

	(void)snprintf(asked, sizeof asked, "%.64s.%.64s", server, tool);
	for (size_t i = 0; i < p->settings->server_count; i++)
		for (size_t t = 0; t < p->servers[i].pinned.count; t++) {
			size_t far;

			(void)snprintf(name, sizeof name, "%s.%s",
				       p->servers[i].settings->name,
				       p->servers[i].pinned.tools[t]->name);
			far = pin_name_distance(asked, name);
			if (far < least) {
				least = far;
				memcpy(best, name, sizeof best);
			}
		}
	if (*best)
		error_hint(err, "the nearest is %s", best);
}

const struct tool_definition *pins_find(const struct pins *p, const char *server,
					const char *tool, struct error *err)
{
	struct error unknown = ERROR_INIT;
	const struct pinned_server *s = find_server(p, server, &unknown);
	const struct tool_definition *d = s ? pin_set_find(&s->pinned, tool) : NULL;

	if (!d) {
		if (s && s->seen && pin_set_find(&s->current, tool)) {
			error_set(err, ERR_PRECONDITION_FAILED,
				  "%s.%s was never pinned: run wingman pin %s", server,
				  tool, server);
			return NULL;
		}
		error_set(err, ERR_NOT_FOUND, "there is no tool '%.33s.%.65s'", server,
			  tool);
		hint_nearest(p, server, tool, err);
		return NULL;
	}
	if (has_changed(s, d)) {
		say_changed(s, tool, err);
		return NULL;
	}
	return d;
}

bool pins_learn(struct pins *p, const char *server, const json_t *tools,
		bool *ret_changed, struct error *err)
{
	struct pinned_server *s = find_server(p, server, err);
	struct pin_set listed = { 0 };
	char before[DIGEST_HEX_BYTES], after[DIGEST_HEX_BYTES];

	*ret_changed = false;
	if (!s)
		return false;
	s->up = tools != NULL;
	if (!tools)
		return true;
	if (!pin_set_read(&listed, server, tools, err)) {
		/* What cannot be read cannot be what was pinned. */
		pin_set_done(&s->current);
		s->current = (struct pin_set){ 0 };
		*ret_changed = s->pinned.count > 0;
		s->seen = true;
		pin_set_done(&listed);
		return false;
	}
	if (!pin_set_digest(&s->current, before, err) ||
	    !pin_set_digest(&listed, after, err)) {
		pin_set_done(&listed);
		return false;
	}
	*ret_changed = !s->seen || strcmp(before, after) != 0;
	pin_set_done(&s->current);
	s->current = listed;
	s->seen = true;
	return true;
}

static bool is_pinned(const struct pinned_server *s)
{
	if (s->pinned.count == 0 || (s->seen && s->current.count != s->pinned.count))
		return false;
	for (size_t i = 0; i < s->pinned.count; i++)
		if (has_changed(s, s->pinned.tools[i]))
			return false;
	return true;
}

static json_t *describe(const struct pinned_server *s)
{
	json_auto_t *tools = json_array();

	for (size_t i = 0; tools && i < s->pinned.count; i++)
		if (json_array_append(tools, s->pinned.tools[i]->json) != 0)
			return NULL;
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:O}", "name", s->settings->name,
			 "url", s->settings->url, "instance", s->settings->instance, "up",
			 s->up, "pinned", is_pinned(s), "tools", tools);
}

json_t *pins_describe(const struct pins *p, const char *server)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->settings->server_count; i++)
		if (!server || strcmp(server, p->servers[i].settings->name) == 0)
			(void)json_array_append_new(list, describe(&p->servers[i]));
	return list;
}

/* Of pin and present together: whoever names it has seen this very difference. */
static bool difference_digest(const struct pinned_server *s,
			      char ret[static DIGEST_HEX_BYTES], struct error *err)
{
	char was[DIGEST_HEX_BYTES], now[DIGEST_HEX_BYTES];
	json_auto_t *both = NULL;

	if (!pin_set_digest(&s->pinned, was, err) ||
	    !pin_set_digest(&s->current, now, err))
		return false;
	both = json_pack("{s:s, s:s, s:s, s:s, s:s}", "server", s->settings->name,
			 "pinned", was, "current", now, "address", s->settings->url,
			 "was", s->address);
	return both ? canonical_digest(both, ret, err) : error_oom(err);
}

static const struct pinned_server *need_seen(const struct pins *p, const char *server,
					     struct error *err)
{
	const struct pinned_server *s = find_server(p, server, err);

	if (s && !s->seen) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the server '%s' has not answered yet, so nobody knows what it "
			  "lists",
			  server);
		return NULL;
	}
	return s;
}

json_t *pins_differences(const struct pins *p, const char *server, struct error *err)
{
	const struct pinned_server *s = need_seen(p, server, err);
	json_auto_t *list = NULL;
	char digest[DIGEST_HEX_BYTES];

	if (!s || !difference_digest(s, digest, err))
		return NULL;
	list = pin_set_differences(&s->pinned, &s->current);
	if (list && has_moved(s))
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:s}", "tool", "*", "what",
						      "the server's address changed"));
	if (!list) {
		error_oom(err);
		return NULL;
	}
	return json_pack("{s:O, s:s, s:s, s:s}", "differences", list, "address",
			 s->settings->url, "current", digest, "digest", digest);
}

static const struct pinned_server *check_digest(const struct pins *p, const char *server,
						const char *digest, struct error *err)
{
	const struct pinned_server *s = need_seen(p, server, err);
	char now[DIGEST_HEX_BYTES];

	if (!s || !difference_digest(s, now, err))
		return NULL;
	if (strcmp(now, digest) != 0) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "what '%s' lists is not what was read: look at the difference "
			  "again",
			  server);
		return NULL;
	}
	return s;
}

static struct plan *plan_difference(const struct pinned_server *s, const char *digest,
				    bool whole, struct error *err)
{
	const char *server = s->settings->name;
	_cleanup_(plan_freep) struct plan *plan = plan_new();

	if (!plan) {
		error_oom(err);
		return NULL;
	}
	plan_summary(plan, "accept the %zu tools that %s lists now", s->current.count,
		     server);
	if (has_moved(s))
		plan_effect(plan, "gate", "address of the server", s->address,
			    s->settings->url, true);
	pin_set_effects(&s->pinned, &s->current, server, whole, plan);
	if (is_pinned(s))
		plan_warning(plan, "nothing differs from what is pinned");
	if (!whole)
		plan_warning(
			plan,
			"there is too much to show it all here: of some tools you see "
			"digests; read what %s lists before you agree",
			server);
	plan_state(plan, json_pack("{s:s}", "difference", digest));
	plan_data(plan, json_pack("{s:s, s:s}", "server", server, "digest", digest));
	return plan_finish(plan, err) ? TAKE(plan) : NULL;
}

struct plan *pins_plan(const struct pins *p, const char *server, const char *digest,
		       struct error *err)
{
	const struct pinned_server *s = check_digest(p, server, digest, err);
	struct error too_much = ERROR_INIT;
	struct plan *plan = s ? plan_difference(s, digest, true, &too_much) : NULL;

	return !s || plan ? plan : plan_difference(s, digest, false, err);
}

bool pins_accept(struct pins *p, const char *server, const char *digest,
		 const char *approval, int64_t now_ms, size_t *ret_tools,
		 struct error *err)
{
	const struct pinned_server *found = check_digest(p, server, digest, err);
	struct pinned_server *s = found ? find_server(p, server, err) : NULL;
	json_auto_t *tools = s ? pin_set_json(&s->current) : NULL;
	json_auto_t *body = NULL;
	struct pin_set copy = { 0 };
	int64_t revision;

	if (!s)
		return false;
	body = json_pack("{s:i, s:s, s:s, s:s, s:O, s:s, s:I}", "v", 1, "server", server,
			 "instance", s->settings->instance, "address", s->settings->url,
			 "tools", tools, "approval", approval, "pinned_at",
			 (json_int_t)now_ms);
	if (!body)
		return error_oom(err);
	if (!pin_set_read(&copy, server, tools, err) ||
	    !documents_put(p->documents, "pins", server, body, DOCUMENT_ANY, &revision,
			   err)) {
		pin_set_done(&copy);
		return false;
	}
	pin_set_done(&s->pinned);
	s->pinned = copy;
	memcpy(s->address, s->settings->url, sizeof s->address);
	*ret_tools = copy.count;
	return true;
}

bool pins_accepted_by(const struct pins *p, const char *server, const char *approval)
{
	struct error ignored = ERROR_INIT;
	struct document d = { 0 };
	bool found = false, same = false;
	const char *by;

	if (!documents_get(p->documents, "pins", server, &d, &found, &ignored) || !found)
		return false;
	by = json_get_string(d.body, "approval");
	same = by && strcmp(by, approval) == 0;
	document_done(&d);
	return same;
}
