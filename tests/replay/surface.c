#include "replay/surface.h"

#include "base/text.h"
#include "console/render.h"
#include "gate/prompt.h"
#include "render/inert.h"
#include "render/recover.h"
#include "replay/clock.h"
#include "slack/render/prompt.h"

enum { THINKS_MS = 5000, READS_MS = 1000 };

static const char team[] = WORLD_TEAM, app[] = WORLD_APP;

bool surface_open(struct surface *s, struct world *w, const char *channel,
		  struct error *err)
{
	*s = (struct surface){ .world = w,
			       .shown = STRBUF_INIT,
			       .drawn = STRBUF_INIT,
			       .faults = STRBUF_INIT,
			       .body = STRBUF_INIT,
			       .words = json_array() };
	world_slack_channel(channel, s->channel);
	return s->words || error_oom(err);
}

void surface_close(struct surface *s)
{
	for (size_t i = 0; i < s->count; i++) {
		json_decref(s->prompts[i].prompt);
		json_decref(s->prompts[i].blocks);
		json_decref(s->prompts[i].last_page);
	}
	strbuf_done(&s->shown);
	strbuf_done(&s->drawn);
	strbuf_done(&s->faults);
	strbuf_done(&s->body);
	json_decref(s->words);
}

static void fault(struct surface *s, const char *what, const char *why)
{
	strbuf_add_format(&s->faults, "%s%s: %.300s", s->faults.length ? "; " : "", what,
			  why);
}

static struct posted *find(struct surface *s, const char *approval)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->prompts[i].approval, approval) == 0)
			return &s->prompts[i];
	return NULL;
}

/* --- posting --- */

static void find_value(const json_t *blocks, const char *action, char *ret, size_t size)
{
	const char *name = json_get_string(blocks, "action_id");
	size_t i;
	json_t *member;

	if (name && strcmp(name, action) == 0)
		(void)snprintf(ret, size, "%s", json_get_string(blocks, "value"));
	json_array_foreach(json_object_get(blocks, "elements"), i, member)
	{
		find_value(member, action, ret, size);
	}
	json_array_foreach(blocks, i, member)
	{
		find_value(member, action, ret, size);
	}
}

typedef json_t *recover_fn(const void *drawn, unsigned run, struct error *err);

static json_t *from_blocks(const void *drawn, unsigned run, struct error *err)
{
	return recover_blocks(drawn, run, err);
}

static json_t *from_page(const void *drawn, unsigned run, struct error *err)
{
	return recover_terminal(drawn, run, err);
}

/* What was drawn is the call, to the byte; of several, each is. */
static void check_back(struct surface *s, const char *where, recover_fn *recover,
		       const void *drawn, const json_t *prompt)
{
	const json_t *calls = json_object_get(prompt, "calls");
	size_t count = calls ? json_array_size(calls) : 1;

	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(calls, i);
		const json_t *one = calls ? json_object_get(row, "prompt") : prompt;
		struct error why = ERROR_INIT, err = ERROR_INIT;
		json_auto_t *arguments =
			recover(drawn, (unsigned)json_get_int64(row, "run", 0), &why);
		const char *args = json_get_string(one, "args");
		char digest[DIGEST_HEX_BYTES];

		if (!arguments || !args || !canonical_digest(arguments, digest, &err) ||
		    strcmp(digest, args) != 0)
			fault(s, where,
			      arguments ? "what is shown is not what would run"
					: why.message);
	}
}

static void draw_terminal(struct surface *s, const json_t *prompt)
{
	const struct render_style style = { .columns = 80, .now_ms = replay_clock_ms() };
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!render_prompt(&page, prompt, &style, &err)) {
		fault(s, "terminal", err.message);
		return;
	}
	if (inert_has_control(page.data, page.length))
		fault(s, "terminal", "a control character");
	check_back(s, "terminal", from_page, page.data, prompt);
	recover_page_text(page.data, &s->drawn);
}

static void draw_pages(struct surface *s, struct posted *p)
{
	json_auto_t *all = json_array();
	struct error err = ERROR_INIT;

	p->pages = 1;
	for (size_t page = 1; page <= p->pages; page++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		json_auto_t *view = slack_prompt_page(p->prompt, replay_clock_ms(), page,
						      &p->pages, &err);
		const json_t *blocks = json_object_get(view, "blocks");

		if (!view || !inert_view(view, &why)) {
			fault(s, "review", view ? why.data : err.message);
			return;
		}
		if (slack_can_approve(blocks) != (page == p->pages))
			fault(s, "review", "another page than the last can approve");
		if (!p->in_message && page == p->pages) {
			find_value(blocks, SLACK_ACTION_APPROVE, p->value,
				   sizeof p->value);
			(void)snprintf(p->metadata, sizeof p->metadata, "%s",
				       json_get_string(view, "private_metadata"));
		}
		(void)json_array_extend(all, json_object_get(view, "blocks"));
	}
	check_back(s, "review", from_blocks, all, p->prompt);
	recover_text(all, &s->shown);
}

static void draw_message(struct surface *s, struct posted *p)
{
	const struct slack_prompt_view view = { replay_clock_ms(), p->channel[0] != 'D' };
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *message = slack_prompt_message(p->prompt, &view, &err);
	const json_t *blocks = json_object_get(message, "blocks");

	if (!message || !inert_message(message, &why)) {
		fault(s, "message", message ? why.data : err.message);
		return;
	}
	p->blocks = json_incref(json_object_get(message, "blocks"));
	p->in_message = slack_can_approve(blocks);
	if (!p->in_message)
		return;
	find_value(blocks, SLACK_ACTION_APPROVE, p->value, sizeof p->value);
	check_back(s, "message", from_blocks, blocks, p->prompt);
}

/* What needs nobody's yes is not posted. */
static void tell_place(struct surface *s, const struct posted *p, const json_t *record)
{
	const char *state = json_get_string(record, "state");
	json_auto_t *members =
		json_pack("{s:s, s:s, s:s, s:s, s:I}", "approval", p->approval, "shown",
			  json_get_string(record, "shown"), "channel", p->channel,
			  "message_ts", p->message_ts, "drawn_at", (json_int_t)p->at_ms);
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;

	if (!state || strcmp(state, "pending") != 0)
		return;
	reply = members ? world_slack(s->world, MSG_SLACK_POSTED, members, &err) : NULL;
	if (!reply)
		fault(s, "posting", err.message);
	else if (json_is_true(json_object_get(reply, "approvable")) != p->in_message ||
		 json_get_int64(reply, "pages", 0) != (int64_t)p->pages)
		fault(s, "posting", "the gate draws another message");
}

void surface_post(struct surface *s, const char *approval)
{
	json_auto_t *record = world_record(s->world, approval);
	json_t *prompt = json_object_get(record, "prompt");
	struct posted *p;

	if (!prompt || find(s, approval))
		return;
	if (s->count == SURFACE_PROMPTS_MAX) {
		fault(s, "posting", "too many prompts");
		return;
	}
	p = &s->prompts[s->count++];
	*p = (struct posted){ .prompt = json_incref(prompt), .at_ms = replay_clock_ms() };
	(void)snprintf(p->approval, sizeof p->approval, "%s", approval);
	(void)snprintf(p->channel, sizeof p->channel, "%s", s->channel);
	(void)snprintf(p->message_ts, sizeof p->message_ts, "%lld.%06zu",
		       (long long)(p->at_ms / 1000), s->count);
	draw_message(s, p);
	draw_pages(s, p);
	draw_terminal(s, prompt);
	tell_place(s, p, record);
}

void surface_say(struct surface *s, const char *by, const char *text)
{
	struct error err = ERROR_INIT;
	json_auto_t *messages = slack_words_of(by, text, &err);
	size_t i;
	json_t *message;

	if (!messages)
		fault(s, "words", err.message);
	json_array_foreach(messages, i, message)
	{
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

		if (!inert_message(message, &why))
			fault(s, "words", why.data);
		if (slack_can_approve(json_object_get(message, "blocks")))
			fault(s, "words", "they stand beside a button");
		(void)json_array_append(s->words, message);
	}
}

/* --- pressing --- */

static const char *text_or(const json_t *event, const char *member, const char *fallback)
{
	const char *text = json_get_string(event, member);

	return text ? text : fallback;
}

/* The digest of the prompt that these arguments would have had: of what was seen. */
static void value_of_other(const struct posted *p, const json_t *seen, char *ret,
			   size_t size)
{
	json_auto_t *prompt = json_deep_copy(p->prompt);
	char args[DIGEST_HEX_BYTES], digest[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	const char *own = json_get_string(p->prompt, "args"); /* NULL: of several */

	if (!canonical_digest(seen, args, &err) || (own && strcmp(args, own) == 0))
		return;
	(void)json_object_set_new(prompt, "args", json_string(args));
	if (canonical_digest(prompt, digest, &err))
		(void)snprintf(ret, size, "%s %s", p->approval, digest);
}

static void channel_of(const struct posted *p, const json_t *event, char ret[static 65])
{
	world_slack_channel(text_or(event, "channel", p ? p->channel : "C0NONE"), ret);
}

static json_t *container(const struct posted *p, const json_t *event)
{
	char channel[65];

	channel_of(p, event, channel);
	if (p && !p->in_message)
		return json_pack("{s:s, s:s}", "type", "view", "view_id", "V0REPLAY");
	return json_pack("{s:s, s:s, s:s}", "type", "message", "channel_id", channel,
			 "message_ts",
			 text_or(event, "message_ts", p ? p->message_ts : "1.1"));
}

static json_t *payload(const struct surface *s, const struct posted *p,
		       const json_t *event, const char *value, const char *stamp)
{
	const char *action = text_or(event, "action", "");
	const char *of = text_or(event, "team", team);
	char name[100], user[65], channel[65];
	json_t *o;

	world_slack_user(s->world, text_or(event, "user", "U0NOBODY"), user);
	channel_of(p, event, channel);

	(void)snprintf(name, sizeof name, "wingman.%s",
		       strcmp(action, "reject") == 0 ? "deny" : action);
	o = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:o, s:[{s:s, s:s, s:s, s:s}]}",
		      "type", "block_actions", "api_app_id", app, "team", "id", of,
		      "user", "id", user, "team_id", of, "container", container(p, event),
		      "actions", "type", "button", "action_id", name, "value", value,
		      "action_ts", stamp);
	if (o && p && !p->in_message)
		(void)json_object_set_new(o, "view",
					  json_pack("{s:s, s:s, s:O*}", "id", "V0REPLAY",
						    "private_metadata", p->metadata,
						    "blocks", p->last_page));
	else if (o) {
		(void)json_object_set_new(o, "channel",
					  json_pack("{s:s}", "id", channel));
		(void)json_object_set_new(
			o, "message",
			json_pack("{s:O*}", "blocks", p ? p->blocks : NULL));
	}
	return o;
}

/* What the sender changed takes the place of what Slack would say. True: Slack itself says
 * who pressed, and where; it would not sign another. */
static bool change(json_t *o, json_t *changes)
{
	static const char *const of_slack[] = { "user", "team", "api_app_id", "type" };
	static const char *const of_button[] = { "value", "action_id", "block_id" };
	json_t *button = json_array_get(json_object_get(o, "actions"), 0);
	bool is_unsigned = false;

	if (!json_is_object(changes))
		return false;
	(void)json_object_update(o, changes);
	for (size_t i = 0; i < ARRAY_SIZE(of_button); i++)
		if (json_object_get(changes, of_button[i]))
			(void)json_object_set(button, of_button[i],
					      json_object_get(changes, of_button[i]));
	for (size_t i = 0; i < ARRAY_SIZE(of_slack); i++)
		is_unsigned = is_unsigned || json_object_get(changes, of_slack[i]);
	return is_unsigned;
}

static void encode(struct strbuf *sb, const char *text)
{
	strbuf_add_string(sb, "payload=");
	for (; *text; text++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *text))
			strbuf_add_char(sb, *text);
		else
			strbuf_add_format(sb, "%%%02X", (unsigned char)*text);
}

static void write_body(struct surface *s, const json_t *payload)
{
	_cleanup_free_ char *text = json_dumps(payload, JSON_COMPACT);

	strbuf_clear(&s->body);
	encode(&s->body, text ? text : "");
}

static void sign(struct surface *s, const char *key)
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];

	strbuf_add_format(&base, "v0:%s:", s->timestamp);
	strbuf_add(&base, s->body.data, s->body.length);
	digest_hmac_sha256(key, strlen(key), base.data, base.length, mac);
	memcpy(s->signature, "v0=", 3);
	digest_hex(mac, sizeof mac, s->signature + 3);
}

/* The request as it arrives: what the gate does with its bytes. New; NULL: refused. */
static json_t *arrive(struct surface *s, struct error *err)
{
	json_auto_t *members = json_pack("{s:s}", "raw", s->body.data);

	if (!members ||
	    (s->timestamp[0] &&
	     json_object_set_new(members, "timestamp", json_string(s->timestamp)) != 0) ||
	    (s->signature[0] &&
	     json_object_set_new(members, "signature", json_string(s->signature)) != 0)) {
		error_oom(err);
		return NULL;
	}
	return world_slack(s->world, MSG_SLACK_CLICK, members, err);
}

/* --- the pages before the last --- */

/* One of this person's own presses, as Slack signs it. 'page' 0: Review, on the message. */
static json_t *turn_page(struct surface *s, struct posted *p, const char *user,
			 size_t page)
{
	char value[200], stamp[48];
	json_auto_t *event = json_pack("{s:s, s:s}", "user", user, "action",
				       page ? "page.next" : "review");
	json_auto_t *o = NULL;
	struct posted where = *p;
	struct error err = ERROR_INIT;

	(void)snprintf(value, sizeof value, "%s %zu", p->value, page + 1);
	(void)snprintf(where.metadata, sizeof where.metadata, "%.100s %zu", p->value,
		       page);
	(void)snprintf(stamp, sizeof stamp, "%lld.%06u", (long long)replay_clock_ms(),
		       s->presses++);
	where.in_message = page == 0;
	o = payload(s, &where, event, value, stamp);
	write_body(s, o);
	world_sign(WORLD_SECRET, &s->body, s->timestamp, s->signature);
	return arrive(s, &err);
}

/* Whoever may not read it gets no page, and presses all the same. */
static void review(struct surface *s, struct posted *p, const json_t *event)
{
	const char *user = text_or(event, "user", "U0NOBODY");
	json_auto_t *opened = turn_page(s, p, user, 0);
	struct error err = ERROR_INIT;
	json_auto_t *view = NULL;

	for (size_t page = 1; opened && page < p->pages; page++) {
		json_auto_t *turned = turn_page(s, p, user, page);

		if (!turned)
			return;
	}
	view = slack_prompt_page(p->prompt,
				 opened ? json_get_int64(opened, "drawn_at", 0)
					: replay_clock_ms(),
				 p->pages, &p->pages, &err);
	json_decref(p->last_page);
	p->last_page = json_incref(json_object_get(view, "blocks"));
}

/* And reads: a review is open for the last of that time. */
static void think(struct surface *s, const json_t *event, struct posted *p)
{
	const json_t *delay = json_object_get(event, "delay_ms");
	int64_t ready_ms = p ? p->at_ms + THINKS_MS : 0, left_ms = 0;

	if (json_is_integer(delay))
		left_ms = json_integer_value(delay);
	else if (ready_ms > replay_clock_ms())
		left_ms = ready_ms - replay_clock_ms();
	if (p && !p->in_message) {
		if (left_ms > READS_MS)
			world_wait(s->world, left_ms - READS_MS);
		review(s, p, event);
		left_ms = left_ms > READS_MS || !json_is_integer(delay) ? READS_MS
									: left_ms;
	}
	world_wait(s->world, left_ms);
}

void surface_click(struct surface *s, const json_t *event, const char *approval)
{
	struct posted *p = find(s, approval);
	const char *signature = text_or(event, "signature", "valid");
	const char *key = strcmp(signature, "valid") == 0 ? WORLD_SECRET
							  : "another secret";
	bool is_unsigned;
	const json_t *seen = json_object_get(event, "shown_arguments");
	json_auto_t *o = NULL;
	struct error err = ERROR_INIT;
	char value[160], stamp[48];

	think(s, event, p);
	/* A button that was never posted: somebody makes one up. */
	(void)snprintf(value, sizeof value, "01replay %064d", 0);
	if (p)
		(void)snprintf(value, sizeof value, "%s", p->value);
	if (p && seen)
		value_of_other(p, seen, value, sizeof value);
	/* No two presses are one request. */
	(void)snprintf(stamp, sizeof stamp, "%lld.%06u", (long long)replay_clock_ms(),
		       s->presses++);
	o = payload(s, p, event, value, stamp);
	(void)snprintf(s->timestamp, sizeof s->timestamp, "%lld",
		       (long long)((replay_clock_ms() + 999) / 1000 -
				   json_get_int64(event, "timestamp_age_s", 0)));
	/* What is changed on its way has the signature of what was sent. */
	write_body(s, o);
	sign(s, key);
	is_unsigned = change(o, json_object_get(event, "payload"));
	write_body(s, o);
	if (!is_unsigned)
		sign(s, key);
	if (strcmp(signature, "missing") == 0)
		s->timestamp[0] = s->signature[0] = '\0';
	s->world->dies = strcmp(text_or(event, "crash", ""), "after_send") == 0;
	json_decref(arrive(s, &err));
	s->world->dies = false;
}

void surface_repeat_last(struct surface *s)
{
	struct error err = ERROR_INIT;

	if (s->body.length > 0)
		json_decref(arrive(s, &err));
}

/* --- what was seen --- */

/* Within one of the warnings of this prompt, or of a call of it: 'after' and then 'text'. */
static bool warns(const json_t *prompt, const char *after, const char *text)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(prompt, "warnings"), i, one)
	{
		const char *at = strstr(json_string_value(one), after);

		if (at && strstr(at, text))
			return true;
	}
	json_array_foreach(json_object_get(prompt, "calls"), i, one)
	{
		if (warns(json_object_get(one, "prompt"), after, text))
			return true;
	}
	return false;
}

bool surface_has_flag(const struct surface *s, const char *flag)
{
	for (size_t i = 0; i < s->count; i++)
		if (warns(s->prompts[i].prompt, "is odd:", flag))
			return true;
	return false;
}

bool surface_has_warning(const struct surface *s, const char *text)
{
	for (size_t i = 0; i < s->count; i++)
		if (warns(s->prompts[i].prompt, "", text))
			return true;
	return false;
}
