/* Who set something going in Slack, and what may be proposed in that person's name. */
#include "gate/keeper.h"

#include "gate/keeper_pick.h"
#include "gate/keeper_sources.h"
#include "gate/slack_where.h"
#include "slack/verify/turn.h"

enum {
	TURN_MS = 30 * 60 * 1000,
	WORDS_MS = 24 * 3600 * 1000, /* what was said is known so long */
	TURN_PROPOSALS_MAX = 32,
	PEOPLE_MAX = 1000000,
	MODEL_MAX = 100,
	WORDS_FROM_MAX = 16,
};

/* --- the turn, as the store keeps it --- */

static json_t *turn_json(const struct keeper *k, const struct slack_turn *t,
			 const struct slack_word *w)
{
	json_t *words = keeper_sources_words(k, w->payload);
	json_auto_t *turn =
		json_pack("{s:s, s:s, s:b, s:s, s:I}", "kind", slack_turn_name(t->kind),
			  "user", t->actor.user, "shared", t->is_shared, "evidence",
			  keeper_slack_evidence(w), "at", (json_int_t)k->now_ms);

	if (words && json_object_set_new(turn, "text", words) != 0)
		return NULL;
	if (!turn ||
	    (t->channel[0] &&
	     json_object_set_new(turn, "channel", json_string(t->channel)) != 0) ||
	    (t->thread[0] &&
	     json_object_set_new(turn, "thread", json_string(t->thread)) != 0))
		return NULL;
	return TAKE(turn);
}

/* The request was taken as something else: then it is none. */
static json_t *parse_turn(const struct keeper *k, const char *text, struct error *err)
{
	json_auto_t *turn = text && text[0] == '{'
				    ? json_parse(text, strlen(text), JSON_CONTRACT, err)
				    : NULL;

	if (turn && json_get_string(turn, "user") && json_get_string(turn, "kind") &&
	    k->now_ms < json_get_int64(turn, "at", 0) + TURN_MS)
		return TAKE(turn);
	error_set(err, ERR_NOT_FOUND, "there is no such turn, or it is too long ago");
	return NULL;
}

static json_t *load_turn(struct keeper *k, const char *digest, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (!digest_is_hex(digest)) {
		error_set(err, ERR_INVALID_ARGUMENT, "this is no turn");
		return NULL;
	}
	return keeper_slack_before(k, digest, &text, err) ? parse_turn(k, text, err)
							  : NULL;
}

static bool is_home(const json_t *turn)
{
	return strcmp(json_get_string(turn, "kind"), slack_turn_name(SLACK_TURN_HOME)) ==
	       0;
}

bool keeper_slack_turn_person(struct keeper *k, const char *turn, char ret[static 129],
			      bool *ret_is_home, struct error *err)
{
	json_auto_t *taken = load_turn(k, turn, err);

	*ret_is_home = taken && is_home(taken);
	return taken && keeper_slack_person(k, json_get_string(taken, "user"), ret, err);
}

json_t *keeper_slack_turn_words(struct keeper *k, const char *turn)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored = ERROR_INIT;

	if (!digest_is_hex(turn) || !keeper_slack_before(k, turn, &text, &ignored) ||
	    !text || text[0] != '{')
		return NULL;
	return json_parse(text, strlen(text), JSON_CONTRACT, &ignored);
}

/* A form says nothing of the conversation it was begun in; the turn before it does. */
static bool take_place(struct keeper *k, json_t *turn, const char *begun,
		       struct error *err)
{
	static const char *const members[] = { "channel", "thread", "shared" };
	json_auto_t *before = load_turn(k, begun, err);
	const char *was = json_get_string(before, "user");

	if (!before)
		return false;
	if (is_home(before))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "App Home was opened: nothing is begun by that");
	if (!was || strcmp(was, json_get_string(turn, "user")) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "that turn was somebody else's");
	if (json_object_get(turn, "channel"))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "Slack says itself where this was done");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(before, members[i]);

		if (member && json_object_set(turn, members[i], member) != 0)
			return error_oom(err);
	}
	return true;
}

/* --- slack_turn --- */

static bool read_turn(struct keeper *k, const struct slack_word *w, struct slack_turn *t,
		      char person[static 129], struct error *err)
{
	struct slack_click decides;
	struct error ignored = ERROR_INIT;

	if (!slack_turn_of(w->payload, w->delivery, t, err) ||
	    !keeper_slack_is_ours(k, t->actor.app, t->actor.team, err))
		return false;
	/* A yes is no reason to ask for something else. */
	if (w->delivery == SLACK_INTERACTION &&
	    slack_click_of(w->payload, &decides, &ignored))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a press on a prompt sets nothing going");
	return keeper_slack_person(k, t->actor.user, person, err);
}

/* A repeated delivery is the same turn, as it was. */
static json_t *take_turn(struct keeper *k, const struct fields *f,
			 const struct slack_word *w, const struct slack_turn *t,
			 bool *ret_first, struct error *err)
{
	json_auto_t *turn = turn_json(k, t, w);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *before = NULL;

	if (!turn) {
		error_oom(err);
		return NULL;
	}
	if (f->begun && !take_place(k, turn, f->begun, err))
		return NULL;
	if (!json_write(&text, turn, err) ||
	    !keeper_slack_once(k, w, text.data, WORDS_MS, ret_first, &before, err))
		return NULL;
	return *ret_first ? TAKE(turn) : parse_turn(k, before, err);
}

static json_t *turn_reply(const struct slack_word *w, const json_t *turn, bool is_first,
			  const char *person)
{
	json_auto_t *reply = json_copy((json_t *)(uintptr_t)turn);

	(void)json_object_del(reply, "text");
	if (!reply || json_object_set_new(reply, "turn", json_string(w->digest)) != 0 ||
	    json_object_set_new(reply, "first", json_boolean(is_first)) != 0 ||
	    json_object_set_new(reply, "principal", json_string(person)) != 0)
		return NULL;
	return TAKE(reply);
}

json_t *keeper_on_slack_turn(struct keeper *k, struct peer *p, const struct fields *f,
			     struct error *err)
{
	_cleanup_(keeper_slack_word_done) struct slack_word w = { .payload = NULL };
	struct slack_turn t = { 0 };
	char person[129] = "";
	json_auto_t *turn = NULL;
	bool is_first = false;

	(void)p;
	if (keeper_refresh_policy(k, err) && keeper_slack_believe(k, f, &w, err) &&
	    read_turn(k, &w, &t, person, err))
		turn = take_turn(k, f, &w, &t, &is_first, err);
	if (turn)
		return turn_reply(&w, turn, is_first, person);
	keeper_audit_refusal(k, "turn.refused", person[0] ? person : "slack",
			     json_pack("{s:s, s:s}", "user",
				       t.actor.user[0] ? t.actor.user : "?", "evidence",
				       f->signature ? "signed" : "socket mode"),
			     err);
	return NULL;
}

/* --- slack_propose --- */

bool keeper_is_model_name(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789._:/-");

	return length > 0 && length <= MODEL_MAX && !text[length];
}

static bool check_audience(const struct fields *f, struct error *err)
{
	if (f->outsiders && !json_is_boolean(f->outsiders))
		return error_set(err, ERR_INVALID_ARGUMENT, "outsiders are there or not");
	if (f->people < 0 || f->people > PEOPLE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "that many people read no conversation");
	if (f->model && !keeper_is_model_name(f->model))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a model's name has 1 to %d plain characters",
				 MODEL_MAX);
	return true;
}

/* Where Slack itself says that others are there, nobody's word that they are not counts. */
static bool add_audience(json_t *slack, const json_t *turn, const struct fields *f)
{
	bool shared = json_is_true(json_object_get(turn, "shared"));

	if (shared)
		return json_object_set_new(slack, "outsiders", json_true()) == 0;
	return (!f->outsiders ||
		json_object_set(slack, "outsiders", f->outsiders) == 0) &&
	       (f->people == 0 ||
		json_object_set_new(slack, "people",
				    json_integer((json_int_t)f->people)) == 0);
}

/* What people wrote in a form is theirs; what became of a message is the assistant's, and
 * so is whatever a conversation comes with. */
static bool is_by_assistant(const struct fields *f, const json_t *turn)
{
	const char *kind = json_get_string(turn, "kind");

	return f->sources || strcmp(kind, "mention") == 0 || strcmp(kind, "direct") == 0;
}

static json_t *slack_json(const struct fields *f, const json_t *turn, struct error *err)
{
	static const char *const members[] = { "kind", "user", "channel", "thread",
					       "evidence" };
	json_auto_t *slack =
		json_pack("{s:s, s:s}", "turn", f->turn, "author",
			  is_by_assistant(f, turn) ? "assistant" : "requester");

	for (size_t i = 0; slack && i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(turn, members[i]);

		if (member && json_object_set(slack, members[i], member) != 0)
			return NULL;
	}
	if (!slack || !add_audience(slack, turn, f) ||
	    (f->model &&
	     json_object_set_new(slack, "model", json_string(f->model)) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(slack);
}

static bool is_user(const char *id)
{
	size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return (id[0] == 'U' || id[0] == 'W') && length > 2 &&
	       length < SLACK_NAME_BYTES && !id[length];
}

/* As persons, where they are known, so that four eyes exclude them; others by their ids. */
static json_t *words_from(const struct keeper *k, const json_t *users, struct error *err)
{
	json_auto_t *persons = json_array();
	size_t i;
	json_t *one;

	if (json_array_size(users) > WORDS_FROM_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "words_from names more than %d",
			  WORDS_FROM_MAX);
		return NULL;
	}
	json_array_foreach(users, i, one)
	{
		const char *user = json_is_string(one) ? json_string_value(one) : "";
		const char *person = policy_person_of_slack(k->policy, user);

		if (!is_user(user)) {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "words_from names users of Slack");
			return NULL;
		}
		if (json_array_append_new(persons, json_string(person ? person : user)) !=
		    0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(persons);
}

/* Identical are two proposals in the same thread, whatever turn they came by. */
static json_t *surface_json(const struct keeper *k, const struct fields *f,
			    const json_t *turn, struct error *err)
{
	const char *channel = json_get_string(turn, "channel");
	const char *thread = json_get_string(turn, "thread");
	json_auto_t *words = words_from(k, f->words_from, err);
	json_auto_t *surface = NULL;
	char conversation[SLACK_ID_BYTES + SLACK_TS_BYTES + 2];

	if (!words)
		return NULL;
	(void)snprintf(conversation, sizeof conversation, "%s%s%s",
		       channel ? channel : json_get_string(turn, "user"),
		       thread ? "/" : "", thread ? thread : "");
	surface = json_pack("{s:s, s:s, s:s}", "kind", "slack", "client", "slack",
			    "conversation", conversation);
	if (!surface || (json_array_size(words) > 0 &&
			 json_object_set(surface, "words_from", words) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(surface);
}

static bool count_proposal(struct keeper *k, const char *turn, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	int64_t total = 0;

	(void)snprintf(key, sizeof key, "slack-count/%s", turn);
	if (!coord_count(k->coordination, key, 1, TURN_MS, &total, err))
		return false;
	return total <= TURN_PROPOSALS_MAX ||
	       error_set(err, ERR_RATE_LIMITED, "one turn proposes %d times at most",
			 TURN_PROPOSALS_MAX);
}

static const struct approval *propose(struct keeper *k, const struct fields *f,
				      const struct proposal *of, struct error *err)
{
	char server[33], tool[65];
	json_auto_t *arguments = NULL;
	struct proposal one = *of;

	if (f->calls && !f->tool && !f->arguments && !f->choices)
		return keeper_propose_several(k, of, f->calls, err);
	if (f->calls || !f->tool || !f->arguments) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a proposal has a tool and its arguments, or several calls");
		return NULL;
	}
	if (!keeper_split_tool(f->tool, server, tool, err) ||
	    keeper_is_for_gate(server, f->tool, err))
		return NULL;
	arguments = keeper_arguments(f, err);
	if (!arguments)
		return NULL;
	one.server = server;
	one.tool = tool;
	one.arguments = arguments;
	return keeper_propose(k, &one, err);
}

/* In the name of who picked, which is who asked; the rest is as it was. */
static const struct approval *propose_again(struct keeper *k, const struct fields *f,
					    const json_t *turn, const struct proposal *of,
					    json_t *surface, json_t *slack,
					    struct error *err)
{
	_cleanup_(keeper_pick_done) struct keeper_pick picked = { .record = NULL };
	struct proposal one = *of;

	if (f->tool || f->arguments || f->calls || f->sources || !f->choices) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "what is proposed again has a choice, and nothing else");
		return NULL;
	}
	if (is_by_assistant(f, turn)) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "words pick nothing: a person presses a button for that");
		return NULL;
	}
	if (!keeper_pick(k, f->approval, f->choices, of->requester, &picked, err))
		return NULL;
	if ((picked.words_from &&
	     json_object_set(surface, "words_from",
			     (json_t *)(uintptr_t)picked.words_from) != 0) ||
	    (picked.is_assistants &&
	     json_object_set_new(slack, "author", json_string("assistant")) != 0)) {
		error_oom(err);
		return NULL;
	}
	one.server = picked.server;
	one.tool = picked.tool;
	one.arguments = picked.arguments;
	one.provenance = picked.provenance;
	return keeper_propose(k, &one, err);
}

json_t *keeper_on_slack_propose(struct keeper *k, struct peer *p, const struct fields *f,
				struct error *err)
{
	_cleanup_(provenance_freep) struct provenance *sources = NULL;
	json_auto_t *turn = NULL, *slack = NULL, *surface = NULL;
	const struct approval *a;
	char person[129];

	(void)p;
	if (!check_audience(f, err) || !keeper_refresh_policy(k, err))
		return NULL;
	turn = load_turn(k, f->turn, err);
	if (turn && is_home(turn)) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "App Home was opened: that asks for nothing");
		return NULL;
	}
	if (!turn || !keeper_slack_person(k, json_get_string(turn, "user"), person, err))
		return NULL;
	slack = slack_json(f, turn, err);
	surface = slack ? surface_json(k, f, turn, err) : NULL;
	if (!surface || !count_proposal(k, f->turn, err))
		return NULL;
	if (!f->approval && is_by_assistant(f, turn)) {
		sources = keeper_sources_slack(k, person, turn, f->sources, err);
		if (!sources)
			return NULL;
	}
	const struct proposal of = { .requester = person,
				     .surface = surface,
				     .slack = slack,
				     .sources = sources };

	a = f->approval ? propose_again(k, f, turn, &of, surface, slack, err)
			: propose(k, f, &of, err);
	return a ? keeper_slack_json(k, a, false) : NULL;
}
