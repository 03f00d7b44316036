#include "slack/home/view.h"

#include "slack/render/blocks.h"
#include "slack/text/text.h"

json_t *view_named(json_t *block, const char *id)
{
	if (!block || json_object_set_new(block, "block_id", json_string(id)) == 0)
		return block;
	json_decref(block);
	return NULL;
}

bool view_check(const json_t *view, struct error *err)
{
	const json_t *blocks = json_object_get(view, "blocks");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!json_write(&text, view, err))
		return false;
	if (json_array_size(blocks) > SLACK_VIEW_BLOCKS_MAX ||
	    text.length > SLACK_VIEW_BYTES_MAX)
		return error_set(err, ERR_INTERNAL, "the view is too large for Slack");
	return true;
}

json_t *view_home(json_t *blocks, struct error *err)
{
	json_auto_t *view = json_pack("{s:s, s:s, s:o}", "type", "home", "callback_id",
				      "wingman.home", "blocks", blocks);

	if (!view) {
		error_oom(err);
		return NULL;
	}
	return view_check(view, err) ? TAKE(view) : NULL;
}

bool view_full_name(const char *server, const char *tool,
		    char ret[static VIEW_NAME_BYTES])
{
	if (!server || !tool || !slack_text_is_plain(server) ||
	    !slack_text_is_plain(tool))
		return false;
	(void)snprintf(ret, VIEW_NAME_BYTES, "%s.%s", server, tool);
	return true;
}
