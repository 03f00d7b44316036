#include "slack/render/prompt.h"

#include "base/canonical.h"
#include "show/sheet.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/text/text.h"

enum {
	RESERVED = 600, /* characters for the header, the words below and the buttons */
	VALUE_BYTES = 160,
	MESSAGE_TEXT_MAX = SLACK_MESSAGE_CHARACTERS_MAX - RESERVED,
};

static const char sure[] = "This is destructive. It runs at once, and as it was shown.";

struct drawing {
	const json_t *prompt;
	json_t *sheet, *pages;
	char value[VALUE_BYTES]; /* of the buttons: approval and digest */
	char digest[DIGEST_HEX_BYTES];
};

static void drawing_done(struct drawing *d)
{
	json_decref(d->sheet);
	json_decref(d->pages);
}

static bool draw(struct drawing *d, const struct sheet_view *view, struct error *err)
{
	const char *approval = json_get_string(d->prompt, "approval");
	int length;

	d->sheet = sheet_build(d->prompt, view, err);
	if (!d->sheet || !canonical_digest(d->prompt, d->digest, err))
		return false;
	if (!slack_text_is_plain(approval))
		return error_set(err, ERR_INTERNAL, "the approval's id is none");
	length = snprintf(d->value, sizeof d->value, "%s %s", approval, d->digest);
	if (length < 0 || (size_t)length >= sizeof d->value)
		return error_set(err, ERR_INTERNAL, "the approval's id is too long");
	d->pages = slack_pages(d->sheet, MESSAGE_TEXT_MAX, err);
	return d->pages != NULL;
}

/* Our words, and names that are plain: people read it on locked screens. */
static void fallback(struct strbuf *sb, const json_t *prompt, const char *what)
{
	const char *server = json_get_string(prompt, "server");
	const char *tool = json_get_string(prompt, "tool");
	size_t calls = json_array_size(json_object_get(prompt, "calls"));

	strbuf_add_string(sb, what);
	if (calls > 0)
		strbuf_add_format(sb, ": %zu calls in one decision", calls);
	if (server && tool && slack_text_is_plain(server) && slack_text_is_plain(tool))
		strbuf_add_format(sb, ": %s on %s", tool, server);
}

/* --- pieces --- */

/* False, 'blocks' untouched in what matters: no memory. Steals 'block'. */
static bool add(json_t *blocks, json_t *block)
{
	return json_array_append_new(blocks, block) == 0;
}

static bool add_end(json_t *blocks, const struct drawing *d, const char *words)
{
	char text[200];

	(void)snprintf(text, sizeof text, "%.*s is the digest of all of it. %s",
		       SHEET_DIGEST_SHOWN, d->digest, words);
	return add(blocks, slack_words(text));
}

/* The call, or one of several. */
static bool is_destructive(const json_t *prompt)
{
	const char *risk = json_get_string(prompt, "risk");
	size_t i;
	json_t *call;

	json_array_foreach(json_object_get(prompt, "calls"), i, call)
	{
		if (is_destructive(json_object_get(call, "prompt")))
			return true;
	}
	return risk && strcmp(risk, "destructive") == 0;
}

static struct slack_button approve_button(const struct drawing *d)
{
	return (struct slack_button){ .action = SLACK_ACTION_APPROVE,
				      .words = "Approve",
				      .value = d->value,
				      .style = "primary",
				      .confirm_words = is_destructive(d->prompt) ? sure
										 : NULL };
}

static struct slack_button deny_button(const struct drawing *d)
{
	return (struct slack_button){ .action = SLACK_ACTION_DENY,
				      .words = "Deny",
				      .value = d->value,
				      .style = "danger" };
}

static struct slack_button why_button(const struct drawing *d)
{
	return (struct slack_button){ .action = SLACK_ACTION_WHY,
				      .words = "Deny, say why",
				      .value = d->value };
}

static bool is_whole(const struct drawing *d)
{
	return json_is_true(json_object_get(d->sheet, "whole"));
}

/* The first section alone: what it is about, where all of it does not fit. */
static json_t *first_section(const struct drawing *d)
{
	json_auto_t *first =
		json_pack("{s:[O]}", "sections",
			  json_array_get(json_object_get(d->sheet, "sections"), 0));
	struct error ignored = ERROR_INIT;
	json_auto_t *pages = first ? slack_pages(first, MESSAGE_TEXT_MAX, &ignored)
				   : NULL;

	return json_array_size(pages) == 1 ? json_incref(json_array_get(pages, 0))
					   : json_array();
}

/* What of it a message shows: everything that fits into one, or what it is about. */
static json_t *message_body(const struct drawing *d)
{
	return json_array_size(d->pages) == 1
		       ? json_deep_copy(json_array_get(d->pages, 0))
		       : first_section(d);
}

/* Steals 'blocks'. */
static json_t *whole_message(const struct strbuf *text, json_t *blocks, struct error *err)
{
	json_t *message = slack_message(text->data, blocks);

	if (!message)
		error_oom(err);
	return message;
}

/* --- the message --- */

/* Of what an approver reads, who is shown everything. */
static bool count_pages(const json_t *prompt, int64_t now_ms, size_t *ret,
			struct error *err)
{
	const struct sheet_view view = { .now_ms = now_ms, .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };

	if (!draw(&d, &view, err))
		return false;
	*ret = json_array_size(d.pages);
	return true;
}

static bool add_buttons(json_t *blocks, const struct drawing *d, bool approvable)
{
	char review[VALUE_BYTES + 8];
	struct slack_button buttons[3];

	(void)snprintf(review, sizeof review, "%s 1", d->value);
	buttons[0] = approvable ? approve_button(d)
				: (struct slack_button){ .action = SLACK_ACTION_REVIEW,
							 .words = "Review",
							 .value = review };
	buttons[1] = deny_button(d);
	buttons[2] = why_button(d);
	return add(blocks, slack_actions(buttons, ARRAY_SIZE(buttons)));
}

json_t *slack_prompt_message(const json_t *prompt, const struct slack_prompt_view *view,
			     struct error *err)
{
	const struct sheet_view of = { .now_ms = view->now_ms,
				       .others_read_along = view->others_read_along,
				       .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *blocks = json_array();
	json_auto_t *body = NULL;
	char words[120] = "";
	size_t pages = 0;
	bool approvable;

	if (!draw(&d, &of, err) || !count_pages(prompt, view->now_ms, &pages, err))
		return NULL;
	approvable = is_whole(&d) && json_array_size(d.pages) == 1;
	if (!approvable)
		(void)snprintf(words, sizeof words,
			       "It is not all here: Review shows it, page 1 to %zu; the "
			       "last can approve.",
			       pages);
	fallback(&text, prompt, "Approval needed");
	body = message_body(&d);
	if (!blocks || !body ||
	    !add(blocks, slack_header(json_get_string(d.sheet, "question"))) ||
	    json_array_extend(blocks, body) != 0 || !add_end(blocks, &d, words) ||
	    !add_buttons(blocks, &d, approvable) || !strbuf_ok(&text)) {
		error_oom(err);
		return NULL;
	}
	if (json_array_size(blocks) > SLACK_MESSAGE_BLOCKS_MAX ||
	    slack_characters(blocks) > SLACK_MESSAGE_CHARACTERS_MAX) {
		error_set(err, ERR_INTERNAL, "the prompt does not fit where it should");
		return NULL;
	}
	return whole_message(&text, TAKE(blocks), err);
}

/* --- the review --- */

static bool add_page_buttons(json_t *blocks, const struct drawing *d, size_t page)
{
	size_t pages = json_array_size(d->pages), count = 0;
	char back[VALUE_BYTES + 24], next[VALUE_BYTES + 24];
	struct slack_button buttons[4];

	(void)snprintf(back, sizeof back, "%s %zu", d->value, page - 1);
	(void)snprintf(next, sizeof next, "%s %zu", d->value, page + 1);
	if (page > 1)
		buttons[count++] = (struct slack_button){ .action = SLACK_ACTION_BACK,
							  .words = "Back",
							  .value = back };
	if (page < pages)
		buttons[count++] = (struct slack_button){ .action = SLACK_ACTION_NEXT,
							  .words = "Next page",
							  .value = next };
	else
		buttons[count++] = approve_button(d);
	buttons[count++] = deny_button(d);
	buttons[count++] = why_button(d);
	return add(blocks, slack_actions(buttons, count));
}

static json_t *view_of(const struct drawing *d, size_t page, json_t *blocks)
{
	char metadata[VALUE_BYTES + 24];

	(void)snprintf(metadata, sizeof metadata, "%s %zu", d->value, page);
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:O}", "type", "modal", "title",
			 slack_plain("Review the call"), "close", slack_plain("Close"),
			 "callback_id", "wingman.review", "private_metadata", metadata,
			 "blocks", blocks);
}

/* A view is JSON of at most so many bytes, however it is escaped on its way. */
static bool check_view(const json_t *view, struct error *err)
{
	const json_t *blocks = json_object_get(view, "blocks");
	size_t bytes = json_dumpb(view, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (bytes == 0)
		return error_oom(err);
	if (bytes > SLACK_VIEW_BYTES_MAX ||
	    json_array_size(blocks) > SLACK_VIEW_BLOCKS_MAX ||
	    slack_characters(blocks) > SLACK_VIEW_CHARACTERS_MAX)
		return error_set(err, ERR_INTERNAL,
				 "a page does not fit where it should");
	return true;
}

json_t *slack_prompt_page(const json_t *prompt, int64_t now_ms, size_t page,
			  size_t *ret_pages, struct error *err)
{
	const struct sheet_view of = { .now_ms = now_ms, .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };
	json_auto_t *blocks = NULL;
	json_auto_t *view = NULL;
	char words[64];

	if (!draw(&d, &of, err))
		return NULL;
	if (page < 1 || page > json_array_size(d.pages)) {
		error_set(err, ERR_NOT_FOUND, "there is no page %zu", page);
		return NULL;
	}
	blocks = json_array();
	(void)snprintf(words, sizeof words, "Page %zu of %zu.", page,
		       json_array_size(d.pages));
	if (!blocks || !add(blocks, slack_header(json_get_string(d.sheet, "question"))) ||
	    json_array_extend(blocks, json_array_get(d.pages, page - 1)) != 0 ||
	    !add_end(blocks, &d, words) || !add_page_buttons(blocks, &d, page) ||
	    !(view = view_of(&d, page, blocks))) {
		error_oom(err);
		return NULL;
	}
	if (!check_view(view, err))
		return NULL;
	*ret_pages = json_array_size(d.pages);
	return TAKE(view);
}

/* --- what a no is told with, and what is taken back --- */

/* Characters of at most four bytes: what slack/verify takes. */
enum { REASON_CHARACTERS_MAX = 500 };

json_t *slack_prompt_why(const json_t *prompt, struct error *err)
{
	const struct sheet_view of = { .now_ms = 0, .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };
	json_t *input, *view;

	if (!draw(&d, &of, err))
		return NULL;
	input = json_pack("{s:s, s:s, s:b, s:o, s:{s:s, s:s, s:b, s:i}}", "type", "input",
			  "block_id", "why", "optional", 1, "label",
			  slack_plain("Why not?"), "element", "type", "plain_text_input",
			  "action_id", "why", "multiline", 1, "max_length",
			  REASON_CHARACTERS_MAX);
	view = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:[o]}", "type", "modal",
			 "title", slack_plain("Deny the call"), "submit",
			 slack_plain("Deny"), "close", slack_plain("Close"),
			 "callback_id", SLACK_ACTION_WHY, "private_metadata", d.value,
			 "blocks", input);
	if (!view)
		error_oom(err);
	return view;
}

json_t *slack_prompt_stop(const json_t *prompt, bool cancel, bool revoke,
			  struct error *err)
{
	const struct sheet_view of = { .now_ms = 0, .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };
	struct slack_button buttons[2];
	size_t count = 0;
	json_t *block;

	if (!draw(&d, &of, err))
		return NULL;
	if (cancel)
		buttons[count++] = (struct slack_button){ .action = SLACK_ACTION_CANCEL,
							  .words = "Cancel my request",
							  .value = d.value };
	if (revoke)
		buttons[count++] = (struct slack_button){ .action = SLACK_ACTION_REVOKE,
							  .words = "Revoke the approval",
							  .value = d.value };
	block = slack_actions(buttons, count);
	if (!block)
		error_oom(err);
	return block;
}

/* --- the end --- */

struct after {
	const char *title, *heading, *fallback;
	json_t *buttons; /* borrowed; NULL: none */
};

static json_t *draw_after(const json_t *prompt, const struct slack_prompt_view *view,
			  const struct after *a, const char *how, struct error *err)
{
	const struct sheet_view of = { .now_ms = view->now_ms,
				       .others_read_along = view->others_read_along,
				       .stands = true };
	_cleanup_(drawing_done) struct drawing d = { .prompt = prompt };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *blocks = json_array();
	json_auto_t *end = slack_elements(how);
	json_auto_t *body = NULL;

	if (!draw(&d, &of, err))
		return NULL;
	fallback(&text, prompt, a->fallback);
	/* What somebody gave as a reason may be long: then there is less of the rest. */
	body = slack_characters(json_array_get(d.pages, 0)) + strlen(how) * 2 >
			       MESSAGE_TEXT_MAX
		       ? first_section(&d)
		       : message_body(&d);
	if (!blocks || !end || !body || !add(blocks, slack_header(a->title)) ||
	    !add(blocks, slack_section(a->heading, end)) ||
	    json_array_extend(blocks, body) != 0 || !add_end(blocks, &d, "") ||
	    (a->buttons && json_array_append(blocks, a->buttons) != 0) ||
	    !strbuf_ok(&text)) {
		error_oom(err);
		return NULL;
	}
	if (slack_characters(blocks) > SLACK_MESSAGE_CHARACTERS_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "how it ended is too long to be told");
		return NULL;
	}
	return whole_message(&text, TAKE(blocks), err);
}

json_t *slack_prompt_ended(const json_t *prompt, const struct slack_prompt_view *view,
			   const char *how, struct error *err)
{
	const struct after after = { "This is over", "How it ended", "Over", NULL };

	return draw_after(prompt, view, &after, how, err);
}

json_t *slack_prompt_running(const json_t *prompt, const struct slack_prompt_view *view,
			     const char *how, bool may_stop, struct error *err)
{
	json_auto_t *stop = may_stop ? slack_prompt_stop(prompt, true, true, err) : NULL;
	const struct after after = { "This was decided", "What became of it so far",
				     "Decided", stop };

	if (may_stop && !stop)
		return NULL;
	return draw_after(prompt, view, &after, how, err);
}

/* --- words --- */

static const char *heading_of(const char *by)
{
	return strcmp(by, "assistant") == 0 ? "Written by the assistant"
	       : strcmp(by, "server") == 0  ? "Written by the server"
					    : "Written by the requester";
}

static bool add_message(json_t *messages, const char *heading, json_t *texts)
{
	json_auto_t *blocks = json_pack("[o]", slack_section(heading, texts));

	(void)json_array_clear(texts);
	return blocks &&
	       json_array_append_new(messages, slack_message(heading, TAKE(blocks))) == 0;
}

json_t *slack_words_of(const char *by, const char *text, struct error *err)
{
	const char *heading = heading_of(by);
	json_auto_t *messages = json_array();
	json_auto_t *elements = slack_elements(text);
	json_auto_t *texts = json_array();
	size_t used = 0, i;
	json_t *element;
	bool ok = messages && elements && texts;

	json_array_foreach(elements, i, element)
	{
		size_t units = slack_text_units(json_string_value(element),
						json_string_length(element));

		if (used > 0 && used + units > MESSAGE_TEXT_MAX) {
			ok = ok && add_message(messages, heading, texts);
			used = 0;
		}
		used += units;
		ok = ok && json_array_append(texts, element) == 0;
	}
	if (!ok || !add_message(messages, heading, texts)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(messages);
}

bool slack_can_approve(const json_t *blocks)
{
	size_t i;
	json_t *member;
	const char *action = json_get_string(blocks, "action_id");

	if (action && strcmp(action, SLACK_ACTION_APPROVE) == 0)
		return true;
	json_array_foreach(json_object_get(blocks, "elements"), i, member)
	{
		if (slack_can_approve(member))
			return true;
	}
	json_array_foreach(blocks, i, member)
	{
		if (slack_can_approve(member))
			return true;
	}
	return false;
}
