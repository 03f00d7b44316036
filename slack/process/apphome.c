/* App Home: drawn when it is opened, and when something of it changed; see homes.h. */
#include "base/canonical.h"
#include "base/clock.h"
#include "base/log.h"
#include "slack/home/home.h"
#include "slack/process/approvals.h"
#include "slack/process/handlers.h"
#include "slack/process/homes.h"
#include "slack/process/panels.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/process/tools.h"

/* What the store keeps of somebody's: what they did, as home/USER, and what was drawn, as
 * home-view/USER. Two that work on it at once leave each other's part alone. */
struct home {
	char turn[DIGEST_HEX_BYTES]; /* its opening, for the gate; "": none */
	int64_t turn_ms;             /* wall */
	size_t page;
	char hash[INBOUND_TOKEN_BYTES]; /* of the view that stands there; "": not known */
	char drawn[DIGEST_HEX_BYTES];   /* of what it says; "": it is drawn in any case */
};

/* --- what is kept --- */

static void make_key(char key[static FRONT_KEY_BYTES], const char *what, const char *user)
{
	(void)snprintf(key, FRONT_KEY_BYTES, "%s/%s", what, user);
}

static void copy_text(char *to, size_t size, const json_t *from, const char *member)
{
	const char *text = json_get_string(from, member);

	(void)snprintf(to, size, "%s", text && strlen(text) < size ? text : "");
}

/* '*ret' NULL: there is none. New. */
static bool read_kept(struct front *f, const char *what, const char *user, json_t **ret,
		      struct error *err)
{
	char key[FRONT_KEY_BYTES];
	_cleanup_free_ char *text = NULL;

	*ret = NULL;
	make_key(key, what, user);
	if (!coord_get(f->store, key, &text, err))
		return false;
	*ret = text ? json_parse(text, strlen(text), JSON_CONTRACT, err) : NULL;
	return *ret || !text;
}

/* Steals 'kept'. */
static bool write_kept(struct front *f, const char *what, const char *user, json_t *kept,
		       struct error *err)
{
	json_auto_t *owned = kept;
	char key[FRONT_KEY_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	make_key(key, what, user);
	return owned ? json_write(&text, owned, err) &&
			       coord_put(f->store, key, text.data, HOMES_SEEN_MS, err)
		     : error_oom(err);
}

/* '*ret_found' false: it was never opened, or long ago; 'ret' is one that is new then. */
static bool home_read(struct front *f, const char *user, struct home *ret,
		      bool *ret_found, struct error *err)
{
	json_t *did = NULL, *was = NULL;

	*ret = (struct home){ .page = 1 };
	if (!read_kept(f, "home", user, &did, err))
		return false;
	json_auto_t *done = did;
	if (!read_kept(f, "home-view", user, &was, err))
		return false;
	json_auto_t *view = was;
	*ret_found = done != NULL;
	copy_text(ret->turn, sizeof ret->turn, done, "turn");
	ret->turn_ms = json_get_int64(done, "turn_ms", 0);
	ret->page = (size_t)json_get_int64(done, "page", 1);
	copy_text(ret->hash, sizeof ret->hash, view, "hash");
	copy_text(ret->drawn, sizeof ret->drawn, view, "drawn");
	return true;
}

static bool home_did(struct front *f, const char *user, const struct home *h,
		     struct error *err)
{
	return write_kept(f, "home", user,
			  json_pack("{s:s, s:I, s:I}", "turn", h->turn, "turn_ms",
				    (json_int_t)h->turn_ms, "page", (json_int_t)h->page),
			  err);
}

static bool home_shows(struct front *f, const char *user, const struct home *h,
		       struct error *err)
{
	return write_kept(f, "home-view", user,
			  json_pack("{s:s, s:s}", "hash", h->hash, "drawn", h->drawn),
			  err);
}

static void home_forget(struct front *f, const char *user)
{
	char key[FRONT_KEY_BYTES];
	_cleanup_free_ char *was = NULL;
	struct error err = ERROR_INIT;

	make_key(key, "home", user);
	if (!coord_take(f->store, key, &was, &err))
		log_failure("slack.home", &err);
	homes_closed(f->homes, user);
}

/* --- publishing --- */

enum published { PUBLISHED, NOT_NOW, NOT_AT_ALL };

static void take_hash(struct home *h, const json_t *answer)
{
	copy_text(h->hash, sizeof h->hash, json_object_get(answer, "view"), "hash");
}

/* Steals 'view'. 'h' NULL: whatever stands there. */
static enum published publish(struct front *f, const char *user, json_t *view,
			      struct home *h)
{
	const struct rest_patience patience = front_patience(f, FRONT_API_MS);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s, s:o}", "user_id", user, "view", view);
	struct error err = ERROR_INIT;

	if (!json_put_string(arguments, "hash", h && h->hash[0] ? h->hash : NULL)) {
		error_oom(&err);
	} else if (slack_call(f->slack, "views.publish", arguments, &patience, &answer,
			      &err)) {
		if (h)
			take_hash(h, answer.body);
		return PUBLISHED;
	} else if (h && strcmp(answer.error, "hash_conflict") == 0) {
		h->hash[0] = '\0';
		return NOT_NOW;
	}
	front_count(f, COUNT_FAILED);
	log_failure("slack.home", &err);
	return err.code == ERR_RATE_LIMITED ? NOT_NOW : NOT_AT_ALL;
}

/* --- what it says --- */

/* Steals 'member'; nothing for NULL. */
static bool put(json_t *home, const char *name, json_t *member)
{
	return !member || json_object_set_new(home, name, member) == 0;
}

static json_t *collect(struct front *f, const char *user, const struct person *p,
		       struct error *err)
{
	json_t *rights = NULL;
	json_auto_t *servers = tools_servers_as(f, p->principal, &rights, err);
	json_auto_t *may = rights;
	json_auto_t *waiting = servers ? approvals_waiting(f, p->principal, user, err)
				       : NULL;
	json_auto_t *recent = waiting ? approvals_recent(f, p->principal, err) : NULL;
	json_auto_t *home = NULL;

	if (!recent)
		return NULL;
	home = json_pack("{s:s, s:I, s:O, s:O, s:O}", "person", p->principal,
			 "checked_ms", (json_int_t)p->checked_ms, "servers", servers,
			 "waiting", waiting, "recent", recent);
	if (!home || !put(home, "rights", TAKE(may)) ||
	    !put(home, "panels", panels_shown(f, user))) {
		error_oom(err);
		return NULL;
	}
	return TAKE(home);
}

/* But for times at which something was looked up. */
static bool digest_of(const json_t *home, size_t page, char ret[static DIGEST_HEX_BYTES],
		      struct error *err)
{
	json_auto_t *said = json_deep_copy(home);
	size_t i;
	json_t *panel;

	(void)json_object_del(said, "checked_ms");
	json_array_foreach(json_object_get(said, "panels"), i, panel)
	{
		(void)json_object_del(panel, "read_ms");
	}
	if (!said ||
	    json_object_set_new(said, "page", json_integer((json_int_t)page)) != 0)
		return error_oom(err);
	return canonical_digest(said, ret, err);
}

/* --- drawing --- */

static bool draw_member(struct front *f, const char *user, const struct person *p,
			struct home *h, struct error *err)
{
	json_auto_t *home = collect(f, user, p, err);
	char digest[DIGEST_HEX_BYTES];
	enum published how;
	json_t *view;

	if (!home || !digest_of(home, h->page, digest, err))
		return true;
	if (strcmp(digest, h->drawn) == 0)
		return true;
	view = slack_home_view(home, h->page, clock_wall_ms(), err);
	if (!view)
		return true;
	how = publish(f, user, view, h);
	(void)snprintf(h->drawn, sizeof h->drawn, "%s", how == PUBLISHED ? digest : "");
	return home_shows(f, user, h, err) && how != NOT_NOW;
}

static void draw_stranger(struct front *f, const char *user, struct error *err)
{
	json_t *view = slack_home_stranger(err);

	home_forget(f, user);
	if (view)
		(void)publish(f, user, view, NULL);
}

/* False: it is to be tried again. */
static bool draw(struct front *f, const char *user, struct home *h)
{
	struct error err = ERROR_INIT;
	struct person p;
	bool ok = true;

	if (!who_ask(f->who, user, &p, &err))
		log_info("slack.home_waits", LOG_STR("user", user));
	else if (p.in_team)
		ok = draw_member(f, user, &p, h, &err);
	else
		draw_stranger(f, user, &err);
	if (error_is_set(&err))
		log_failure("slack.home", &err);
	return ok;
}

/* Once in a while, whichever replica it is. */
static bool may_draw(struct front *f, const char *user, struct error *err)
{
	char key[FRONT_KEY_BYTES];
	bool first = false;

	(void)snprintf(key, sizeof key, "home-drawn/%s", user);
	return coord_claim(f->store, key, "", HOMES_EVERY_MS, &first, NULL, err) && first;
}

bool apphome_draw(struct front *f, const char *user, unsigned due)
{
	struct error err = ERROR_INIT;
	struct home h;
	bool found = false;

	if (!may_draw(f, user, &err) || !home_read(f, user, &h, &found, &err)) {
		if (error_is_set(&err))
			log_failure("slack.home", &err);
		return false;
	}
	if (!found) {
		homes_closed(f->homes, user);
		return true;
	}
	if (due & HOMES_PANELS || !panels_are_known(f, user))
		panels_read(f, user, h.turn, h.turn_ms);
	return draw(f, user, &h);
}

/* --- opened --- */

/* For the gate: panels are read as who opened it, because they did. */
static void take_turn(const struct delivery *d, struct home *h)
{
	_cleanup_free_ char *turn = NULL;
	struct error err = ERROR_INIT;

	h->turn[0] = '\0';
	if (!panels_are_there(d->front))
		return;
	if (!front_turn(d, NULL, &turn, &err)) {
		log_failure("slack.home", &err);
		return;
	}
	(void)snprintf(h->turn, sizeof h->turn, "%s", turn);
	h->turn_ms = clock_wall_ms();
}

void apphome_opened(const struct delivery *d)
{
	struct front *f = d->front;
	struct error err = ERROR_INIT;
	struct home h;
	bool found = false;

	if (!home_read(f, d->in.user, &h, &found, &err)) {
		log_failure("slack.home", &err);
		error_clear(&err);
	}
	memcpy(h.hash, d->in.view_hash, sizeof h.hash);
	h.drawn[0] = '\0';
	h.page = 1;
	take_turn(d, &h);
	if (!home_did(f, d->in.user, &h, &err))
		log_failure("slack.home", &err);
	homes_opened(f->homes, d->in.user);
	if (!draw(f, d->in.user, &h))
		homes_changed(f->homes, d->in.user, HOMES_DRAW);
	if (panels_are_there(f))
		homes_changed(f->homes, d->in.user, HOMES_DRAW | HOMES_PANELS);
}

void apphome_stranger(const struct delivery *d)
{
	struct error err = ERROR_INIT;

	draw_stranger(d->front, d->in.user, &err);
	if (error_is_set(&err))
		log_failure("slack.home", &err);
}

void apphome_changed(struct front *f, const char *user)
{
	homes_changed(f->homes, user, HOMES_DRAW);
}

void apphome_heard(struct front *f, const json_t *event)
{
	const char *changed = json_get_string(event, "changed");

	if (!changed)
		return;
	if (strcmp(changed, "servers") == 0)
		homes_all_changed(f->homes, HOMES_DRAW);
	else if (panels_have(f, json_get_string(event, "server"),
			     json_get_string(event, "uri")))
		homes_all_changed(f->homes, HOMES_DRAW | HOMES_PANELS);
}

/* --- what is pressed there --- */

static void open_docs(const struct delivery *d)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = tools_find(d->front, d->in.value, &err);
	json_t *view = tool ? slack_docs_view(tool, &err) : NULL;
	char id[INBOUND_ID_BYTES];

	if (view && say_view(d, false, view, id, &err))
		return;
	log_failure("slack.home", &err);
	say_privately(d, say_failure("That could not be shown", &err));
}

static void turn_page(const struct delivery *d)
{
	struct error err = ERROR_INIT;
	struct home h;
	bool found = false;

	if (!home_read(d->front, d->in.user, &h, &found, &err)) {
		log_failure("slack.home", &err);
		return;
	}
	h.page = (size_t)strtoul(d->in.value, NULL, 10);
	h.drawn[0] = '\0';
	if (!home_did(d->front, d->in.user, &h, &err))
		log_failure("slack.home", &err);
	if (!draw(d->front, d->in.user, &h) || !panels_are_known(d->front, d->in.user))
		homes_changed(d->front->homes, d->in.user, HOMES_DRAW);
}

void apphome_press(const struct delivery *d)
{
	const char *action = d->in.action;

	if (strncmp(action, SLACK_HOME_PAGE, strlen(SLACK_HOME_PAGE)) == 0)
		turn_page(d);
	else if (strcmp(action, SLACK_HOME_REVIEW) == 0)
		prompts_bring(d, d->in.value);
	else
		open_docs(d); /* a button of a tool, or one that was searched */
}

bool apphome_options(const struct delivery *d, json_t **ret_ack, struct error *err)
{
	json_auto_t *servers = tools_servers(d->front, NULL, err);
	json_auto_t *home = servers ? json_pack("{s:O}", "servers", servers) : NULL;

	*ret_ack = home ? slack_home_options(home, d->in.text, err) : NULL;
	return *ret_ack != NULL;
}
