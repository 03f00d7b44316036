#include "replay/record.h"

#include "base/clock.h"
#include "base/text.h"
#include "gate/prompt_value.h"
#include "replay/clock.h"
#include "replay/model.h"
#include "replay/surface.h"

enum {
	CALLS_MAX = 256,
	SETTLE_MS = 3000,
	RESTARTS_MS = 2000, /* nothing comes up in no time */
	MINUTE_MS = 60 * 1000,
	HOUR_S = 3600,
	DEFAULT_TTL_S = 600,
	UP_BEFORE_MS = 600 * 1000
};

struct call {
	char id[64];
	char server[33];
	char approval[RECORD_ID_BYTES];
	bool refused; /* when it was asked for */
};

struct play {
	struct toolset tools;
	struct world world;
	struct surface surface;
	struct model *model;
	const json_t *then; /* the events, */
	size_t at;          /* and which of them it is */
	int uid;
	int64_t ttl_s; /* of a prompt */
	bool is_shortened;
	const char *channel;
	struct call calls[CALLS_MAX];
	size_t count;
	struct strbuf *why;
};

static void complain(struct play *p, const char *what, const char *which)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;

	if (which)
		text_escaped(&shown, which, strlen(which));
	strbuf_add_format(p->why, "%s%s%s%.400s", p->why->length ? "; " : "", what,
			  which ? ": " : "", shown.data);
}

/* --- the model --- */

/* The newest call of this id: ids come from the model, which may use one twice. */
static struct call *find_call(struct play *p, const char *id)
{
	for (size_t i = p->count; id && i > 0; i--)
		if (strcmp(p->calls[i - 1].id, id) == 0)
			return &p->calls[i - 1];
	return NULL;
}

/* What the provider sent, read as strictly as everything that is to be signed. */
static json_t *arguments_of(const json_t *call, struct error *err)
{
	const json_t *raw = json_object_get(call, "arguments_raw");

	if (raw)
		return json_parse(json_string_value(raw), json_string_length(raw),
				  JSON_CONTRACT, err);
	if (!json_object_get(call, "arguments"))
		error_set(err, ERR_INVALID_ARGUMENT, "there are no arguments");
	return json_incref(json_object_get(call, "arguments"));
}

static struct call *add_call(struct play *p, const json_t *said)
{
	const char *id = json_get_string(said, "id");
	const char *name = json_get_string(said, "name");
	struct call *c;

	if (p->count == CALLS_MAX) {
		complain(p, "too many calls", NULL);
		return NULL;
	}
	c = &p->calls[p->count++];
	*c = (struct call){ .refused = true };
	(void)snprintf(c->id, sizeof c->id, "%s", id ? id : "");
	(void)snprintf(c->server, sizeof c->server, "%.*s",
		       name ? (int)strcspn(name, ".") : 0, name ? name : "");
	return c;
}

static void propose(void *context, const json_t *said,
		    char ret_approval[static RECORD_ID_BYTES], struct error *err)
{
	struct play *p = context;
	json_t *calls = json_object_get(said, "calls");
	json_auto_t *arguments = calls ? NULL : arguments_of(said, err);
	json_t *name = json_object_get(said, "name");
	struct call *c = add_call(p, said);

	ret_approval[0] = '\0';
	if (!c)
		return;
	if (calls || arguments)
		world_propose(&p->world, p->uid, p->channel,
			      calls ? json_pack("{s:O}", "calls", calls)
				    : json_pack("{s:O, s:O}", "tool", name, "arguments",
						arguments),
			      c->approval, err);
	c->refused = !c->approval[0];
	surface_post(&p->surface, c->approval);
	memcpy(ret_approval, c->approval, RECORD_ID_BYTES);
}

static void said(void *context, const char *text)
{
	struct play *p = context;

	surface_say(&p->surface, "assistant", text);
}

static void dropped(void *context, const json_t *call)
{
	(void)add_call(context, call);
}

static const struct model_hooks model_hooks = { said, propose, dropped };

/* A policy says minutes: what a record's time is short of them has passed already. */
static void shorten(struct play *p)
{
	int64_t beyond_ms = p->ttl_s * 1000 % MINUTE_MS;

	if (p->is_shortened || p->surface.count == 0)
		return;
	p->is_shortened = true;
	if ((beyond_ms > 0 && p->ttl_s < HOUR_S / 3) || p->ttl_s == 0)
		world_wait(&p->world, MINUTE_MS - beyond_ms);
}

static void say(struct play *p, const json_t *turn, struct error *err)
{
	if (!model_speak(p->model, turn, err) && !error_is_set(err))
		error_set(err, ERR_INTERNAL, "the model cannot be played");
	shorten(p);
}

/* --- events --- */

/* What the record's server says to it once it runs. */
static void prepare_answer(struct play *p, const struct call *c)
{
	for (size_t i = p->at; i < json_array_size(p->then); i++) {
		const json_t *event = json_array_get(p->then, i);
		const char *name = json_get_string(event, "event");
		const char *call = json_get_string(event, "call");
		const json_t *content = json_object_get(event, "content");
		_cleanup_free_ char *text =
			json_is_string(content) ? NULL
						: json_dumps(content, JSON_ENCODE_ANY);

		if (name && strcmp(name, "tool_result") == 0 && call &&
		    strcmp(call, c->id) == 0) {
			world_answer(&p->world, c->server,
				     text ? text : json_string_value(content));
			return;
		}
	}
}

static void on_click(struct play *p, const json_t *event, struct error *err)
{
	const struct call *c = find_call(p, json_get_string(event, "call"));

	(void)err;
	if (c)
		prepare_answer(p, c);
	surface_click(&p->surface, event, c ? c->approval : "");
	if (json_get_string(event, "crash"))
		world_wait(&p->world, RESTARTS_MS);
}

static void on_result(struct play *p, const json_t *event, struct error *err)
{
	const json_t *content = json_object_get(event, "content");
	_cleanup_free_ char *text =
		json_is_string(content) ? NULL : json_dumps(content, JSON_ENCODE_ANY);

	(void)err;
	surface_say(&p->surface, "server",
		    json_is_string(content) ? json_string_value(content)
		    : text                  ? text
					    : "");
}

static void on_output(struct play *p, const json_t *event, struct error *err)
{
	say(p, event, err);
}

/* Words, hands and edits approve nothing: nobody listens to them. */
static void on_nothing(struct play *p, const json_t *event, struct error *err)
{
	(void)p, (void)event, (void)err;
}

static void on_wait(struct play *p, const json_t *event, struct error *err)
{
	const json_t *seconds = json_object_get(event, "seconds");

	(void)err;
	world_wait(&p->world, (int64_t)(json_number_value(seconds) * 1000));
}

static void on_restart(struct play *p, const json_t *event, struct error *err)
{
	(void)event;
	if (world_restart(&p->world, err))
		world_wait(&p->world, RESTARTS_MS);
}

static void on_deactivated(struct play *p, const json_t *event, struct error *err)
{
	struct toolset_person *who =
		toolset_find(&p->tools, json_get_string(event, "user"));

	if (who)
		who->in_team = false;
	(void)world_write_config(&p->world, err);
}

static void on_removed(struct play *p, const json_t *event, struct error *err)
{
	const struct toolset_person *who =
		toolset_find(&p->tools, json_get_string(event, "user"));
	json_t *approvers = p->world.approvers;

	for (size_t i = json_array_size(approvers); who && i > 0; i--)
		if (strcmp(json_string_value(json_array_get(approvers, i - 1)),
			   who->principal) == 0)
			(void)json_array_remove(approvers, i - 1);
	(void)world_write_config(&p->world, err);
}

/* Whatever is said of the change: a tool is gone, is new, or is another than before. It may
 * be named as calls name it ("accounts.block_account"), without its server beside it. */
static void on_tools_changed(struct play *p, const json_t *event, struct error *err)
{
	const char *server = json_get_string(event, "server");
	const char *tool = json_get_string(event, "tool");
	const char *change = json_get_string(event, "change");
	const char *dot = tool ? strchr(tool, '.') : NULL;
	bool is_gone = change && (strstr(change, "remov") || strstr(change, "gone"));
	char of[33] = "";
	json_t *tools;

	(void)snprintf(of, sizeof of, "%.*s", dot ? (int)(dot - tool) : 32,
		       dot      ? tool
		       : server ? server
				: "");
	tools = json_object_get(p->world.listed, of);
	for (size_t i = json_array_size(tools); i > 0; i--) {
		json_t *one = json_array_get(tools, i - 1);

		if (tool &&
		    strcmp(json_get_string(one, "name"), dot ? dot + 1 : tool) != 0)
			continue;
		if (is_gone)
			(void)json_array_remove(tools, i - 1);
		else
			(void)json_object_set_new(
				one, "description",
				json_string(change ? change : "another"));
	}
	if (tools)
		(void)world_tell_tools(&p->world, of, err);
}

static void on_repeat(struct play *p, const json_t *event, struct error *err)
{
	(void)event, (void)err;
	surface_repeat_last(&p->surface);
}

static void on_down(struct play *p, const json_t *event, struct error *err)
{
	const char *server = json_get_string(event, "server");

	if (server)
		(void)world_server(&p->world, server, false, err);
}

static void on_back(struct play *p, const json_t *event, struct error *err)
{
	const char *server = json_get_string(event, "server");

	if (server)
		(void)world_server(&p->world, server, true, err);
	world_wait(&p->world, SETTLE_MS);
}

static const struct {
	const char *name;
	void (*fn)(struct play *p, const json_t *event, struct error *err);
} events[] = {
	{ "click", on_click },
	{ "tool_result", on_result },
	{ "model_output", on_output },
	{ "message", on_nothing },
	{ "reaction", on_nothing },
	{ "message_edited", on_nothing },
	{ "wait", on_wait },
	{ "restart", on_restart },
	{ "user_deactivated", on_deactivated },
	{ "user_removed_from_approvers", on_removed },
	{ "tools_changed", on_tools_changed },
	{ "replay_last_request", on_repeat },
	{ "server_unavailable", on_down },
	{ "server_back", on_back },
};

static void happen(struct play *p, const json_t *event)
{
	const char *name = json_get_string(event, "event");
	struct error err = ERROR_INIT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (name && strcmp(events[i].name, name) == 0)
			break;
	if (i == ARRAY_SIZE(events)) {
		complain(p, "an event that is not known", name);
		return;
	}
	events[i].fn(p, event, &err);
	if (error_is_set(&err))
		complain(p, name, err.message);
	for (i = 0; i < p->count; i++)
		surface_post(&p->surface, p->calls[i].approval);
}

/* --- what must come of it --- */

/* The same calls in the same order, to the canonical byte. */
static bool is_same(const json_t *got, const json_t *want)
{
	char a[DIGEST_HEX_BYTES], b[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	return json_is_array(want) && canonical_digest(got, a, &err) &&
	       canonical_digest(want, b, &err) && strcmp(a, b) == 0;
}

/* What is read where this text is shown: its displayed form, also inside of JSON. */
static bool is_shown(const struct strbuf *page, const json_t *text)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT, inner = STRBUF_INIT;
	json_auto_t *list = json_pack("[O]", text);
	struct error err = ERROR_INIT;

	if (!prompt_value_text(&plain, text, &err) ||
	    !prompt_value_text(&inner, list, &err))
		return false;
	strbuf_truncate(&plain, plain.length - 1);
	strbuf_truncate(&inner, inner.length - 2);
	return strstr(page->data, plain.data + 1) || strstr(page->data, inner.data + 2);
}

static void check_shown(struct play *p, const json_t *expect)
{
	size_t i;
	json_t *text;

	json_array_foreach(json_object_get(expect, "must_show"), i, text)
	{
		if (!is_shown(&p->surface.shown, text))
			complain(p, "not shown in Slack", json_string_value(text));
		if (!is_shown(&p->surface.drawn, text))
			complain(p, "not shown on a terminal", json_string_value(text));
	}
	json_array_foreach(json_object_get(expect, "must_flag"), i, text)
	{
		const char *flag = json_string_value(text);
		bool has = surface_has_flag(&p->surface, flag) ||
			   (strcmp(flag, "mixed-script") == 0 &&
			    surface_has_flag(&p->surface, "look-alike")) ||
			   (strcmp(flag, "bidi") == 0 &&
			    surface_has_flag(&p->surface, "right-to-left"));

		if (!has)
			complain(p, "not warned of", flag);
	}
	json_array_foreach(json_object_get(expect, "must_warn"), i, text)
	{
		if (!surface_has_warning(&p->surface, json_string_value(text)))
			complain(p, "there is no such warning", json_string_value(text));
	}
}

static void check_read(struct play *p, const json_t *expect)
{
	const json_t *read = model_read(p->model),
		     *want = json_object_get(expect, "read");

	if (want && !json_equal(read, want)) {
		_cleanup_free_ char *text = json_dumps(read, JSON_COMPACT);

		complain(p, "read", text);
	}
}

static void check_prompts(struct play *p, const json_t *expect)
{
	const json_t *prompts = json_object_get(expect, "prompts");
	size_t count = p->surface.count;
	char text[64];
	bool ok = json_is_integer(prompts)
			  ? count == (size_t)json_integer_value(prompts)
			  : !prompts ||
				    count <= (size_t)json_get_int64(prompts, "max", 0);

	(void)snprintf(text, sizeof text, "%zu", count);
	if (!ok)
		complain(p, "prompts", text);
}

/* Without a run: it was not asked for at all, or ended before anybody could say yes. */
static void check_refused(struct play *p, const json_t *expect)
{
	size_t i;
	json_t *id;

	json_array_foreach(json_object_get(expect, "refused_calls"), i, id)
	{
		const struct call *c = find_call(p, json_string_value(id));
		json_auto_t *record = c ? world_record(&p->world, c->approval) : NULL;
		const char *state = json_get_string(record, "state");

		if (!c || (!c->refused && (!state || strcmp(state, "refused") != 0)))
			complain(p, "not refused", json_string_value(id));
	}
}

static void judge(struct play *p, const json_t *expect)
{
	const json_t *executed = world_executed(&p->world);
	const json_t *other = json_object_get(expect, "alternatively_executed");
	bool is_wanted = is_same(executed, json_object_get(expect, "executed"));
	bool is_other = other && is_same(executed, other);
	/* Where refusing is right too, nothing need be shown. */
	bool is_refused = other && p->surface.count == 0 &&
			  json_array_size(executed) == 0;

	if (!is_wanted && !is_other) {
		_cleanup_free_ char *text = json_dumps(executed, JSON_COMPACT);

		complain(p, "executed", text);
	}
	if (p->surface.faults.length > 0)
		complain(p, "alive or not whole", p->surface.faults.data);
	check_refused(p, expect);
	check_read(p, expect);
	if (is_refused)
		return;
	check_prompts(p, expect);
	check_shown(p, expect);
}

static void want(json_t *wanted, const char *name)
{
	char server[33];

	(void)snprintf(server, sizeof server, "%.*s", name ? (int)strcspn(name, "._") : 0,
		       name ? name : "");
	(void)json_object_set_new(wanted, server, json_true());
}

static void want_output(json_t *wanted, const json_t *output)
{
	size_t i;
	json_t *call;

	if (!json_is_object(output))
		return;
	json_array_foreach(json_object_get(output, "tool_calls"), i, call)
	{
		const json_t *arguments = json_object_get(call, "arguments");
		size_t j;
		json_t *one;

		want(wanted, json_get_string(call, "name"));
		json_array_foreach(json_object_get(arguments, "calls"), j, one)
		{
			want(wanted, json_get_string(one, "tool"));
		}
	}
	want_output(wanted, json_object_get(output, "next"));
}

/* Servers that something is done to in this record. */
static json_t *wanted_servers(const json_t *record)
{
	json_t *wanted = json_object(), *event;
	size_t i;

	want_output(wanted, json_object_get(record, "model_output"));
	json_array_foreach(json_object_get(json_object_get(record, "setup"), "resources"),
			   i, event)
	{
		want(wanted, json_get_string(event, "server"));
	}
	json_array_foreach(json_object_get(record, "then"), i, event)
	{
		want(wanted, json_get_string(event, "server"));
		want_output(wanted, event);
	}
	return wanted;
}

static bool start(struct play *p, const json_t *record, const json_t *toolset,
		  struct error *err)
{
	const json_t *setup = json_object_get(record, "setup");
	const char *now = json_get_string(setup, "now");
	const char *channel = json_get_string(setup, "channel");
	const struct toolset_person *who;
	const char *lack = model_lacks(record);
	int64_t now_ms;

	if (lack)
		return error_set(err, ERR_INVALID_ARGUMENT, "%s", lack);
	if (!clock_parse(now ? now : "2026-05-04T08:00:00Z", &now_ms, err) ||
	    !toolset_read(toolset, &p->tools, err))
		return false;
	p->tools.wanted = wanted_servers(record);
	p->tools.resources = json_object_get(setup, "resources");
	/* The gate is there for some time: of what is from before it nothing counts. */
	replay_clock_set(now_ms - UP_BEFORE_MS);
	p->channel = channel ? channel : "C0NONE";
	who = toolset_find(&p->tools, json_get_string(setup, "requester"));
	p->uid = who ? who->uid : 1;
	p->ttl_s = json_get_int64(setup, "approval_ttl_s", DEFAULT_TTL_S);
	if (!world_open(&p->world, &p->tools, p->ttl_s, err))
		return false;
	replay_clock_advance(UP_BEFORE_MS);
	if (!surface_open(&p->surface, &p->world, p->channel, err))
		return false;
	p->model = model_new(&p->world, json_get_string(setup, "requester"), p->channel,
			     &model_hooks, p, err);
	return p->model != NULL;
}

static void happen_all(struct play *p, const json_t *record)
{
	struct error err = ERROR_INIT;
	json_t *event;

	p->then = json_object_get(record, "then");
	say(p, json_object_get(record, "model_output"), &err);
	if (error_is_set(&err))
		complain(p, "the model's first words", err.message);
	json_array_foreach(p->then, p->at, event)
	{
		happen(p, event);
	}
}

bool record_replay(const json_t *record, const json_t *toolset, struct strbuf *why)
{
	_cleanup_free_ struct play *p = calloc(1, sizeof *p);
	struct error err = ERROR_INIT;
	size_t before = why->length;

	if (!p)
		return false;
	p->why = why;
	if (!start(p, record, toolset, &err)) {
		complain(p, "it cannot be set up", err.message);
	} else {
		happen_all(p, record);
		world_wait(&p->world, SETTLE_MS);
		judge(p, json_object_get(record, "expect"));
	}
	model_free(p->model);
	surface_close(&p->surface);
	world_close(&p->world);
	toolset_done(&p->tools);
	return why->length == before;
}
