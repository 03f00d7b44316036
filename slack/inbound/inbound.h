/*
 * inbound -- what Slack says, read: one struct for an event, a command, a press, a
 * submission, whichever way it came. Pure.
 *
 * The signature was judged before (HTTP), or there is none (Socket Mode). Here the
 * content is: of our app, of one of our teams, and something that a person did and that
 * we handle. What is not for us says why and is nothing to act on: other bots, our own
 * messages, edits, everything with a subtype. Both generations of the agent view come
 * out as the same kinds. Nothing here says who may do what: that is asked afterwards.
 *
 * Of a message only what the author wrote is kept, as plain text: mentions as <@U...>,
 * links as their address, never a label that hides one. It is data, whoever wrote it.
 */
#ifndef SLACK_INBOUND_H
#define SLACK_INBOUND_H

#include "base/json.h"

enum {
	INBOUND_ID_BYTES = 65,
	INBOUND_TS_BYTES = 33,
	INBOUND_TOKEN_BYTES = 256, /* trigger_id, callback_id, action_id, block_id */
	INBOUND_URL_BYTES = 512,
	INBOUND_TEXT_MAX = 40 * 1000, /* bytes; of what is longer nothing is taken */
	INBOUND_TEAMS_MAX = 32,
};

enum inbound_kind {
	INBOUND_NOTHING,   /* not for us; 'why' says so, for the log */
	INBOUND_CHALLENGE, /* 'text' is to be sent back */
	INBOUND_MENTION,   /* in a channel; 'text' without our own name */
	INBOUND_MESSAGE,   /* in the direct conversation */
	INBOUND_HOME,      /* App Home was opened */
	INBOUND_AGENT,     /* the agent view was opened */
	INBOUND_CONTEXT,   /* what the person looks at changed */
	INBOUND_STOP,      /* the person wants the work of the thread stopped */
	INBOUND_TEAM, /* members of a group changed, or a person did: forget what is kept */
	INBOUND_GONE,       /* our token is no longer good */
	INBOUND_SLOWED,     /* Slack holds events back */
	INBOUND_COMMAND,    /* /wingman; 'text' is what stands behind it */
	INBOUND_PRESS,      /* a button or menu; 'action', 'block', 'value' */
	INBOUND_SUBMIT,     /* a modal was sent; 'callback', 'metadata', 'state' */
	INBOUND_CLOSE,      /* a modal was closed */
	INBOUND_OPTIONS,    /* a menu wants options for 'text'; 'action', 'block' */
	INBOUND_ON_MESSAGE, /* a shortcut on a message: 'callback', 'text', 'author' */
	INBOUND_SHORTCUT,   /* a shortcut without one: 'callback' */
};

/* What is ours; borrowed. */
struct inbound_self {
	const char *app, *bot_user; /* "A...", "U..." */
	const char *const *teams;
	size_t team_count;
	const char *command; /* "/wingman" */
	/* Where answers to what people did are taken ("https://hooks.slack.com/"): scheme, host
	 * and port, with the slash behind. NULL: nowhere. */
	const char *responses;
};

struct inbound {
	enum inbound_kind kind;
	const char *why; /* static; of INBOUND_NOTHING */
	/* "" where it has none. */
	char event[INBOUND_ID_BYTES]; /* the same when Slack repeats it */
	char team[INBOUND_ID_BYTES], user[INBOUND_ID_BYTES];
	char channel[INBOUND_ID_BYTES], ts[INBOUND_TS_BYTES], thread_ts[INBOUND_TS_BYTES];
	char author[INBOUND_ID_BYTES]; /* of the message of a shortcut; "" for a bot */
	char trigger[INBOUND_TOKEN_BYTES], callback[INBOUND_TOKEN_BYTES];
	char action[INBOUND_TOKEN_BYTES], block[INBOUND_TOKEN_BYTES];
	char view[INBOUND_ID_BYTES], view_hash[INBOUND_TOKEN_BYTES];
	char response_url[INBOUND_URL_BYTES]; /* below self.responses, or "" */
	bool home;                            /* the view is App Home's */
	bool outside; /* the person is of another team: no member, whoever else says so */
	bool shared;  /* the channel is shared with another organisation */
	bool ephemeral;         /* the press was on a message that only the person sees */
	bool too_long;          /* the text; 'text' is empty then */
	int64_t at_s;           /* when it happened; 0: not told */
	char *text;             /* owned, never NULL */
	char *value, *metadata; /* owned, never NULL: of a press; of a modal */
	json_t *state;          /* owned: state.values; NULL: none */
	json_t *entities; /* owned: what the person looks at, as Slack has it; NULL: none */
};
void inbound_done(struct inbound *in);

/*
 * From the body of a request, or the payload of Socket Mode. 'ret' is begun here and
 * always ended by inbound_done. ERR_INVALID_ARGUMENT: Slack sends nothing like this.
 * ERR_PERMISSION_DENIED: it is of another app or team.
 */
bool inbound_read_event(const json_t *envelope, const struct inbound_self *self,
			struct inbound *ret, struct error *err);
bool inbound_read_interaction(const json_t *payload, const struct inbound_self *self,
			      struct inbound *ret, struct error *err);
/* 'fields' {name: text} of a command. */
bool inbound_read_command(const json_t *fields, const struct inbound_self *self,
			  struct inbound *ret, struct error *err);

/* What a message says, as plain text: out of its rich text where there is such, else out of
 * 'text' decoded. 'without' is a user whose mentions are left out (NULL: none). */
void inbound_message_text(struct strbuf *sb, const json_t *message, const char *without);

/* Whether 'url' is an address below 'responses' and no other: whoever forges a payload has
 * nobody else called. */
bool inbound_is_response_url(const char *url, const char *responses);

#endif
