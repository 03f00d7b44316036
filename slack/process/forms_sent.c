/* A form that was sent in: what gate and server make of it stands in its view. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/process/form_session.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

static const char title[] = "Run a tool";

static void key_of(const char *approval, char key[static FRONT_KEY_BYTES])
{
	(void)snprintf(key, FRONT_KEY_BYTES, "sent/%s", approval);
}

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

static bool show(struct front *f, const char *view, const char *words, struct error *err)
{
	return say_view_instead(f, view, say_notice_view(title, words, NULL), err);
}

/* --- once more --- */

/* The message, and what helps, in a line. */
static bool add_words(struct strbuf *sb, const struct error *why)
{
	strbuf_add_string(sb, why->message);
	if (why->hint[0])
		strbuf_add_format(sb, " (%s)", why->hint);
	return strbuf_ok(sb);
}

bool form_shown_again(struct front *f, const char *view, struct form_session *s,
		      const struct error *why, struct error *err)
{
	_cleanup_(slack_form_freep) struct slack_form *form = form_of(f, s, err);
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
	json_auto_t *faults = NULL;
	json_t *page;

	if (!form)
		return false;
	if (add_words(&words, why))
		faults = slack_form_fault_of(form, s->values, words.data, &s->page);
	if (!faults)
		return error_oom(err);
	if (!form_session_keep(f, s, err))
		return false;
	page = form_page(form, s, faults, err);
	return page && say_view_instead(f, view, page, err);
}

/* --- what became of it --- */

static bool is_before_plan(const char *state)
{
	return is(state, "proposed") || is(state, "planned");
}

/* Whether people had to be asked. */
static bool was_asked(const json_t *record)
{
	return json_object_get(record, "prompt") &&
	       !json_is_true(json_object_get(json_object_get(record, "policy"), "free"));
}

/* Nobody is asked: what comes of it comes soon, and may be that the form was wrong. */
static bool is_running_freed(const json_t *record)
{
	return json_object_get(record, "policy") && !was_asked(record) &&
	       !json_object_get(record, "ended_at");
}

/* A plan that failed, as an error; false: it did not. */
static bool read_failure(const json_t *record, struct error *ret)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const char *message = json_get_string(error, "message");
	const char *hint = json_get_string(error, "hint");

	if (!message || was_asked(record))
		return false;
	error_set(ret, ERR_INVALID_ARGUMENT, "%s", message);
	if (hint)
		error_hint(ret, "%s", hint);
	return true;
}

/* Where it stands and this person can read it; NULL: nowhere yet. */
static const json_t *place_of(const json_t *record, const char *user)
{
	size_t i;
	json_t *place;

	json_array_foreach(json_object_get(record, "places"), i, place)
	{
		const char *of = json_get_string(place, "user");

		if (!of || is(of, user))
			return place;
	}
	return NULL;
}

/* "The prompt stands in #channel", or in direct messages, and its address. */
static json_t *stands_view(const struct front *f, const json_t *place)
{
	const char *channel = json_get_string(place, "channel");
	char link[SAY_LINK_BYTES];
	json_auto_t *parts = json_array();
	json_auto_t *view = NULL;
	bool ok = json_array_append_new(parts,
					rich_text("The prompt stands in ", 21, 0)) == 0;

	if (channel && channel[0] != 'D' && slack_text_is_channel(channel))
		ok = ok && json_array_append_new(parts, json_pack("{s:s, s:s}", "type",
								  "channel", "channel_id",
								  channel)) == 0;
	else
		ok = ok && json_array_append_new(
				   parts, rich_text("your direct messages", 20, 0)) == 0;
	if (say_link(f, channel, json_get_string(place, "ts"), link))
		ok = ok && json_array_append_new(parts, rich_text(": ", 2, 0)) == 0 &&
		     json_array_append_new(parts, rich_link(link, "open it", 0)) == 0;
	ok = ok &&
	     json_array_append_new(parts, rich_text(". It waits for a yes.", 21, 0)) == 0;
	view = ok ? say_notice_view(title, "x", NULL) : NULL;
	if (!view ||
	    json_array_set_new(
		    json_object_get(view, "blocks"), 0,
		    rich_block(json_pack("[o]", rich_part("section", TAKE(parts))))) != 0)
		return NULL;
	return TAKE(view);
}

/* What the gate made of it, where it did not fail over its arguments. */
static const char *words_of(const json_t *record)
{
	static const char *const ran[] = { "approved",  "granted", "executing",
					   "succeeded", "partial", "failed",
					   "unknown" };
	const char *state = json_get_string(record, "state");

	if (is(state, "pending"))
		return "It waits for a yes. All of it stands in a message now, with its "
		       "buttons.";
	if (was_asked(record))
		return "It was decided. What comes of it is told in a message.";
	for (size_t i = 0; i < ARRAY_SIZE(ran); i++)
		if (is(state, ran[i]))
			return "Nobody has to be asked for this one. What comes of it is "
			       "told in a message.";
	return "It is over, and nothing ran. Why is told in a message.";
}

/* '*ret_waits': it does not stand anywhere yet, and is told again once it does. */
static bool tell(struct front *f, const json_t *kept, const json_t *record,
		 bool *ret_waits, struct error *err)
{
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	const char *view = json_get_string(kept, "view");
	const char *form = json_get_string(kept, "form");
	const char *user = json_get_string(kept, "user");
	const bool was_told = json_is_true(json_object_get(kept, "told"));
	const bool is_pending = is(json_get_string(record, "state"), "pending");
	const json_t *place = is_pending && user ? place_of(record, user) : NULL;
	struct error why = ERROR_INIT;

	*ret_waits = is_pending && !place;
	if (!view || !form || !user)
		return error_set(err, ERR_INTERNAL, "what was kept of a form is broken");
	if (place)
		return say_view_instead(f, view, stands_view(f, place), err);
	if (was_told && is_pending)
		return true;
	if (read_failure(record, &why) && form_session_find(f, form, user, &s, err))
		return form_shown_again(f, view, &s, &why, err);
	error_clear(err);
	return show(f, view, words_of(record), err);
}

static bool keep(struct front *f, const char *approval, const json_t *kept,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char key[FRONT_KEY_BYTES];

	key_of(approval, key);
	return json_write(&text, kept, err) &&
	       coord_put(f->store, key, text.data, FORM_SENT_MS, err);
}

static void end_session(struct front *f, const json_t *kept)
{
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	struct error ignored = ERROR_INIT;

	if (form_session_find(f, json_get_string(kept, "form"),
			      json_get_string(kept, "user"), &s, &ignored))
		form_session_end(f, &s);
}

/* One that nobody is asked about stands in no message: how far it is is said where it was
 * sent in. */
static bool tell_running(struct front *f, const char *approval, const json_t *record,
			 const json_t *progress, struct error *err)
{
	const int64_t now_ms = clock_wall_ms();
	_cleanup_free_ char *text = NULL, *how = NULL;
	json_auto_t *kept = NULL, *view = NULL, *texts = NULL;
	char key[FRONT_KEY_BYTES];
	bool first = false;

	if (!progress && prompts_ran_ms(record, now_ms) < PROMPTS_STILL_MS)
		return true;
	(void)snprintf(key, sizeof key, "form-runs/%s", approval);
	if (!coord_claim(f->store, key, "", PROMPTS_PROGRESS_MS, &first, NULL, err) ||
	    !first)
		return !error_is_set(err);
	key_of(approval, key);
	if (!coord_get(f->store, key, &text, err) || !text)
		return !error_is_set(err);
	kept = json_parse(text, strlen(text), JSON_SYNTAX, err);
	how = kept ? prompts_how(record, progress, now_ms) : NULL;
	texts = how ? json_pack("[s]", how) : NULL;
	view = texts ? say_notice_view(title, "Nobody has to be asked for this one.",
				       NULL)
		     : NULL;
	if (!view || json_array_append_new(json_object_get(view, "blocks"),
					   slack_section("It runs", texts)) != 0)
		return kept ? error_oom(err) : false;
	return say_view_instead(f, json_get_string(kept, "view"), TAKE(view), err);
}

void form_heard(struct front *f, const char *approval, const json_t *record,
		const json_t *progress)
{
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_INIT, why = ERROR_INIT;
	json_auto_t *kept = NULL;
	bool waits = false;
	char key[FRONT_KEY_BYTES];

	if (is_before_plan(json_get_string(record, "state")))
		return;
	if (is_running_freed(record)) {
		if (!tell_running(f, approval, record, progress, &err))
			log_info("slack.form_closed", LOG_STR("approval", approval),
				 LOG_STR("why", err.message));
		return;
	}
	key_of(approval, key);
	if (coord_take(f->store, key, &text, &err) && text)
		kept = json_parse(text, strlen(text), JSON_SYNTAX, &err);
	if (kept && tell(f, kept, record, &waits, &err)) {
		if (!read_failure(record, &why))
			end_session(f, kept);
		if (waits && json_object_set_new(kept, "told", json_true()) == 0)
			(void)keep(f, approval, kept, &err);
	}
	/* Most have closed it by then. */
	if (error_is_set(&err))
		log_info("slack.form_closed", LOG_STR("approval", approval),
			 LOG_STR("why", err.message));
}

void form_sent(struct front *f, const char *view, const struct form_session *s,
	       const char *approval)
{
	json_auto_t *o = json_pack("{s:s, s:s, s:s}", "view", view, "form", s->id, "user",
				   s->user);
	struct error err = ERROR_INIT, ignored = ERROR_INIT;
	json_auto_t *reply = NULL;

	if (!o || !keep(f, approval, o, &err)) {
		log_failure("slack.form", &err);
		(void)show(f, view,
			   "It was proposed. What comes of it is told in a message.",
			   &ignored);
		return;
	}
	/* It may have been heard of before this was kept. */
	reply = gate_ask(f->gate, MSG_SHOW, json_pack("{s:s}", "approval", approval),
			 NULL, &err);
	if (reply)
		form_heard(f, approval, json_object_get(reply, "record"),
			   json_object_get(reply, "progress"));
	else
		log_failure("slack.form", &err);
}
