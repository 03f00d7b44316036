#include "slack/home/home.h"

#include "base/clock.h"
#include "slack/home/panel.h"
#include "slack/home/view.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

enum { LINE_UNITS = 120 };

struct page {
	const json_t *home;
	int64_t now_ms;
	json_t *blocks;
	struct error *err;
};

/* ---- Blocks ----------------------------------------------------------------------- */

static bool add(struct page *p, json_t *block)
{
	return json_array_append_new(p->blocks, block) == 0 || error_oom(p->err);
}

static bool add_words(struct page *p, const char *words)
{
	return add(p, slack_words(words));
}

static bool add_buttons(struct page *p, const struct slack_button *buttons, size_t count)
{
	return add(p, slack_actions(buttons, count));
}

static bool broken(struct page *p, const char *what)
{
	return error_set(p->err, ERR_INTERNAL, "App Home lacks %s", what);
}

/* A line of others' words under a heading of ours. */
static bool add_lines(struct page *p, const char *heading, json_t *lines)
{
	json_auto_t *own = lines;

	return own ? add(p, slack_section(heading, own)) : error_oom(p->err);
}

/* A moment in the zone of whoever reads. */
static json_t *moment(int64_t wall_ms)
{
	char at[CLOCK_TEXT_BYTES];

	return rich_date(wall_ms, clock_format(wall_ms, at));
}

static json_t *words(const char *text)
{
	return rich_text(text, strlen(text), 0);
}

/* Words of ours with moments and links among them; steals. */
static bool add_elements(struct page *p, json_t *elements)
{
	return add(p, rich_block(json_pack("[o]", rich_part("section", elements))));
}

/* ---- Who you are ------------------------------------------------------------------ */

/* What the policy says as things are; the gate judges every call and every yes anew. */
static void add_may(struct page *p, struct strbuf *line)
{
	const json_t *rights = json_object_get(p->home, "rights");
	size_t all = 0, call = 0, approve = 0, alone = 0;
	const char *name;
	json_t *may;

	json_object_foreach((json_t *)(uintptr_t)rights, name, may)
	{
		all++;
		call += json_is_true(json_object_get(may, "call"));
		approve += json_is_true(json_object_get(may, "approve"));
		alone += json_is_true(json_object_get(may, "free"));
	}
	if (all > 0)
		strbuf_add_format(line,
				  "\nyou may run %zu of %zu tools, %zu of them without "
				  "a yes, and decide about %zu",
				  call, all, alone, approve);
}

static bool add_person(struct page *p)
{
	const char *person = json_get_string(p->home, "person");
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	if (!person)
		return broken(p, "the person");
	slack_text_words(&line, person, LINE_UNITS);
	strbuf_add_string(&line, "\nmember of the security team");
	add_may(p, &line);
	if (!strbuf_ok(&line))
		return error_oom(p->err);
	return add_lines(p, "You are", json_pack("[s]", line.data)) &&
	       add_elements(p, json_pack("[o, o, o]", words("Membership was checked "),
					 moment(json_get_int64(p->home, "checked_ms", 0)),
					 words("."))) &&
	       add_words(p, "But for reads that the policy frees, nothing runs before "
			    "somebody has seen all of it and pressed Approve. Mention "
			    "Wingman, or use /wingman help.");
}

/* ---- What waits ------------------------------------------------------------------- */

/* Until when, and where it stands. */
static json_t *until(const json_t *w)
{
	const char *link = json_get_string(w, "link");
	json_auto_t *elements = json_pack("[o, o]", words("To be decided until "),
					  moment(json_get_int64(w, "expires_ms", 0)));

	if (!elements ||
	    (link && (json_array_append_new(elements, words(". ")) != 0 ||
		      json_array_append_new(
			      elements, rich_link(link, "Open its message", 0)) != 0)))
		return NULL;
	return TAKE(elements);
}

static bool add_waiting_one(struct page *p, const json_t *w)
{
	const char *approval = json_get_string(w, "approval");
	const char *requester = json_get_string(w, "requester");
	char name[VIEW_NAME_BYTES];
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	struct slack_button review = { .action = SLACK_HOME_REVIEW,
				       .words = "Review",
				       .value = approval };

	if (!approval || !requester || !slack_text_is_plain(approval) ||
	    !view_full_name(json_get_string(w, "server"), json_get_string(w, "tool"),
			    name))
		return broken(p, "what waits");
	strbuf_add_format(&line, "%s, asked by ", name);
	slack_text_words(&line, requester, LINE_UNITS);
	if (!strbuf_ok(&line))
		return error_oom(p->err);
	return add_lines(p, "An approval", json_pack("[s]", line.data)) &&
	       add_elements(p, until(w)) && add_buttons(p, &review, 1);
}

static bool add_waiting(struct page *p)
{
	const json_t *waiting = json_object_get(p->home, "waiting");
	size_t count = json_array_size(waiting);
	char more[80];

	if (!add(p, slack_header("Waiting for you")))
		return false;
	if (count == 0)
		return add_words(p, "Nothing.");
	for (size_t i = 0; i < count && i < SLACK_HOME_WAITING; i++)
		if (!add_waiting_one(p, json_array_get(waiting, i)))
			return false;
	(void)snprintf(more, sizeof more, "And %zu more: see /wingman approvals.",
		       count - SLACK_HOME_WAITING);
	return count <= SLACK_HOME_WAITING || add_words(p, more);
}

/* ---- Tools ------------------------------------------------------------------------ */

static size_t count_tools(const json_t *servers)
{
	size_t count = 0, i;
	json_t *server;

	json_array_foreach(servers, i, server)
	{
		count += json_array_size(json_object_get(server, "tools"));
	}
	return count;
}

/* Its title, else the description; both are the server's words. */
static const char *in_short(const json_t *tool)
{
	const char *title = json_get_string(tool, "title");

	return title && *title ? title : json_get_string(tool, "description");
}

static void add_first_line(struct strbuf *line, const char *text)
{
	_cleanup_free_ char *first = strndup(text, strcspn(text, "\r\n"));

	slack_text_words(line, first ? first : "", LINE_UNITS);
	strbuf_add_string(line, text[strcspn(text, "\r\n")] ? " …" : "");
}

static void add_right(struct strbuf *line, const json_t *may)
{
	if (!may)
		return;
	if (!json_is_true(json_object_get(may, "call")))
		strbuf_add_string(line, "\nnot for you");
	else if (json_is_true(json_object_get(may, "free")))
		strbuf_add_string(line, "\nyou may run it without a yes");
	else
		strbuf_add_string(line, "\nyou may ask for it");
	if (json_is_true(json_object_get(may, "approve")))
		strbuf_add_string(line, ", and decide about it");
}

static bool add_tool(struct page *p, const char *server, const json_t *tool)
{
	const char *title = in_short(tool);
	const char *risk = json_get_string(tool, "risk");
	char name[VIEW_NAME_BYTES];
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	struct slack_button buttons[] = {
		{ .action = SLACK_HOME_RUN, .words = "Run", .value = name },
		{ .action = SLACK_HOME_DOCS, .words = "Docs", .value = name },
	};

	if (!risk || !view_full_name(server, json_get_string(tool, "name"), name))
		return broken(p, "a tool");
	strbuf_add_string(&line, risk);
	if (title && *title) {
		strbuf_add_string(&line, ": ");
		add_first_line(&line, title);
	}
	add_right(&line, json_object_get(json_object_get(p->home, "rights"), name));
	if (!strbuf_ok(&line))
		return error_oom(p->err);
	/* A block_id of its own, so that the same action stands in each row. */
	return add_lines(p, name, json_pack("[s]", line.data)) &&
	       add(p, view_named(slack_actions(buttons, ARRAY_SIZE(buttons)), name));
}

static bool add_page_of_tools(struct page *p, const json_t *servers, size_t from)
{
	size_t at = 0, i, j;
	json_t *server, *tool;

	json_array_foreach(servers, i, server)
	{
		json_array_foreach(json_object_get(server, "tools"), j, tool)
		{
			if (at >= from && at < from + SLACK_HOME_TOOLS &&
			    !add_tool(p, json_get_string(server, "name"), tool))
				return false;
			at++;
		}
	}
	return true;
}

static bool add_paging(struct page *p, size_t page, size_t pages)
{
	struct slack_button buttons[2];
	char back[24], next[24], words[64];
	size_t count = 0;

	if (pages <= 1)
		return true;
	(void)snprintf(back, sizeof back, "%zu", page - 1);
	(void)snprintf(next, sizeof next, "%zu", page + 1);
	(void)snprintf(words, sizeof words, "Page %zu of %zu.", page, pages);
	if (page > 1)
		buttons[count++] = (struct slack_button){
			.action = SLACK_HOME_PAGE "back", .words = "Back", .value = back
		};
	if (page < pages)
		buttons[count++] = (struct slack_button){
			.action = SLACK_HOME_PAGE "next", .words = "More", .value = next
		};
	return add_words(p, words) && add_buttons(p, buttons, count);
}

static bool add_servers(struct page *p, const json_t *servers)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	size_t i;
	json_t *server;

	json_array_foreach(servers, i, server)
	{
		const char *name = json_get_string(server, "name");
		bool up = json_is_true(json_object_get(server, "up"));

		if (!name)
			return broken(p, "a server");
		strbuf_add_string(&lines, i ? "\n" : "");
		slack_text_words(&lines, name, LINE_UNITS);
		strbuf_add_format(&lines, ": %s, %zu tools", up ? "up" : "DOWN",
				  json_array_size(json_object_get(server, "tools")));
	}
	if (!strbuf_ok(&lines))
		return error_oom(p->err);
	return add_lines(p, "Servers",
			 lines.length ? json_pack("[s]", lines.data) : json_array());
}

static bool add_search(struct page *p)
{
	return add(p,
		   json_pack("{s:s, s:s, s:[{s:s, s:s, s:o, s:i}]}", "type", "actions",
			     "block_id", "search", "elements", "type", "external_select",
			     "action_id", SLACK_HOME_SEARCH, "placeholder",
			     slack_plain("Find a tool"), "min_query_length", 0));
}

static bool add_tools(struct page *p, size_t page)
{
	const json_t *servers = json_object_get(p->home, "servers");
	size_t tools = count_tools(servers);
	size_t pages = (tools + SLACK_HOME_TOOLS - 1) / SLACK_HOME_TOOLS;

	page = page < 1 ? 1 : page > pages && pages > 0 ? pages : page;
	if (!add(p, slack_header("Tools")) || !add_servers(p, servers))
		return false;
	if (tools == 0)
		return add_words(p, "There are none.");
	return (pages == 1 || add_search(p)) &&
	       add_page_of_tools(p, servers, (page - 1) * SLACK_HOME_TOOLS) &&
	       add_paging(p, page, pages);
}

/* ---- What was, and what else there is --------------------------------------------- */

static bool add_recent(struct page *p)
{
	const json_t *recent = json_object_get(p->home, "recent");
	json_auto_t *lines = json_array();
	size_t i;
	json_t *r;

	if (!add(p, slack_header("Your last calls")))
		return false;
	json_array_foreach(recent, i, r)
	{
		const char *state = json_get_string(r, "state");
		const char *digest = json_get_string(r, "digest");
		char name[VIEW_NAME_BYTES], line[VIEW_NAME_BYTES + 100];

		if (i == SLACK_HOME_RECENT)
			break;
		if (!state || !digest ||
		    !view_full_name(json_get_string(r, "server"),
				    json_get_string(r, "tool"), name))
			return broken(p, "a call");
		(void)snprintf(
			line, sizeof line, "  %s: %.20s  %.12s%s", name, state, digest,
			i + 1 < json_array_size(recent) && i + 1 < SLACK_HOME_RECENT
				? "\n"
				: "");
		if (json_array_append_new(lines, moment(json_get_int64(r, "at_ms", 0))) !=
			    0 ||
		    json_array_append_new(lines, words(line)) != 0)
			return error_oom(p->err);
	}
	return json_array_size(lines) > 0 ? add_elements(p, TAKE(lines))
					  : add_words(p, "None.");
}

static bool add_panels(struct page *p)
{
	const json_t *panels = json_object_get(p->home, "panels");

	for (size_t i = 0; i < json_array_size(panels) && i < SLACK_HOME_PANELS; i++)
		if (!panel_add(p->blocks, json_array_get(panels, i), p->err))
			return false;
	return true;
}

/* ---- Views ------------------------------------------------------------------------ */

json_t *slack_home_view(const json_t *home, size_t page, int64_t now_ms,
			struct error *err)
{
	json_auto_t *blocks = json_array();
	struct page p = { home, now_ms, blocks, err };

	if (!blocks) {
		error_oom(err);
		return NULL;
	}
	if (!add(&p, slack_header("Wingman")) || !add_person(&p) || !add_waiting(&p) ||
	    !add_panels(&p) || !add_tools(&p, page) || !add_recent(&p))
		return NULL;
	return view_home(TAKE(blocks), err);
}

json_t *slack_home_stranger(struct error *err)
{
	json_auto_t *blocks = json_pack(
		"[o, o]", slack_header("Wingman"),
		slack_words("This assistant works for the security team. If you need "
			    "something from them, ask in their channel."));

	if (!blocks) {
		error_oom(err);
		return NULL;
	}
	return view_home(TAKE(blocks), err);
}
