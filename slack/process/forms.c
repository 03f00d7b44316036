/* Forms: opened, paged, sent in, and what was filled in proposed. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/form/form.h"
#include "slack/home/home.h"
#include "slack/process/form_session.h"
#include "slack/process/handlers.h"
#include "slack/process/say.h"
#include "slack/process/tools.h"

enum {
	LATE_MS = 1000
}; /* since it was taken: then a view is opened before anything else */

static bool put_text(char **to, const char *text)
{
	*to = strdup(text);
	return *to != NULL;
}

/* Its inputs are known by their number: those of another schema would be others. */
struct slack_form *form_of(struct front *f, struct form_session *s, struct error *err)
{
	json_auto_t *definition = tools_find(f, s->tool, err);
	const char *digest = json_get_string(definition, "digest");

	if (!definition)
		return NULL;
	if (!s->digest && !put_text(&s->digest, digest ? digest : "")) {
		error_oom(err);
		return NULL;
	}
	if (!digest || strcmp(s->digest, digest) != 0) {
		error_set(err, ERR_CONFLICT,
			  "the tool has changed since this form was begun: please begin "
			  "anew");
		return NULL;
	}
	return slack_form_new(definition, err);
}

static json_t *page_with(const struct slack_form *form, const struct form_session *s,
			 const json_t *faults, const char *note, struct error *err)
{
	const struct slack_form_view view = { .page = s->page,
					      .values = s->values,
					      .unread = s->unread,
					      .faults = faults,
					      .note = note,
					      .metadata = s->id };

	return slack_form_view(form, &view, err);
}

json_t *form_page(const struct slack_form *form, const struct form_session *s,
		  const json_t *faults, struct error *err)
{
	return page_with(form, s, faults, NULL, err);
}

/* --- opening --- */

/* The first page of a new session, or NULL. */
static json_t *begin(const struct delivery *d, const char *tool,
		     const struct form_start *start, struct error *err)
{
	const json_t *values = start->values;
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	_cleanup_(slack_form_freep) struct slack_form *form = NULL;

	if (!put_text(&s.tool, tool)) {
		error_oom(err);
		return NULL;
	}
	form = form_of(d->front, &s, err);
	if (!form || !front_turn(d, NULL, &s.turn, err))
		return NULL;
	form_session_begin(&s);
	memcpy(s.user, d->in.user, sizeof s.user);
	memcpy(s.channel, d->in.channel, sizeof s.channel);
	s.values = values ? json_deep_copy(values) : json_object();
	s.unread = json_object();
	if (!s.values || !s.unread ||
	    (d->in.kind == INBOUND_ON_MESSAGE && d->in.author[0] &&
	     !put_text(&s.author, d->in.author))) {
		error_oom(err);
		return NULL;
	}
	if (!form_session_keep(d->front, &s, err))
		return NULL;
	return page_with(form, &s, start->faults, start->note, err);
}

void form_open(const struct delivery *d, const char *tool)
{
	const struct form_start empty = { .values = NULL };

	form_open_with(d, tool, &empty);
}

void form_open_with(const struct delivery *d, const char *tool,
		    const struct form_start *start)
{
	struct error err = ERROR_INIT, ignored = ERROR_INIT;
	const bool is_in_modal = d->in.view[0] && !d->in.home;
	char loading[INBOUND_ID_BYTES] = "";
	json_t *view;
	bool ok;

	if (clock_mono_ms() - d->taken_ms > LATE_MS &&
	    !say_view(d, is_in_modal, say_notice_view("Run a tool", "Loading ...", NULL),
		      loading, &err)) {
		log_failure("slack.form", &err);
		say_privately(d, say_failure("The form could not be opened", &err));
		return;
	}
	view = begin(d, tool, start, &err);
	if (!view)
		view = say_notice_view("Run a tool", "The form could not be opened",
				       &err);
	if (error_is_set(&err))
		log_failure("slack.form", &err);
	ok = loading[0] ? say_view_instead(d->front, loading, view, &ignored)
			: say_view(d, is_in_modal, view, loading, &ignored);
	if (ok)
		return;
	log_failure("slack.form", &ignored);
	say_privately(d, say_failure("The form could not be opened",
				     error_is_set(&err) ? &err : &ignored));
}

/* --- from a message --- */

static const char *permalink(const struct delivery *d, json_t **ret_answer)
{
	const struct rest_patience patience =
		front_patience(d->front, FRONT_QUICK_MS / 2);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments =
		json_pack("{s:s, s:s}", "channel", d->in.channel, "message_ts", d->in.ts);
	struct error err = ERROR_INIT;

	if (!arguments || !slack_call(d->front->slack, "chat.getPermalink", arguments,
				      &patience, &answer, &err)) {
		log_failure("slack.no_link", &err);
		return NULL;
	}
	*ret_answer = json_incref(answer.body);
	return json_get_string(answer.body, "permalink");
}

static bool fill(json_t *values, const json_t *shortcut, const char *member,
		 const char *text)
{
	const char *argument = json_get_string(shortcut, member);

	return !argument || !text || !*text ||
	       json_object_set_new(values, argument, json_string(text)) == 0;
}

void form_on_message(const struct delivery *d)
{
	const json_t *shortcut =
		json_object_get(d->front->settings.shortcuts, d->in.callback);
	const char *tool = json_get_string(shortcut, "tool");
	json_auto_t *values = json_object();
	json_auto_t *found = NULL, *faults = NULL;
	const char *link = NULL;
	char author[INBOUND_ID_BYTES + 4] = "";

	if (!tool) {
		say_privately(d, say_words("Nobody has said yet which tool this shortcut "
					   "is for.",
					   NULL));
		return;
	}
	if (d->in.kind == INBOUND_ON_MESSAGE && json_object_get(shortcut, "link"))
		link = permalink(d, &found);
	if (d->in.author[0])
		(void)snprintf(author, sizeof author, "<@%s>", d->in.author);
	if (d->in.kind == INBOUND_ON_MESSAGE &&
	    (!fill(values, shortcut, "text", d->in.text) ||
	     !fill(values, shortcut, "author", author) ||
	     !fill(values, shortcut, "link", link)))
		return;
	if (d->in.too_long && json_get_string(shortcut, "text"))
		faults = json_pack("{s:s}", json_get_string(shortcut, "text"),
				   "The message is too long to be taken over: write "
				   "what matters of it.");
	const struct form_start start = { .values = values, .faults = faults };

	form_open_with(d, tool, &start);
}

/* --- a page back --- */

void form_back(const struct delivery *d)
{
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	_cleanup_(slack_form_freep) struct slack_form *form = NULL;
	struct error err = ERROR_INIT;
	json_t *view = NULL;

	if (form_session_find(d->front, d->in.metadata, d->in.user, &s, &err))
		form = form_of(d->front, &s, &err);
	if (form && d->in.state)
		(void)slack_form_keep(form, s.page, d->in.state, s.values, s.unread,
				      &err);
	s.page -= s.page > 1;
	if (form && !error_is_set(&err) && form_session_keep(d->front, &s, &err))
		view = form_page(form, &s, NULL, &err);
	if (!view)
		view = say_notice_view("Run a tool", "This form cannot go on", &err);
	error_clear(&err);
	if (!say_view_instead(d->front, d->in.view, view, &err))
		log_failure("slack.form", &err);
}

/* --- sent in --- */

struct sent {
	struct delivery *delivery;
	struct form_session session;
};

static void sent_free(struct sent *s)
{
	if (!s)
		return;
	delivery_free(s->delivery);
	form_session_done(&s->session);
	free(s);
}
DEFINE_CLEANUP(struct sent, sent_free);

static json_t *proposal(const struct sent *s, const char *turn)
{
	struct front *f = s->delivery->front;
	const struct audience a =
		who_reads(f->who, s->session.channel, f->identity.user_id);
	json_auto_t *o = json_pack("{s:s, s:s, s:O, s:b}", "turn", turn, "tool",
				   s->session.tool, "arguments", s->session.values,
				   "outsiders", a.outsiders);

	if (!o ||
	    (a.people > 0 &&
	     json_object_set_new(o, "people", json_integer((json_int_t)a.people)) != 0) ||
	    (s->session.author && strcmp(s->session.author, s->delivery->in.user) != 0 &&
	     json_object_set_new(o, "words_from", json_pack("[s]", s->session.author)) !=
		     0))
		return NULL;
	return TAKE(o);
}

/* What it was begun by may be too long ago: then nobody says where that was, and it goes to
 * the direct messages of who sent it in. */
static bool begin_turn(struct sent *s, char **ret_turn, struct error *err)
{
	if (front_turn(s->delivery, s->session.turn, ret_turn, err))
		return true;
	if (err->code != ERR_NOT_FOUND)
		return false;
	error_clear(err);
	s->session.channel[0] = '\0';
	return front_turn(s->delivery, NULL, ret_turn, err);
}

/* The approval that it became, new; NULL: it was not proposed. */
static char *propose(struct sent *s, struct error *err)
{
	_cleanup_free_ char *turn = NULL;
	json_auto_t *reply = NULL;
	const char *approval;
	json_t *members;
	char *copy;

	if (!begin_turn(s, &turn, err))
		return NULL;
	members = proposal(s, turn);
	if (!members) {
		error_oom(err);
		return NULL;
	}
	reply = gate_ask(s->delivery->front->gate, MSG_SLACK_PROPOSE, members, NULL, err);
	if (!reply)
		return NULL;
	approval = json_get_string(reply, "approval");
	copy = strdup(approval ? approval : "");
	if (!copy)
		error_oom(err);
	return copy;
}

static void propose_sent(void *argument)
{
	_cleanup_(sent_freep) struct sent *s = argument;
	const struct delivery *d = s->delivery;
	struct error err = ERROR_INIT, ignored = ERROR_INIT;
	_cleanup_free_ char *approval = propose(s, &err);

	if (approval) {
		front_count(d->front, COUNT_PROPOSED);
		form_sent(d->front, d->in.view, &s->session, approval);
		return;
	}
	log_failure("slack.not_proposed", &err);
	if (form_shown_again(d->front, d->in.view, &s->session, &err, &ignored))
		return;
	log_failure("slack.form", &ignored);
	error_clear(&ignored);
	if (say_view_instead(d->front, d->in.view,
			     say_notice_view("Run a tool", "This was not proposed", &err),
			     &ignored))
		return;
	/* The view is gone: who closed it hears of a failure nevertheless. */
	say_privately(d, say_failure("What you sent was not proposed", &err));
}

static json_t *instead(json_t *view)
{
	return view ? json_pack("{s:s, s:o}", "response_action", "update", "view", view)
		    : NULL;
}

static bool begin_proposal(struct sent **s, json_t **ret_ack, struct error *err)
{
	struct front *f = (*s)->delivery->front;

	if (!front_submit(f, propose_sent, *s))
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "too much waits already");
	(void)TAKE(*s);
	*ret_ack = instead(
		say_notice_view("Run a tool",
				"Asking the gate ... What comes of it is told in a "
				"message as well.",
				NULL));
	return true;
}

static bool answer_page(struct sent **sent, const struct slack_form *form,
			json_t **ret_ack, struct error *err)
{
	struct sent *s = *sent;
	_cleanup_(slack_form_result_done) struct slack_form_result r = { .page = 0 };

	if (!slack_form_submit(form, s->session.page, s->delivery->in.state,
			       s->session.values, s->session.unread, &r, err))
		return false;
	if (r.errors) {
		*ret_ack = json_pack("{s:s, s:O}", "response_action", "errors", "errors",
				     r.errors);
		return *ret_ack || error_oom(err);
	}
	if (r.page > 0)
		s->session.page = r.page;
	if (!form_session_keep(s->delivery->front, &s->session, err))
		return false;
	if (r.page == 0)
		return begin_proposal(sent, ret_ack, err);
	*ret_ack = instead(form_page(form, &s->session, r.faults, err));
	return *ret_ack != NULL;
}

static bool may_go_on(const struct delivery *d, struct error *err)
{
	struct person p;

	if (!who_ask(d->front->who, d->in.user, &p, err))
		return false;
	return (p.in_team && !d->in.outside) ||
	       error_set(err, ERR_PERMISSION_DENIED,
			 "this assistant works for the security team alone");
}

bool form_submit(struct delivery *d, json_t **ret_ack, struct error *err)
{
	_cleanup_(sent_freep) struct sent *s = calloc(1, sizeof *s);
	_cleanup_(slack_form_freep) struct slack_form *form = NULL;
	struct error why = ERROR_INIT;
	bool ok;

	if (!s) {
		delivery_free(d);
		return error_oom(err);
	}
	s->delivery = d;
	ok = may_go_on(d, &why) &&
	     form_session_find(d->front, d->in.metadata, d->in.user, &s->session, &why);
	form = ok ? form_of(d->front, &s->session, &why) : NULL;
	if (form && answer_page(&s, form, ret_ack, &why))
		return true;
	/* The person reads why; Slack sends no submission twice. */
	log_failure("slack.form", &why);
	*ret_ack = instead(say_notice_view("Run a tool", "This form cannot go on", &why));
	return true;
}

/* --- menus --- */

bool form_options(const struct delivery *d, json_t **ret_ack, struct error *err)
{
	_cleanup_(form_session_done) struct form_session s = { .page = 1 };
	_cleanup_(slack_form_freep) struct slack_form *form = NULL;
	struct error why = ERROR_INIT;

	(void)err;
	if (may_go_on(d, &why)) {
		if (strcmp(d->in.action, SLACK_HOME_SEARCH) == 0)
			return apphome_options(d, ret_ack, err);
		if (form_session_find(d->front, d->in.metadata, d->in.user, &s, &why))
			form = form_of(d->front, &s, &why);
		if (form)
			*ret_ack =
				slack_form_options(form, d->in.block, d->in.text, &why);
	}
	if (*ret_ack)
		return true;
	log_failure("slack.options", &why);
	*ret_ack = json_pack("{s:[]}", "options");
	return *ret_ack || error_oom(err);
}
