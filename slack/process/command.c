/* The words that are understood without a model, wherever they are said. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/home/home.h"
#include "slack/process/approvals.h"
#include "slack/process/handlers.h"
#include "slack/process/say.h"
#include "slack/process/talks.h"
#include "slack/process/tools.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/text/near.h"
#include "slack/text/text.h"

enum { WORD_MAX = 128, LINE_UNITS = 160, TEXT_UNITS = 6000 };

static const char help[] =
	"help               this\n"
	"tools [SERVER]     what I can run\n"
	"docs TOOL          what a tool does, and what it wants\n"
	"run TOOL           fill in its form; nothing runs before a person has said yes\n"
	"approvals          what waits for you\n"
	"status             how everything is\n"
	"forget             what was said to me in this thread, or without one in this "
	"channel\n"
	"\n"
	"A tool is named server.tool, as in accounts.block_account.";

static void fail(const struct delivery *d, const struct error *err)
{
	log_failure("slack.command", err);
	say_answer(d, say_failure("That did not work", err));
}

/* Text of ours and of others, preformatted; what is too long says so. */
static void tell(const struct delivery *d, const char *words, const char *text)
{
	json_auto_t *texts = NULL;
	_cleanup_strbuf_ struct strbuf cut = STRBUF_INIT;

	if (slack_text_units(text, strlen(text)) > TEXT_UNITS) {
		strbuf_add(&cut, text, TEXT_UNITS / 2);
		/* Whole lines alone. */
		while (cut.length > 0 && cut.data[cut.length - 1] != '\n')
			strbuf_truncate(&cut, cut.length - 1);
		strbuf_add_string(&cut, "... and more: name a server");
		text = strbuf_ok(&cut) ? cut.data : "there is no memory";
	}
	texts = slack_elements(text);
	say_answer(d, texts ? say_words(words, TAKE(texts)) : NULL);
}

/* --- words --- */

static void say_help(const struct delivery *d, const char *rest)
{
	(void)rest;
	tell(d, "I carry out calls that a person has approved.", help);
}

static void add_tools(struct strbuf *sb, const json_t *server)
{
	const char *name = json_get_string(server, "name");
	size_t i;
	json_t *tool;

	strbuf_add_format(sb, "%s: %s\n", name ? name : "?",
			  json_is_true(json_object_get(server, "up")) ? "up" : "DOWN");
	json_array_foreach(json_object_get(server, "tools"), i, tool)
	{
		const char *title = json_get_string(tool, "title");

		strbuf_add_string(sb, "  ");
		slack_text_words(sb, json_get_string(tool, "name"), LINE_UNITS);
		strbuf_add_format(sb, "  [%s]", json_get_string(tool, "risk"));
		if (title) {
			strbuf_add_string(sb, "  ");
			slack_text_words(sb, title, LINE_UNITS);
		}
		strbuf_add_char(sb, '\n');
	}
}

static void say_tools(const struct delivery *d, const char *server)
{
	struct error err = ERROR_INIT;
	json_auto_t *servers = tools_servers(d->front, *server ? server : NULL, &err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;
	json_t *one;

	if (!servers) {
		(void)tools_suggest(d->front, server, true, &err);
		fail(d, &err);
		return;
	}
	json_array_foreach(servers, i, one)
	{
		add_tools(&text, one);
	}
	tell(d, "Tools", text.length && strbuf_ok(&text) ? text.data : "there are none");
}

/* The page about a tool as a message, where there is no trigger for a modal. */
static void say_docs_here(const struct delivery *d, json_t *view)
{
	json_auto_t *owned = view;
	json_t *blocks = json_object_get(owned, "blocks");

	if (json_array_size(blocks) > SLACK_MESSAGE_BLOCKS_MAX)
		say_answer(d, say_words("That is too much for a message: ask with the "
					"command, as in /wingman docs TOOL.",
					NULL));
	else
		say_answer(d, slack_message("About a tool", json_incref(blocks)));
}

static void say_docs(const struct delivery *d, const char *name)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = tools_find(d->front, name, &err);
	json_auto_t *view = tool ? slack_docs_view(tool, &err) : NULL;
	char id[INBOUND_ID_BYTES];

	if (!view) {
		fail(d, &err);
		return;
	}
	if (!d->in.trigger[0])
		say_docs_here(d, TAKE(view));
	else if (!say_view(d, false, TAKE(view), id, &err))
		fail(d, &err);
}

/* Where there is no trigger for a modal, a button brings one. */
static void offer_form(const struct delivery *d, const char *name)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = tools_find(d->front, name, &err);
	json_auto_t *names = NULL;
	json_auto_t *blocks = NULL;
	const struct slack_button button = { .action = SLACK_HOME_RUN,
					     .words = "Fill in the form",
					     .value = name };

	if (!tool) {
		fail(d, &err);
		return;
	}
	names = json_pack("[s]", name);
	blocks = names ? json_pack("[o, o]", slack_section("Run this tool?", names),
				   slack_actions(&button, 1))
		       : NULL;
	say_answer(d, blocks ? slack_message("Run a tool", TAKE(blocks)) : NULL);
}

static void run(const struct delivery *d, const char *name)
{
	if (d->in.trigger[0])
		form_open(d, name);
	else
		offer_form(d, name);
}

static void say_approvals(const struct delivery *d, const char *rest)
{
	struct error err = ERROR_INIT;
	json_auto_t *rows = approvals_waiting(d->front, d->principal, d->in.user, &err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;
	json_t *row;

	(void)rest;
	if (!rows) {
		fail(d, &err);
		return;
	}
	json_array_foreach(rows, i, row)
	{
		char until[CLOCK_TEXT_BYTES];

		strbuf_add_format(&text, "%s  ", json_get_string(row, "approval"));
		strbuf_add_format(&text, "%s.%s  asked by ",
				  json_get_string(row, "server"),
				  json_get_string(row, "tool"));
		slack_text_words(&text, json_get_string(row, "requester"), LINE_UNITS);
		strbuf_add_format(&text, ", expires %s\n",
				  clock_relative(json_get_int64(row, "expires_ms", 0),
						 clock_wall_ms(), until));
	}
	tell(d, "What waits, for you to decide or asked by you",
	     text.length && strbuf_ok(&text) ? text.data : "nothing");
}

static void say_status(const struct delivery *d, const char *rest)
{
	struct error err = ERROR_INIT;
	json_auto_t *status = gate_ask(d->front->gate, MSG_STATUS, NULL, NULL, &err);
	json_auto_t *servers = status ? tools_servers(d->front, NULL, &err) : NULL;
	const json_t *audit = json_object_get(status, "audit");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;
	json_t *one;

	(void)rest;
	if (!servers) {
		fail(d, &err);
		return;
	}
	strbuf_add_format(&text,
			  "gate       up for %lld s, its log %s\n"
			  "approvals  %lld wait, %lld approved, %lld run\n"
			  "messages   %zu wait to be sent\n",
			  (long long)json_get_int64(status, "uptime_s", 0),
			  json_is_true(json_object_get(audit, "sound")) ? "is sound"
									: "IS NOT SOUND",
			  (long long)json_get_int64(status, "pending", 0),
			  (long long)json_get_int64(status, "approved", 0),
			  (long long)json_get_int64(status, "executing", 0),
			  outbox_waiting(d->front->outbox));
	json_array_foreach(servers, i, one)
	{
		const bool is_pinned = json_is_true(json_object_get(one, "pinned"));

		strbuf_add_format(
			&text, "%-10s %s%s\n", json_get_string(one, "name"),
			json_is_true(json_object_get(one, "up")) ? "up" : "DOWN",
			is_pinned ? "" : ", and not what was pinned: wingman pin");
	}
	tell(d, "Status", strbuf_ok(&text) ? text.data : "there is no memory");
}

static void forget(const struct delivery *d, const char *rest)
{
	struct error err = ERROR_INIT;
	char words[160];
	size_t count = 0;

	(void)rest;
	if (!d->front->talks) {
		say_answer(d, say_words("I keep nothing of what is said: there is no "
					"assistant here.",
					NULL));
		return;
	}
	if (!talks_forget(d->front->talks, d, &count, &err)) {
		fail(d, &err);
		return;
	}
	(void)snprintf(words, sizeof words,
		       "Forgotten: what was said to me in %s. What waits for a decision, "
		       "and the audit log, stay.",
		       d->in.thread_ts[0] ? "this thread"
		       : count == 1       ? "one conversation of this channel"
					  : "the conversations of this channel");
	say_answer(d, say_words(words, NULL));
}

/* --- which --- */

static const struct {
	const char *word;
	bool wants_more;
	void (*fn)(const struct delivery *d, const char *rest);
} words[] = {
	{ "help", false, say_help },
	{ "tools", false, say_tools },
	{ "docs", true, say_docs },
	{ "run", true, run },
	{ "approvals", false, say_approvals },
	{ "status", false, say_status },
	{ "forget", false, forget },
};

/* The next word; '*at' goes behind it. "" at the end, and for one that is too long. */
static void next_word(const char **at, char ret[static WORD_MAX])
{
	size_t length;

	*at += strspn(*at, " \t\n");
	length = strcspn(*at, " \t\n");
	(void)snprintf(ret, WORD_MAX, "%.*s", length < WORD_MAX ? (int)length : 0, *at);
	*at += length;
}

static void say_not_understood(const struct delivery *d, const char *word)
{
	struct near n = NEAR_OF(word);
	char said[2 * WORD_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) == 0) {
			(void)snprintf(said, sizeof said,
				       "Say which tool, as in '%s "
				       "accounts.block_account'. These words I know:",
				       words[i].word);
			tell(d, said, help);
			return;
		}
		near_try(&n, words[i].word);
	}
	if (near_best(&n))
		(void)snprintf(
			said, sizeof said,
			"I did not understand that: did you mean '%s'? These words "
			"I know:",
			near_best(&n));
	else
		(void)snprintf(said, sizeof said,
			       "I did not understand that. These words I know:");
	tell(d, said, help);
}

void command_handle(const struct delivery *d)
{
	const char *at = d->in.text;
	char word[WORD_MAX], rest[WORD_MAX];
	bool is_alone;

	next_word(&at, word);
	next_word(&at, rest);
	/* "help me with ..." is for the assistant, "help" is not. */
	is_alone = at[strspn(at, " \t\n")] == '\0';
	if (!*word && !d->in.too_long) {
		say_help(d, rest);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) != 0)
			continue;
		if ((words[i].wants_more && !*rest) ||
		    (d->front->talks && d->in.kind != INBOUND_COMMAND && !is_alone))
			break;
		words[i].fn(d, rest);
		return;
	}
	if (d->front->talks && d->in.kind != INBOUND_COMMAND && !d->in.too_long)
		talks_said(d->front->talks, d);
	else
		say_not_understood(d, word);
}
