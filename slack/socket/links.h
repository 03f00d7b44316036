/*
 * links -- what ought to be connected, and when: the judgement of Socket Mode, without a
 * socket.
 *
 * There are a few slots, and each wants one link that is up. Whoever owns the sockets asks
 * links_next what to do, does it, and tells what came of it; time is handed in. When Slack
 * says that a link will end, another is dialled at once while the old one goes on being
 * read; it is closed some time after the new one is up, if Slack did not do so. A link that
 * did not come about or did not live long makes the next one wait: twice as long each time,
 * up to a limit, and by chance a little less, so that not all come back at once. What will
 * not get better by itself (the token, Socket Mode switched off) is tried every few minutes.
 *
 * Pure; belongs to one thread. At most LINKS_SLOTS_MAX * 2 links at a time, which is below
 * the ten that Slack allows one app.
 */
#ifndef SLACK_SOCKET_LINKS_H
#define SLACK_SOCKET_LINKS_H

#include "slack/socket/frame.h"

enum { LINKS_SLOTS_MAX = 4, LINKS_SLOTS = 2, LINKS_EACH = 2 };

struct links_times {
	int64_t ping_ms;    /* nothing heard: ask */
	int64_t silence_ms; /* nothing heard: it is dead */
	int64_t hello_ms;   /* from the ticket to the hello, at most */
	int64_t backoff_ms; /* the first wait, and the longest */
	int64_t backoff_max_ms;
	int64_t settled_ms; /* a link that lived this long forgives what was before */
	int64_t leave_ms;   /* how long an old link is read while a new one is up */
	int64_t slow_ms;    /* what will not get better by itself */
	int64_t crowd_ms;   /* too many connections: at least this long */
};
extern const struct links_times links_times;

enum link_state {
	LINK_NONE,
	LINK_TICKET, /* a ticket is being asked for */
	LINK_SHAKING,
	LINK_UP,
	LINK_LEAVING,
};

struct link {
	unsigned id; /* never 0, and never the same twice */
	enum link_state state;
	bool is_useless; /* to be closed, whether there is another or not */
	bool is_ended;   /* it was said to be closed; only its end is awaited */
	int64_t since_ms, heard_ms, pinged_ms;
};

struct links_slot {
	struct link links[LINKS_EACH];
	unsigned failures; /* one after another */
	int64_t dial_ms;   /* not before */
};

struct links {
	struct links_times times;
	struct links_slot slots[LINKS_SLOTS_MAX];
	size_t slot_count;
	unsigned last_id;
	uint64_t chance;
	bool is_stopped;
};

/* 'times' may be NULL; 'seed' is anything. */
void links_init(struct links *l, const struct links_times *times, size_t slot_count,
		uint64_t seed, int64_t now_ms);

enum links_deed {
	LINKS_NOTHING,
	LINKS_DIAL,  /* ask for a ticket and connect */
	LINKS_PING,  /* ask whether it is alive */
	LINKS_CLOSE, /* politely */
	LINKS_KILL,  /* nobody is there to be polite to */
};
/* What to do now; to be asked until it is nothing. Then '*ret_due_ms' is when to ask again
 * if nothing happens; INT64_MAX: never. '*ret_id' is of the link. */
enum links_deed links_next(struct links *l, int64_t now_ms, unsigned *ret_id,
			   int64_t *ret_due_ms);

/* What came of it. Links that are gone are nothing to anybody. */
void links_ticket(struct links *l, unsigned id, int64_t now_ms); /* there is a ticket */
void links_hello(struct links *l, unsigned id, int64_t now_ms);
void links_heard(struct links *l, unsigned id, int64_t now_ms); /* any frame, or a pong */
void links_leave(struct links *l, unsigned id, enum socket_reason reason, int64_t now_ms);
void links_closed(struct links *l, unsigned id, int64_t now_ms); /* or never came to be */
/* Slack wants no link of ours before 'wait_ms' have passed; 0: as long as what does not get
 * better by itself. For every slot. */
void links_wait(struct links *l, int64_t wait_ms, int64_t now_ms);
/* From now on links only end. */
void links_stop(struct links *l);

bool links_is_up(const struct links *l, unsigned id);
size_t links_up(const struct links *l);
/* Whether any link is there, whatever its state. */
bool links_any(const struct links *l);

#endif
