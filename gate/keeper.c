#include "gate/keeper.h"

#include "gate/keeper_context.h"

#include <sys/socket.h>

enum { PEERS_OF_ONE_UID_MAX = 64 };

enum {
	NEEDS_TEAM = 1,  /* the peer is a person of the team */
	NEEDS_SOUND = 2, /* audit chain and store can be written */
	OF_SLACK = 4,    /* the Slack process may say it as well */
	OF_SLACK_ALONE = 8,
};

typedef json_t *surface_function(struct keeper *k, struct peer *p, const struct fields *f,
				 struct error *err);
typedef bool caller_function(struct keeper *k, const struct fields *f, struct error *err);

/* Everything that a surface may say. */
static const struct {
	enum message message;
	unsigned flags;
	surface_function *fn;
} surface_requests[] = {
	{ MSG_HELLO, OF_SLACK, keeper_on_hello },
	{ MSG_STATUS, OF_SLACK, keeper_on_status },
	{ MSG_PROPOSE, NEEDS_TEAM | NEEDS_SOUND, keeper_on_propose },
	{ MSG_SHOW, NEEDS_TEAM | OF_SLACK, keeper_on_show },
	{ MSG_LIST, NEEDS_TEAM | OF_SLACK, keeper_on_list },
	{ MSG_DECIDE, NEEDS_SOUND,
	  keeper_on_decide }, /* judges the person itself, afresh */
	{ MSG_CANCEL, NEEDS_TEAM | NEEDS_SOUND, keeper_on_cancel },
	{ MSG_REVOKE, NEEDS_TEAM | NEEDS_SOUND, keeper_on_revoke },
	{ MSG_WATCH, NEEDS_TEAM, keeper_on_watch },
	{ MSG_NOTICES, NEEDS_TEAM | OF_SLACK, keeper_on_notices },
	{ MSG_READ, NEEDS_TEAM | OF_SLACK, keeper_on_read },
	{ MSG_TOOLS, NEEDS_TEAM | OF_SLACK, keeper_on_tools },
	{ MSG_EXPLAIN, NEEDS_TEAM, keeper_on_explain },
	{ MSG_PINS, NEEDS_TEAM, keeper_on_pins },
	{ MSG_PROPOSE_GATE, NEEDS_TEAM | NEEDS_SOUND, keeper_on_propose_gate },
	{ MSG_SET_PIN, NEEDS_TEAM | NEEDS_SOUND, keeper_on_set_pin },
	{ MSG_EMERGENCY, NEEDS_SOUND, keeper_on_emergency },
	{ MSG_EMERGENCIES, NEEDS_TEAM, keeper_on_emergencies },
	{ MSG_REVIEW, NEEDS_TEAM | NEEDS_SOUND, keeper_on_review },
	{ MSG_CONTEXT, NEEDS_SOUND | OF_SLACK,
	  keeper_on_context }, /* judges who itself */
	{ MSG_SLACK_WHO, OF_SLACK_ALONE, keeper_on_slack_who },
	{ MSG_SLACK_OPEN, OF_SLACK_ALONE, keeper_on_slack_open },
	{ MSG_SLACK_TURN, OF_SLACK_ALONE | NEEDS_SOUND, keeper_on_slack_turn },
	{ MSG_SLACK_PROPOSE, OF_SLACK_ALONE | NEEDS_SOUND, keeper_on_slack_propose },
	{ MSG_SLACK_POSTED, OF_SLACK_ALONE | NEEDS_SOUND, keeper_on_slack_posted },
	{ MSG_SLACK_CLICK, OF_SLACK_ALONE | NEEDS_SOUND, keeper_on_slack_click },
};

/* Everything that the caller may say; whatever else it says ends us, because it is our bug. */
static const struct {
	enum message message;
	caller_function *fn;
} caller_requests[] = {
	{ MSG_PLANNED, keeper_on_planned },     { MSG_EXECUTED, keeper_on_executed },
	{ MSG_DEFINED, keeper_on_defined },     { MSG_PROBED, keeper_on_probed },
	{ MSG_REGISTER, keeper_on_register },   { MSG_OUTCOME, keeper_on_outcome },
	{ MSG_WITHDRAW, keeper_on_withdraw },   { MSG_PAGE, keeper_on_page },
	{ MSG_LISTENING, keeper_on_listening }, { MSG_MEMBERED, keeper_on_membered },
	{ MSG_FETCHED, keeper_on_fetched },     { MSG_NEWS, keeper_on_news },
	{ MSG_CHANGED, keeper_on_changed },     { MSG_PROGRESS, keeper_on_progress },
	{ MSG_STORE, keeper_on_store },
};

void keeper_give_in(struct keeper *k, const char *event, const struct error *err)
{
	log_failure(event, err);
	k->failed = true;
	loop_stop(k->loop);
}

/* --- surfaces --- */

/* What a console says the Slack process cannot, and the other way round. */
static bool check_surface(const struct peer *p, unsigned flags, struct error *err)
{
	if (p->is_slack ? flags & (OF_SLACK | OF_SLACK_ALONE) : !(flags & OF_SLACK_ALONE))
		return true;
	return error_set(err, ERR_PERMISSION_DENIED,
			 p->is_slack ? "the Slack process is nobody's console"
				     : "this is for the Slack process to say");
}

bool keeper_check_team(const struct keeper *k, const char *person, struct error *err)
{
	if (policy_in_team(k->policy, person))
		return true;
	/* Whoever is not on the list learns nothing of what else there is. */
	return policy_is_listed(k->policy, person)
		       ? policy_check_team(k->policy, person, err)
		       : error_set(err, ERR_PERMISSION_DENIED,
				   "this gate answers members of its team only");
}

static bool check_peer(struct keeper *k, const struct peer *p, unsigned flags,
		       struct error *err)
{
	const char *person = keeper_person(k, p);
	char who[32];

	if (check_surface(p, flags, err) &&
	    (p->is_slack || !(flags & NEEDS_TEAM) || keeper_check_team(k, person, err)))
		return true;
	(void)snprintf(who, sizeof who, p->is_slack ? "slack, uid %u" : "uid %u",
		       (unsigned)p->uid);
	keeper_audit_refusal(k, "surface.refused", person ? person : who,
			     json_pack("{s:I}", "uid", (json_int_t)p->uid), err);
	return false;
}

/* 'f' is room for the decoded message. */
static json_t *serve(struct keeper *k, struct peer *p, const json_t *message,
		     struct fields *f, struct error *err)
{
	const char *name = json_get_string(message, "m");
	enum message m = name ? message_find(name) : MSG_COUNT;
	struct error unsound = ERROR_INIT;

	keeper_door_mind(k);
	for (size_t i = 0; i < ARRAY_SIZE(surface_requests); i++) {
		unsigned flags = surface_requests[i].flags;
		json_t *reply;

		if (surface_requests[i].message != m)
			continue;
		if (!fields_decode(m, message, f, err) || !check_peer(k, p, flags, err))
			return NULL;
		if (!keeper_is_sound(k, &unsound) && (flags & NEEDS_SOUND)) {
			*err = unsound;
			return NULL;
		}
		if (k->stop_by_ms > 0 && (flags & NEEDS_SOUND)) {
			error_set(err, ERR_BACKEND_UNAVAILABLE,
				  "the gate is about to stop");
			return NULL;
		}
		reply = surface_requests[i].fn(k, p, f, err);
		if (!reply && !error_is_set(err))
			error_oom(err);
		return reply;
	}
	error_set(err, ERR_INVALID_ARGUMENT,
		  "the gate takes no such message from a surface");
	return NULL;
}

/* A PIN has been judged by now: it need not lie in memory until something else does. */
static void wipe(const json_t *message, const char *member)
{
	const json_t *text = json_object_get(message, member);

	if (json_is_string(text))
		explicit_bzero((char *)(uintptr_t)json_string_value(text),
			       json_string_length(text));
}

static void on_surface(void *context, struct channel *ch, json_t *message)
{
	struct peer *p = context;
	struct error err = ERROR_INIT;
	struct fields fields;
	json_auto_t *reply = NULL;
	json_t *id = json_object_get(message, "id");

	if (!json_is_integer(id))
		error_set(&err, ERR_INVALID_ARGUMENT, "a request has an integer 'id'");
	else
		reply = serve(p->keeper, p, message, &fields, &err);
	if (json_is_null(reply))
		return; /* it comes when it is there */
	wipe(message, "pin");
	wipe(message, "old");
	if (!reply)
		reply = json_pack("{s:b, s:o}", "ok", 0, "error",
				  fields_error(&err, NULL));
	else if (json_object_set_new(reply, "ok", json_true()) != 0)
		return;
	if (!reply ||
	    json_object_set_new(reply, "m", json_string(message_name(MSG_REPLY))) != 0 ||
	    (json_is_integer(id) && json_object_set(reply, "id", id) != 0))
		return;
	(void)channel_send(ch, reply);
}

void keeper_peer_free(struct keeper *k, struct peer *p)
{
	for (struct peer **at = &k->peers; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			break;
		}
	keeper_reads_forget_peer(k, p);
	channel_free(p->channel);
	free(p);
	k->peer_count--;
}

static void on_surface_closed(void *context, struct channel *ch, const struct error *err)
{
	struct peer *p = context;

	(void)ch;
	log_debug("surface.closed", LOG_INT("uid", p->uid), LOG_STR("why", err->message));
	keeper_peer_free(p->keeper, p);
}

static bool has_room(const struct keeper *k, uid_t uid)
{
	size_t mine = 0;

	for (const struct peer *p = k->peers; p; p = p->next)
		mine += p->uid == uid;
	return k->peer_count < KEEPER_PEERS_MAX && mine < PEERS_OF_ONE_UID_MAX;
}

void keeper_on_connection(void *context, int fd, unsigned events)
{
	struct keeper *k = context;
	struct error err = ERROR_INIT;
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer *p;

	(void)events;
	if (accepted < 0)
		return;
	p = calloc(1, sizeof *p);
	if (!p) {
		(void)close(accepted);
		return;
	}
	p->keeper = k;
	p->channel =
		channel_new(k->loop, accepted, on_surface, on_surface_closed, p, &err);
	if (!p->channel || !channel_peer(p->channel, &p->uid, &p->pid, &err) ||
	    !has_room(k, p->uid)) {
		log_warn("surface.turned_away", LOG_STR("why", err.message));
		channel_free(p->channel);
		free(p);
		return;
	}
	p->next = k->peers;
	k->peers = p;
	k->peer_count++;
}

/* --- the caller --- */

void keeper_on_caller(void *context, struct channel *ch, json_t *message)
{
	struct keeper *k = context;
	const char *name = json_get_string(message, "m");
	enum message m = name ? message_find(name) : MSG_COUNT;
	struct error err = ERROR_INIT, unsound = ERROR_INIT;
	struct fields f;

	(void)ch;
	keeper_door_mind(k);
	(void)keeper_is_sound(
		k, &unsound); /* the time; each function checks what it needs */
	for (size_t i = 0; i < ARRAY_SIZE(caller_requests); i++) {
		if (caller_requests[i].message != m)
			continue;
		if (!fields_decode(m, message, &f, &err) ||
		    !caller_requests[i].fn(k, &f, &err))
			keeper_give_in(k, "caller.broken", &err);
		else if (m == MSG_LISTENING) {
			keeper_ask_definitions(k);
			keeper_door_tick(k);
		}
		return;
	}
	error_set(&err, ERR_INTERNAL, "the caller sent '%.40s'", name ? name : "?");
	keeper_give_in(k, "caller.broken", &err);
}

void keeper_on_caller_closed(void *context, struct channel *ch, const struct error *err)
{
	struct keeper *k = context;
	struct error said = ERROR_INIT;

	(void)ch;
	k->caller = NULL;
	channel_free(ch);
	if (k->stop_by_ms > 0) {
		loop_stop(k->loop);
		return;
	}
	error_set(&said, ERR_INTERNAL,
		  "the gate's caller is gone, so the gate leaves as well: %s",
		  err->message);
	keeper_give_in(k, "caller.gone", &said);
}
