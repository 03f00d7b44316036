/*
 * The review: every page of a prompt, one after the other, for one person.
 *
 * How far a person has come is known from that person's own presses, which Slack signed:
 * nobody opens the last page for somebody who has not turned the others.
 */
#include "gate/keeper.h"

#include "gate/decide.h"
#include "slack/render/prompt.h"
#include "slack/verify/seen.h"

enum { REVIEW_MS = 60 * 60 * 1000 };

struct review {
	int64_t drawn_at, pages, read;
};

static void review_key(char key[static COORD_KEY_MAX + 1], const struct slack_click *c)
{
	/* 56 digits of the digest tell as much as 64, and always fit. */
	(void)snprintf(key, COORD_KEY_MAX + 1, "slack-review/%s/%s/%.56s", c->approval,
		       c->user, c->shown);
}

static bool load(struct keeper *k, const struct slack_click *c, struct review *ret,
		 struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *text = NULL;
	json_auto_t *review = NULL;

	review_key(key, c);
	if (!coord_get(k->coordination, key, &text, err))
		return false;
	review = text ? json_parse(text, strlen(text), JSON_CONTRACT, err) : NULL;
	if (!review)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "open the review anew: press Review");
	*ret = (struct review){ .drawn_at = json_get_int64(review, "drawn_at", 0),
				.pages = json_get_int64(review, "pages", 0),
				.read = json_get_int64(review, "read", 0) };
	return true;
}

static bool store(struct keeper *k, const struct slack_click *c, const struct review *r,
		  struct error *err)
{
	char key[COORD_KEY_MAX + 1], text[160];

	review_key(key, c);
	(void)snprintf(text, sizeof text,
		       "{\"drawn_at\":%lld,\"pages\":%lld,\"read\":%lld}",
		       (long long)r->drawn_at, (long long)r->pages, (long long)r->read);
	return coord_put(k->coordination, key, text, REVIEW_MS, err);
}

/* Whoever may decide it, and who asked, sees all of it. */
static bool may_read(const struct keeper *k, const struct approval *a, const char *person,
		     struct error *err)
{
	const json_t *policy = json_object_get(a->body, "policy");
	const char *requester = json_get_string(a->body, "requester");
	size_t i;
	json_t *one;

	if (requester && strcmp(requester, person) == 0)
		return true;
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), person) == 0)
			return policy_in_team(k->policy, person);
	}
	return error_set(err, ERR_PERMISSION_DENIED,
			 "the policy lets '%s' neither decide this nor read it", person);
}

static bool is_asked(const struct keeper *k, const struct approval *a,
		     const struct slack_click *c, struct error *err)
{
	const struct decide_input in = { .record = a->body,
					 .policy = k->policy,
					 .shown = c->shown,
					 .now_ms = k->now_ms };

	return decide_check_open(&in, err);
}

/* Begins anew with the first page; else the next one, or one that was read. */
static bool turn_page(struct keeper *k, const struct approval *a,
		      const struct slack_click *c, struct review *r, struct error *err)
{
	const json_t *prompt = json_object_get(a->body, "prompt");
	size_t pages = 0;

	if (c->action == SLACK_REVIEW) {
		json_auto_t *page = slack_prompt_page(prompt, k->now_ms, 1, &pages, err);

		*r = (struct review){ k->now_ms, (int64_t)pages, 1 };
		return page &&
		       (c->page == 1 || error_set(err, ERR_INVALID_ARGUMENT,
						  "a review begins with its first page"));
	}
	if (!load(k, c, r, err))
		return false;
	if (c->page > r->pages || c->page > r->read + 1)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "the pages before have not been read");
	if (c->page > r->read)
		r->read = c->page;
	return true;
}

json_t *keeper_slack_page(struct keeper *k, const struct approval *a,
			  const struct slack_click *c, const char *person,
			  struct error *err)
{
	struct review r = { 0, 0, 0 };
	json_t *page;

	if (!may_read(k, a, person, err) || !is_asked(k, a, c, err))
		return NULL;
	if (c->action != SLACK_WHY &&
	    (!turn_page(k, a, c, &r, err) || !store(k, c, &r, err)))
		return NULL;
	page = c->action == SLACK_WHY
		       ? json_pack("{s:O}", "prompt", json_object_get(a->body, "prompt"))
		       : json_pack("{s:O, s:I, s:I, s:I}", "prompt",
				   json_object_get(a->body, "prompt"), "page",
				   (json_int_t)c->page, "pages", (json_int_t)r.pages,
				   "drawn_at", (json_int_t)r.drawn_at);
	if (!page)
		error_oom(err);
	return page;
}

/* What Slack says stood there is the last page as we draw it. */
static bool was_shown(const struct keeper *k, const struct approval *a,
		      const struct slack_click *c, const struct review *r,
		      struct error *err)
{
	char seen[DIGEST_HEX_BYTES];
	size_t pages = 0;
	json_auto_t *view = NULL;

	if (k->settings->slack.any_look)
		return true;
	view = slack_prompt_page(json_object_get(a->body, "prompt"), r->drawn_at,
				 (size_t)r->pages, &pages, err);
	if (!view || !slack_seen_digest(json_object_get(view, "blocks"), seen, err))
		return false;
	return strcmp(seen, c->seen) == 0 ||
	       error_set(err, ERR_PRECONDITION_FAILED,
			 "the page that was pressed on is not what the gate drew");
}

bool keeper_slack_has_read(struct keeper *k, const struct approval *a,
			   const struct slack_click *c, struct error *err)
{
	struct review r;

	if (!load(k, c, &r, err))
		return false;
	if (r.pages < 1 || r.read < r.pages || c->page != r.pages)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "only the last page can approve: read on");
	if (k->now_ms < r.drawn_at + DECIDE_READ_FIRST_MS)
		return error_set(err, ERR_CONFLICT,
				 "this was opened less than a second ago: read again");
	return was_shown(k, a, c, &r, err);
}
