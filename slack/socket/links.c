#include "slack/socket/links.h"

#include <assert.h>

const struct links_times links_times = {
	.ping_ms = 10 * 1000,
	.silence_ms = 30 * 1000,
	.hello_ms = 20 * 1000,
	.backoff_ms = 1000,
	.backoff_max_ms = 60 * 1000,
	.settled_ms = 60 * 1000,
	.leave_ms = 15 * 1000,
	.slow_ms = 5 * 60 * 1000,
	.crowd_ms = 30 * 1000,
};

void links_init(struct links *l, const struct links_times *times, size_t slot_count,
		uint64_t seed, int64_t now_ms)
{
	assert(slot_count > 0 && slot_count <= LINKS_SLOTS_MAX);
	*l = (struct links){ .times = times ? *times : links_times,
			     .slot_count = slot_count,
			     .chance = seed | 1 };
	for (size_t i = 0; i < slot_count; i++)
		l->slots[i].dial_ms = now_ms;
}

/* --- finding --- */

static struct link *find(struct links *l, unsigned id, struct links_slot **ret_slot)
{
	for (size_t i = 0; id && i < l->slot_count; i++)
		for (size_t j = 0; j < LINKS_EACH; j++)
			if (l->slots[i].links[j].id == id) {
				*ret_slot = &l->slots[i];
				return &l->slots[i].links[j];
			}
	return NULL;
}

static bool is_wanted(const struct link *link)
{
	return link->state == LINK_TICKET || link->state == LINK_SHAKING ||
	       link->state == LINK_UP;
}

static bool has_wanted(const struct links_slot *slot)
{
	return is_wanted(&slot->links[0]) || is_wanted(&slot->links[1]);
}

static const struct link *link_up(const struct links_slot *slot)
{
	for (size_t i = 0; i < LINKS_EACH; i++)
		if (slot->links[i].state == LINK_UP)
			return &slot->links[i];
	return NULL;
}

/* --- waiting --- */

/* Between half of it and all of it; xorshift is chance enough for that. */
static int64_t jitter(struct links *l, int64_t ms)
{
	l->chance ^= l->chance << 13;
	l->chance ^= l->chance >> 7;
	l->chance ^= l->chance << 17;
	return ms / 2 + (int64_t)(l->chance % (uint64_t)(ms - ms / 2 + 1));
}

static void postpone(struct links_slot *slot, int64_t until_ms)
{
	if (slot->dial_ms < until_ms)
		slot->dial_ms = until_ms;
}

/* A link of the slot is no longer wanted: when the next one is dialled. */
static void plan_next(struct links *l, struct links_slot *slot, bool was_settled,
		      int64_t now_ms)
{
	int64_t wait_ms = l->times.backoff_ms;

	postpone(slot, now_ms);
	if (was_settled) {
		slot->failures = 0;
		return;
	}
	for (unsigned i = 0; i < slot->failures && wait_ms < l->times.backoff_max_ms; i++)
		wait_ms *= 2;
	if (wait_ms > l->times.backoff_max_ms)
		wait_ms = l->times.backoff_max_ms;
	slot->failures++;
	postpone(slot, now_ms + jitter(l, wait_ms));
}

static bool is_settled(const struct links *l, const struct link *link, int64_t now_ms)
{
	return link->state == LINK_UP && now_ms - link->since_ms >= l->times.settled_ms;
}

static void begin_leaving(struct links *l, struct links_slot *slot, struct link *link,
			  int64_t now_ms)
{
	const bool was_settled = is_settled(l, link, now_ms);

	if (!is_wanted(link))
		return;
	link->state = LINK_LEAVING;
	link->since_ms = now_ms;
	plan_next(l, slot, was_settled, now_ms);
}

/* --- what to do --- */

/* The earliest of what is not due yet. */
static bool is_due(int64_t at_ms, int64_t now_ms, int64_t *due_ms)
{
	if (at_ms <= now_ms)
		return true;
	if (at_ms < *due_ms)
		*due_ms = at_ms;
	return false;
}

static enum links_deed end(struct links *l, struct links_slot *slot, struct link *link,
			   enum links_deed how, int64_t now_ms)
{
	begin_leaving(l, slot, link, now_ms);
	link->is_ended = true;
	return how;
}

/* An old link goes some time after the new one is up, and as long as there is none it stays. */
static bool may_leave(const struct links *l, const struct links_slot *slot,
		      const struct link *link, int64_t now_ms, int64_t *due_ms)
{
	const struct link *new = link_up(slot);

	if (link->state != LINK_LEAVING || !new)
		return false;
	return is_due((new->since_ms > link->since_ms ? new : link)->since_ms +
			      l->times.leave_ms,
		      now_ms, due_ms);
}

static enum links_deed look_at(struct links *l, struct links_slot *slot,
			       struct link *link, int64_t now_ms, int64_t *due_ms)
{
	if (link->state == LINK_NONE || link->state == LINK_TICKET || link->is_ended)
		return LINKS_NOTHING;
	if (link->state == LINK_SHAKING)
		return l->is_stopped || is_due(link->since_ms + l->times.hello_ms, now_ms,
					       due_ms)
			       ? end(l, slot, link, LINKS_KILL, now_ms)
			       : LINKS_NOTHING;
	if (l->is_stopped || link->is_useless)
		return end(l, slot, link, LINKS_CLOSE, now_ms);
	if (is_due(link->heard_ms + l->times.silence_ms, now_ms, due_ms))
		return end(l, slot, link, LINKS_KILL, now_ms);
	if (may_leave(l, slot, link, now_ms, due_ms))
		return end(l, slot, link, LINKS_CLOSE, now_ms);
	if (is_due((link->heard_ms > link->pinged_ms ? link->heard_ms : link->pinged_ms) +
			   l->times.ping_ms,
		   now_ms, due_ms)) {
		link->pinged_ms = now_ms;
		return LINKS_PING;
	}
	return LINKS_NOTHING;
}

/* The slot's place for a link; NULL: both are taken. */
static struct link *find_room(struct links_slot *slot)
{
	for (size_t i = 0; i < LINKS_EACH; i++)
		if (slot->links[i].state == LINK_NONE)
			return &slot->links[i];
	return NULL;
}

/* The older one, unless the end of one of them is awaited. */
static struct link *find_oldest(struct links_slot *slot)
{
	struct link *oldest = &slot->links[0];

	for (size_t i = 0; i < LINKS_EACH; i++) {
		if (slot->links[i].is_ended)
			return NULL;
		if (slot->links[i].id < oldest->id)
			oldest = &slot->links[i];
	}
	return oldest;
}

/* Dial, or make room for it. '*ret_id' is of the link that is concerned. */
static enum links_deed dial(struct links *l, struct links_slot *slot, int64_t now_ms,
			    unsigned *ret_id, int64_t *due_ms)
{
	struct link *link;

	if (l->is_stopped || has_wanted(slot) || !is_due(slot->dial_ms, now_ms, due_ms))
		return LINKS_NOTHING;
	link = find_room(slot);
	if (link) {
		*link = (struct link){ .id = ++l->last_id, .state = LINK_TICKET };
		*ret_id = link->id;
		return LINKS_DIAL;
	}
	link = find_oldest(slot);
	if (!link)
		return LINKS_NOTHING;
	*ret_id = link->id;
	return end(l, slot, link, LINKS_CLOSE, now_ms);
}

enum links_deed links_next(struct links *l, int64_t now_ms, unsigned *ret_id,
			   int64_t *ret_due_ms)
{
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; i < l->slot_count; i++) {
		struct links_slot *slot = &l->slots[i];
		enum links_deed deed;

		for (size_t j = 0; j < LINKS_EACH; j++) {
			deed = look_at(l, slot, &slot->links[j], now_ms, &due_ms);
			*ret_id = slot->links[j].id;
			if (deed != LINKS_NOTHING)
				return deed;
		}
		deed = dial(l, slot, now_ms, ret_id, &due_ms);
		if (deed != LINKS_NOTHING)
			return deed;
	}
	*ret_due_ms = due_ms;
	return LINKS_NOTHING;
}

/* --- what came of it --- */

void links_ticket(struct links *l, unsigned id, int64_t now_ms)
{
	struct links_slot *slot;
	struct link *link = find(l, id, &slot);

	if (!link || link->state != LINK_TICKET)
		return;
	link->state = LINK_SHAKING;
	link->since_ms = link->heard_ms = now_ms;
}

void links_hello(struct links *l, unsigned id, int64_t now_ms)
{
	struct links_slot *slot;
	struct link *link = find(l, id, &slot);

	if (!link || link->state != LINK_SHAKING || link->is_ended)
		return;
	link->state = LINK_UP;
	link->since_ms = link->heard_ms = now_ms;
}

void links_heard(struct links *l, unsigned id, int64_t now_ms)
{
	struct links_slot *slot;
	struct link *link = find(l, id, &slot);

	if (link)
		link->heard_ms = now_ms;
}

void links_leave(struct links *l, unsigned id, enum socket_reason reason, int64_t now_ms)
{
	struct links_slot *slot;
	struct link *link = find(l, id, &slot);

	if (!link)
		return;
	begin_leaving(l, slot, link, now_ms);
	link->is_useless = reason == SOCKET_DISABLED || reason == SOCKET_TOO_MANY;
	if (reason == SOCKET_DISABLED)
		postpone(slot, now_ms + l->times.slow_ms);
	else if (reason == SOCKET_TOO_MANY)
		postpone(slot, now_ms + l->times.crowd_ms + jitter(l, l->times.crowd_ms));
}

void links_closed(struct links *l, unsigned id, int64_t now_ms)
{
	struct links_slot *slot;
	struct link *link = find(l, id, &slot);

	if (!link)
		return;
	begin_leaving(l, slot, link, now_ms);
	*link = (struct link){ 0 };
}

void links_wait(struct links *l, int64_t wait_ms, int64_t now_ms)
{
	for (size_t i = 0; i < l->slot_count; i++)
		postpone(&l->slots[i],
			 now_ms + (wait_ms > 0 ? wait_ms : l->times.slow_ms));
}

void links_stop(struct links *l)
{
	l->is_stopped = true;
}

bool links_is_up(const struct links *l, unsigned id)
{
	for (size_t i = 0; id && i < l->slot_count; i++)
		for (size_t j = 0; j < LINKS_EACH; j++)
			if (l->slots[i].links[j].id == id)
				return l->slots[i].links[j].state == LINK_UP ||
				       l->slots[i].links[j].state == LINK_LEAVING;
	return false;
}

size_t links_up(const struct links *l)
{
	size_t up = 0;

	for (size_t i = 0; i < l->slot_count; i++)
		up += link_up(&l->slots[i]) != NULL;
	return up;
}

bool links_any(const struct links *l)
{
	for (size_t i = 0; i < l->slot_count; i++)
		for (size_t j = 0; j < LINKS_EACH; j++)
			if (l->slots[i].links[j].state != LINK_NONE)
				return true;
	return false;
}
