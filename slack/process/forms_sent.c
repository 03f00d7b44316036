/* A form that was sent in: what gate and server make of it stands in its view. */
#include "base/log.h"
#include "slack/process/form_session.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"

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
	_cleanup_(slack_form_freep) struct slack_form *form = form_of(f, s->tool, err);
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

static bool is_waiting_for_plan(const char *state)
{
	return is(state, "proposed") || is(state, "planned");
}

/* A plan that failed, as an error; false: it did not. */
static bool read_failure(const json_t *record, struct error *ret)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const char *message = json_get_string(error, "message");
	const char *hint = json_get_string(error, "hint");

	if (!message || json_object_get(record, "prompt"))
		return false;
	error_set(ret, ERR_INVALID_ARGUMENT, "%s", message);
	if (hint)
		error_hint(ret, "%s", hint);
	return true;
}

static bool tell(struct front *f, const json_t *kept, const json_t *record,
		 struct error *err)
{
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	const char *view = json_get_string(kept, "view");
	const char *form = json_get_string(kept, "form");
	const char *user = json_get_string(kept, "user");
	const char *state = json_get_string(record, "state");
	struct error why = ERROR_INIT;

	if (!view || !form || !user || !form_session_find(f, form, user, &s, err))
		return false;
	if (read_failure(record, &why))
		return form_shown_again(f, view, &s, &why, err);
	form_session_end(f, &s);
	if (is(state, "pending"))
		return show(f, view,
			    "It waits for a yes. All of it stands in a message now, "
			    "with its buttons.",
			    err);
	return show(f, view,
		    json_object_get(record, "prompt")
			    ? "It was decided. What comes of it is told in a message."
			    : "Nobody has to be asked for this one. What comes of it is "
			      "told in a message.",
		    err);
}

void form_heard(struct front *f, const char *approval, const json_t *record)
{
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_INIT;
	json_auto_t *kept = NULL;
	char key[FRONT_KEY_BYTES];

	if (is_waiting_for_plan(json_get_string(record, "state")))
		return;
	key_of(approval, key);
	if (coord_take(f->store, key, &text, &err) && text)
		kept = json_parse(text, strlen(text), JSON_SYNTAX, &err);
	if (kept)
		(void)tell(f, kept, record, &err);
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
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;
	char key[FRONT_KEY_BYTES];

	key_of(approval, key);
	if (!o || !json_write(&text, o, &err) ||
	    !coord_put(f->store, key, text.data, FORM_SENT_MS, &err)) {
		log_failure("slack.form", &err);
		return;
	}
	/* It may have been heard of before this was kept. */
	reply = gate_ask(f->gate, MSG_SHOW, json_pack("{s:s}", "approval", approval),
			 NULL, &err);
	if (reply)
		form_heard(f, approval, json_object_get(reply, "record"));
	else
		log_failure("slack.form", &err);
}
