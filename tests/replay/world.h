/*
 * world -- the gate's keeper in this process, with servers that stand in. For tests.
 *
 * The keeper's own functions in a folder of its own, with its stores, key, audit chain and
 * configuration files; only its channel to the caller ends here, and what it sends there
 * is answered by stand.h. It can be taken down at any moment and started again from what
 * it had stored.
 */
#ifndef TESTS_REPLAY_WORLD_H
#define TESTS_REPLAY_WORLD_H

#include "gate/keeper.h"
#include "replay/stand.h"
#include "replay/toolset.h"

struct whole;

struct world {
	char root[64];
	struct statedir *dir;
	struct toolset *tools; /* borrowed */
	int64_t ttl_s;
	json_t *listed;    /* {server: [tool]}, as servers list them now */
	json_t *approvers; /* principals whom the policy lets approve */
	struct stand stand;
	struct keeper keeper;
	bool is_up;
	bool dies;    /* once a call has reached its server */
	json_t *sent; /* to the caller, not yet answered */
	unsigned slack_uid;
	json_t *urls;            /* {server: URL}; NULL: nobody listens anywhere */
	const char *more_config; /* of the gate's; NULL: none */
	struct whole *whole;     /* processes (whole.c); NULL: the keeper is here */
};

/* 'tools' is borrowed until world_close, which removes the folder. */
bool world_open(struct world *w, struct toolset *tools, int64_t ttl_s, struct error *err);
void world_close(struct world *w);

/* The keeper falls, and comes up again from its stores. */
bool world_restart(struct world *w, struct error *err);
/* Configuration and policy as people stand in 'tools' and 'approvers' now. */
bool world_write_config(struct world *w, struct error *err);
/* What servers list, told to the gate. */
bool world_tell_tools(struct world *w, const char *server, struct error *err);

/* A server falls, or is back. */
bool world_server(struct world *w, const char *server, bool is_up, struct error *err);
/* What its next call is answered with, where it is a process. */
void world_answer(struct world *w, const char *server, const char *text);
/* What servers carried out, in order: [{name, arguments}]. Borrowed until the next call. */
const json_t *world_executed(struct world *w);

/* What Slack calls itself and its people here. */
#define WORLD_APP  "A0REPLAY"
#define WORLD_TEAM "T0REPLAY"
/* As in full.py, which looks for it where it must not be: like nothing a record would say. */
#define WORLD_SECRET "5b0c1fe72a9d4863b7e0d1426c98af35"
/* A person's Slack user as the gate is configured: records may call people anything. Another
 * text is handed back as it is. */
void world_slack_user(const struct world *w, const char *user, char ret[static 65]);
/* The same of a conversation. */
void world_slack_channel(const char *channel, char ret[static 65]);
/* What Slack would sign of this body now, with that key. */
void world_sign(const char *key, const struct strbuf *body, char timestamp[static 24],
		char signature[static 80]);

/* What the person behind 'uid' proposes by a mention in a conversation, {tool, arguments} or
 * {calls: [{tool, arguments}]} for one decision ('members' is taken over): the id of its
 * approval, or "". */
void world_propose(struct world *w, int uid, const char *conversation, json_t *members,
		   char ret[static RECORD_ID_BYTES], struct error *err);
/* A message of the Slack process's, 'members' without its name: the answer, or NULL. New. */
json_t *world_slack(struct world *w, enum message m, json_t *members,
		    struct error *err) _must_use_;
/* The whole record; NULL: there is none. New reference. */
json_t *world_record(struct world *w, const char *approval) _must_use_;
/* Let the clock run, and the gate with it. */
void world_wait(struct world *w, int64_t ms);

#endif
