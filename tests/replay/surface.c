#include "replay/surface.h"

#include "base/text.h"
#include "console/render.h"
#include "gate/click.h"
#include "gate/prompt.h"
#include "render/inert.h"
#include "render/recover.h"
#include "replay/clock.h"
#include "slack/render/prompt.h"

enum { SEEN_MAX = 10000, THINKS_MS = 5000 };

static const char secret_text[] = "0123456789abcdef0123456789abcdef";
static const char team[] = "T0REPLAY", app[] = "A0REPLAY";

bool surface_open(struct surface *s, struct world *w, const char *channel,
		  struct error *err)
{
	*s = (struct surface){ .world = w,
			       .channel = channel,
			       .shown = STRBUF_INIT,
			       .drawn = STRBUF_INIT,
			       .faults = STRBUF_INIT,
			       .body = STRBUF_INIT,
			       .words = json_array() };
	s->secret = secret_new(secret_text, sizeof secret_text - 1);
	s->seen = slack_replay_new(SEEN_MAX);
	return (s->secret && s->seen && s->words) || error_oom(err);
}

void surface_close(struct surface *s)
{
	for (size_t i = 0; i < s->count; i++)
		json_decref(s->prompts[i].prompt);
	secret_free(s->secret);
	slack_replay_free(s->seen);
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

/* What was drawn is the call, to the byte. */
static void check_back(struct surface *s, const char *where, json_t *stolen,
		       const json_t *prompt, const struct error *why)
{
	json_auto_t *arguments = stolen;
	char digest[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	const char *args = json_get_string(prompt, "args");

	if (!arguments || !canonical_digest(arguments, digest, &err) ||
	    strcmp(digest, args) != 0)
		fault(s, where,
		      arguments ? "what is shown is not what would run" : why->message);
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
	check_back(s, "terminal", recover_terminal(page.data, 0, &err), prompt, &err);
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
	check_back(s, "review", recover_blocks(all, 0, &err), p->prompt, &err);
	recover_text(all, &s->shown);
}

static void draw_message(struct surface *s, struct posted *p)
{
	const struct slack_prompt_view view = { .now_ms = replay_clock_ms() };
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *message = slack_prompt_message(p->prompt, &view, &err);
	const json_t *blocks = json_object_get(message, "blocks");

	if (!message || !inert_message(message, &why)) {
		fault(s, "message", message ? why.data : err.message);
		return;
	}
	p->in_message = slack_can_approve(blocks);
	if (!p->in_message)
		return;
	find_value(blocks, SLACK_ACTION_APPROVE, p->value, sizeof p->value);
	check_back(s, "message", recover_blocks(blocks, 0, &err), p->prompt, &err);
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

	if (!canonical_digest(seen, args, &err) ||
	    strcmp(args, json_get_string(p->prompt, "args")) == 0)
		return;
	(void)json_object_set_new(prompt, "args", json_string(args));
	if (canonical_digest(prompt, digest, &err))
		(void)snprintf(ret, size, "%s %s", p->approval, digest);
}

static json_t *container(const struct posted *p, const json_t *event)
{
	if (p && !p->in_message)
		return json_pack("{s:s, s:s}", "type", "view", "view_id", "V0REPLAY");
	return json_pack("{s:s, s:s, s:s}", "type", "message", "channel_id",
			 text_or(event, "channel", p ? p->channel : "C0NONE"),
			 "message_ts",
			 text_or(event, "message_ts", p ? p->message_ts : "1.1"));
}

static json_t *payload(const struct posted *p, const json_t *event, const char *value,
		       const char *stamp)
{
	const char *action = text_or(event, "action", "");
	const char *user = text_or(event, "user", "U0NOBODY");
	const char *of = text_or(event, "team", team);
	char name[100];
	json_t *o;

	(void)snprintf(name, sizeof name, "wingman.%s",
		       strcmp(action, "reject") == 0 ? "deny" : action);
	o = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:o, s:[{s:s, s:s, s:s, s:s}]}",
		      "type", "block_actions", "api_app_id", app, "team", "id", of,
		      "user", "id", user, "team_id", of, "container", container(p, event),
		      "actions", "type", "button", "action_id", name, "value", value,
		      "action_ts", stamp);
	if (o && p && !p->in_message)
		(void)json_object_set_new(o, "view",
					  json_pack("{s:s, s:s}", "id", "V0REPLAY",
						    "private_metadata", p->metadata));
	else if (o)
		(void)json_object_set_new(
			o, "channel",
			json_pack("{s:s}", "id",
				  text_or(event, "channel", p ? p->channel : "C0NONE")));
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

/* The request as it arrives: what the gate would do with its bytes. */
static bool arrive(struct surface *s, struct error *err)
{
	const struct secret *secrets[] = { s->secret };
	const char *teams[] = { team };
	const struct click_trust trust = { secrets, 1, app, teams, 1 };
	const struct slack_evidence e = { s->timestamp[0] ? s->timestamp : NULL,
					  s->signature[0] ? s->signature : NULL,
					  s->body.data, s->body.length };
	const int64_t now_s = replay_clock_ms() / 1000;
	struct slack_click c;
	struct click_place place = { 0 };
	const struct posted *p;
	const struct toolset_person *who;

	if (!click_read(&e, &trust, now_s, &c, err) ||
	    !slack_replay_take(s->seen, e.body, e.length, now_s, err))
		return false;
	p = find(s, c.approval);
	if (p)
		place = (struct click_place){ p->channel, p->message_ts,
					      (unsigned)p->pages };
	if (!click_is_at(&c, &place, p && p->in_message, err))
		return false;
	who = toolset_find(s->world->tools, c.user);
	if (!who)
		return error_set(err, ERR_PERMISSION_DENIED, "nobody knows '%s'", c.user);
	return world_decide(s->world, who->uid, c.approval, c.shown,
			    c.action == SLACK_APPROVE, err);
}

static void think(struct surface *s, const json_t *event, const struct posted *p)
{
	const json_t *delay = json_object_get(event, "delay_ms");
	int64_t ready_ms = p ? p->at_ms + THINKS_MS : 0;

	if (json_is_integer(delay))
		world_wait(s->world, json_integer_value(delay));
	else if (ready_ms > replay_clock_ms())
		world_wait(s->world, ready_ms - replay_clock_ms());
}

void surface_click(struct surface *s, const json_t *event, const char *approval)
{
	const struct posted *p = find(s, approval);
	const char *signature = text_or(event, "signature", "valid");
	const char *key = strcmp(signature, "valid") == 0 ? secret_text
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
	o = payload(p, event, value, stamp);
	(void)snprintf(s->timestamp, sizeof s->timestamp, "%lld",
		       (long long)(replay_clock_ms() / 1000 -
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
	(void)arrive(s, &err);
	s->world->dies = false;
}

void surface_repeat_last(struct surface *s)
{
	struct error err = ERROR_INIT;

	if (s->body.length > 0)
		(void)arrive(s, &err);
}

/* --- what was seen --- */

bool surface_has_flag(const struct surface *s, const char *flag)
{
	for (size_t i = 0; i < s->count; i++) {
		const json_t *warnings =
			json_object_get(s->prompts[i].prompt, "warnings");
		size_t w;
		json_t *warning;

		json_array_foreach(warnings, w, warning)
		{
			const char *text = json_string_value(warning);
			const char *odd = strstr(text, "is odd:");

			if (odd && strstr(odd, flag))
				return true;
		}
	}
	return false;
}
