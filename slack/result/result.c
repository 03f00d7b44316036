#include "slack/result/result.h"

#include "base/text.h"
#include "slack/render/blocks.h"
#include "slack/result/private.h"
#include "slack/text/text.h"

enum { VALUE_BYTES = 100, RESERVED = 200, FALLBACK_BYTES = 240 };

static const char unverified[] =
	"The server could not read back what it claims: look before you rely on it.";

/* --- pieces --- */

static void add_one(struct result_draw *d, const json_t *record)
{
	const json_t *outcome = json_object_get(record, "outcome");
	const json_t *result = json_object_get(record, "result");

	result_heading(d, record);
	if (result)
		result_content(d, result);
	if (!result || !json_is_true(json_object_get(result, "isError")))
		result_error(d, json_object_get(outcome, "error"));
	if (json_is_false(json_object_get(outcome, "verified")))
		result_line(d, unverified, RICH_BOLD);
}

struct gathered {
	json_t *pieces;
	size_t hidden;
	bool cut;
};

static void gathered_done(struct gathered *g)
{
	json_decref(g->pieces);
}

static bool gather(const json_t *record, const struct slack_result_view *view,
		   bool tables, struct gathered *ret, struct error *err)
{
	json_auto_t *clean = result_clean(record, err);
	json_auto_t *pieces = json_array();
	struct result_draw d = { .view = view,
				 .pieces = pieces,
				 .tables = tables,
				 .budget = RESULT_BYTES_MAX };
	size_t i;
	json_t *part;

	if (!clean)
		return false;
	if (pieces) {
		add_one(&d, clean);
		json_array_foreach(json_object_get(clean, "parts"), i, part)
		{
			add_one(&d, part);
		}
	}
	if (!pieces || d.failed)
		return error_oom(err);
	*ret = (struct gathered){ TAKE(pieces), d.hidden, d.cut };
	return true;
}

/* --- pages --- */

/* The blocks of each, as many as there may be; '*ret_whole': they show all of it. NULL: no
 * memory. */
static json_t *pages_of(const json_t *record, const struct slack_result_view *view,
			bool *ret_whole, struct error *err)
{
	struct rich_pack pack = { .text = "Result",
				  .messages_max = SLACK_RESULT_PAGES_MAX,
				  .reserve_units = RESERVED };
	_cleanup_(gathered_done) struct gathered g = { 0 };
	json_auto_t *messages = NULL;
	json_auto_t *pages = json_array();
	bool is_cut = false;
	size_t i;
	json_t *message;

	if (!gather(record, view, false, &g, err))
		return NULL;
	pack.hidden = g.hidden;
	messages = rich_messages(g.pieces, &pack, &is_cut, err);
	if (!messages)
		return NULL;
	json_array_foreach(messages, i, message)
	{
		if (!pages ||
		    json_array_append(pages, json_object_get(message, "blocks")) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	*ret_whole = !g.cut && !is_cut;
	return TAKE(pages);
}

static const char *id_of(const json_t *record, const struct slack_result_view *view)
{
	const char *id = view->id ? view->id : json_get_string(record, "id");

	return id && slack_text_is_plain(id) ? id : NULL;
}

static json_t *page_buttons(const char *id, size_t page, size_t pages)
{
	char back[VALUE_BYTES], next[VALUE_BYTES];
	struct slack_button buttons[2];
	size_t count = 0;

	(void)snprintf(back, sizeof back, "%s %zu", id, page - 1);
	(void)snprintf(next, sizeof next, "%s %zu", id, page + 1);
	if (page > 1)
		buttons[count++] = (struct slack_button){ .action = SLACK_RESULT_BACK,
							  .words = "Back",
							  .value = back };
	if (page < pages)
		buttons[count++] = (struct slack_button){ .action = SLACK_RESULT_NEXT,
							  .words = "Next page",
							  .value = next };
	return slack_actions(buttons, count);
}

json_t *slack_result_page(const json_t *record, const struct slack_result_view *view,
			  size_t page, size_t *ret_pages, struct error *err)
{
	bool is_whole;
	json_auto_t *pages = pages_of(record, view, &is_whole, err);
	const char *id = id_of(record, view);
	char words[64], metadata[VALUE_BYTES];
	json_t *blocks, *modal;

	if (!pages)
		return NULL;
	if (!id || page < 1 || page > json_array_size(pages)) {
		error_set(err, ERR_NOT_FOUND, "there is no page %zu", page);
		return NULL;
	}
	blocks = json_array_get(pages, page - 1);
	(void)snprintf(words, sizeof words, "Page %zu of %zu.", page,
		       json_array_size(pages));
	(void)snprintf(metadata, sizeof metadata, "%s %zu", id, page);
	if (json_array_append_new(blocks, slack_words(words)) != 0 ||
	    (json_array_size(pages) > 1 &&
	     json_array_append_new(
		     blocks, page_buttons(id, page, json_array_size(pages))) != 0)) {
		error_oom(err);
		return NULL;
	}
	modal = json_pack("{s:s, s:o, s:o, s:s, s:s, s:O}", "type", "modal", "title",
			  slack_plain("Result"), "close", slack_plain("Close"),
			  "callback_id", "wingman.result", "private_metadata", metadata,
			  "blocks", blocks);
	if (!modal)
		error_oom(err);
	else
		*ret_pages = json_array_size(pages);
	return modal;
}

bool slack_result_read_value(const char *value, char *ret_id, size_t id_bytes,
			     size_t *ret_page)
{
	const char *space = value ? strchr(value, ' ') : NULL;
	const size_t length = space ? (size_t)(space - value) : 0;
	size_t page = 0;

	if (length == 0 || length >= id_bytes || strlen(space + 1) == 0 ||
	    strlen(space + 1) > 4)
		return false;
	for (const char *s = space + 1; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		page = page * 10 + (size_t)(*s - '0');
	}
	memcpy(ret_id, value, length);
	ret_id[length] = '\0';
	*ret_page = page;
	return page > 0 && slack_text_is_plain(ret_id);
}

/* --- messages --- */

/* Our words, and names that are plain: people read it on locked screens. */
static void fallback(char text[static FALLBACK_BYTES], const json_t *record)
{
	const char *words = result_state_words(json_get_string(record, "state"));
	const char *server = json_get_string(record, "server");
	const char *tool = json_get_string(record, "tool");

	if (server && tool && slack_text_is_plain(server) && slack_text_is_plain(tool))
		(void)snprintf(text, FALLBACK_BYTES, "%s: %s on %s", words, tool, server);
	else
		(void)snprintf(text, FALLBACK_BYTES, "%s", words);
}

static json_t *last_blocks(json_t *messages)
{
	const size_t last = json_array_size(messages) - 1;

	return json_object_get(json_array_get(messages, last), "blocks");
}

static bool add_button(json_t *messages, const char *id, struct error *err)
{
	json_t *blocks = last_blocks(messages);
	char value[VALUE_BYTES];
	const struct slack_button show = { .action = SLACK_RESULT_SHOW,
					   .words = "Show all",
					   .value = value };

	(void)snprintf(value, sizeof value, "%s 1", id);
	return json_array_append_new(blocks, slack_actions(&show, 1)) == 0 ||
	       error_oom(err);
}

/* How all of it is to be had. */
static bool find_rest(const json_t *record, const struct slack_result_view *view,
		      struct slack_result *r, struct error *err)
{
	bool is_whole = false;
	json_auto_t *pages = pages_of(record, view, &is_whole, err);
	const char *id = id_of(record, view);

	if (!pages)
		return false;
	if (!id || !is_whole) {
		r->as_file = true;
		return json_array_append_new(
			       last_blocks(r->messages),
			       slack_words("It is too long for pages: all of it is sent "
					   "as a file.")) == 0 ||
		       error_oom(err);
	}
	r->pages = json_array_size(pages);
	return add_button(r->messages, id, err);
}

json_t *slack_result_no_file(const json_t *record, struct error *err)
{
	const struct slack_result_view view = { .id = NULL };
	const char *id = id_of(record, &view);
	json_auto_t *blocks = json_pack(
		"[o]", slack_words("The file could not be sent. As much of it as pages "
				   "hold can be read here."));
	json_t *message = NULL;
	char value[VALUE_BYTES];
	const struct slack_button show = { .action = SLACK_RESULT_SHOW,
					   .words = "Show pages",
					   .value = value };

	(void)snprintf(value, sizeof value, "%s 1", id ? id : "");
	if (blocks &&
	    (!id || json_array_append_new(blocks, slack_actions(&show, 1)) == 0))
		message = slack_message("The file could not be sent", TAKE(blocks));
	if (!message)
		error_oom(err);
	return message;
}

bool slack_result_draw(const json_t *record, const struct slack_result_view *view,
		       struct slack_result *ret, struct error *err)
{
	_cleanup_(gathered_done) struct gathered g = { 0 };
	_cleanup_(slack_result_done) struct slack_result made = { 0 };
	char text[FALLBACK_BYTES];
	struct rich_pack pack = { .text = text,
				  .messages_max = SLACK_RESULT_MESSAGES_MAX,
				  .reserve_units = RESERVED };
	bool is_cut = false;

	if (!gather(record, view, true, &g, err))
		return false;
	fallback(text, record);
	pack.hidden = g.hidden;
	made.messages = rich_messages(g.pieces, &pack, &is_cut, err);
	if (!made.messages)
		return false;
	if ((g.cut || is_cut) && !find_rest(record, view, &made, err))
		return false;
	*ret = made;
	made = (struct slack_result){ 0 };
	return true;
}

void slack_result_done(struct slack_result *r)
{
	json_decref(r->messages);
	*r = (struct slack_result){ 0 };
}

/* --- while it runs --- */

json_t *slack_result_progress(const char *server, const char *tool, int64_t ran_ms,
			      struct error *err)
{
	const bool named = slack_text_is_plain(server) && slack_text_is_plain(tool);
	const int64_t seconds = ran_ms > 0 ? ran_ms / 1000 : 0;
	const char *still = ran_ms >= SLACK_RESULT_STILL_MS ? "still " : "";
	char words[FALLBACK_BYTES], name[160] = "The call";
	json_t *message;

	if (named)
		(void)snprintf(name, sizeof name, "%s.%s", server, tool);
	if (seconds < 120)
		(void)snprintf(words, sizeof words, "%s is %srunning, for %lld s.", name,
			       still, (long long)seconds);
	else
		(void)snprintf(words, sizeof words, "%s is %srunning, for %lld minutes.",
			       name, still, (long long)(seconds / 60));
	message = slack_message(words, json_pack("[o]", slack_words(words)));
	if (!message)
		error_oom(err);
	return message;
}
