/*
 * home -- App Home, and the page that tells of one tool, as Slack views. Pure.
 *
 * Everything that a server, a person or a model wrote stands in preformatted text; names
 * that buttons carry are plain (slack/text). Times are shown in the zone of whoever reads. What does not fit is said to be more, and
 * paged; nothing is cut without a mark. Whoever is not of the team gets a view without
 * names.
 */
#ifndef SLACK_HOME_H
#define SLACK_HOME_H

#include "base/json.h"

enum {
	SLACK_HOME_TOOLS = 10,   /* on a page */
	SLACK_HOME_WAITING = 10, /* approvals shown; of more the number is said */
	SLACK_HOME_RECENT = 10,
	SLACK_HOME_PANELS = 4,
	SLACK_HOME_PANEL_LINES = 20,
};

/* The action_id of each button, and what its value is. */
#define SLACK_HOME_DOCS   "wingman.home.docs"   /* "server.tool" */
#define SLACK_HOME_RUN    "wingman.home.run"    /* "server.tool" */
#define SLACK_HOME_PAGE   "wingman.home.page."  /* and "back" or "next": a page */
#define SLACK_HOME_REVIEW "wingman.home.review" /* an approval */
#define SLACK_HOME_SEARCH "wingman.home.search" /* a menu; "server.tool" */

/*
 * 'home' is
 *   {person, checked_ms,
 *    servers: [{name, up, tools: [{name, title?, description?, risk}]}],
 *    rights:  {"server.tool": {call, approve, free}}?,
 *    waiting: [{approval, server, tool, requester, expires_ms, link?}],
 *    recent:  [{server, tool, state, at_ms, digest}],
 *    panels:  [panel]?}
 * with 'person' the principal and 'checked_ms' when membership was looked up; a panel is
 * what slack_home_panel made. 'link' is an address of ours. 'page' from
 * 1; one beyond the last is the last. New. ERR_INTERNAL: it is not such data.
 */
json_t *slack_home_view(const json_t *home, size_t page, int64_t now_ms,
			struct error *err) _must_use_;

/* A resource that was read for a panel. */
struct slack_home_read {
	const char *title, *server;
	const char *text; /* the server's: plain, Markdown or JSON, drawn as it is */
	bool is_cut;      /* there was more than 'text' */
	int64_t read_ms;  /* wall */
};
/* So many lines of it, as data that can be kept. New. */
json_t *slack_home_panel(const struct slack_home_read *read,
			 struct error *err) _must_use_;
/* One that could not be read, in one line. New. */
json_t *slack_home_panel_fault(const char *title, const char *why,
			       struct error *err) _must_use_;

/* For whoever is not of the team. New. */
json_t *slack_home_stranger(struct error *err) _must_use_;

/* A tool told in full: a modal whose button fills in its form. 'tool' is {name:
 * "server.tool", title?, description?, inputSchema, risk, address, digest}. New. */
json_t *slack_docs_view(const json_t *tool, struct error *err) _must_use_;

/* {options: []} of the tools whose name or title holds 'typed'. New. */
json_t *slack_home_options(const json_t *home, const char *typed,
			   struct error *err) _must_use_;

#endif
