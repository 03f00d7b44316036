/* The tools that somebody looks for, as options of a menu. */
#include "slack/home/home.h"

#include "slack/home/view.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum { OPTION_UNITS = 75 };

static bool holds(const char *text, const char *typed)
{
	return text && strcasestr(text, typed);
}

static bool add_option(json_t *options, const char *server, const json_t *tool,
		       const char *typed, struct error *err)
{
	const char *title = json_get_string(tool, "title");
	char name[VIEW_NAME_BYTES];
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
	json_t *option;

	if (!view_full_name(server, json_get_string(tool, "name"), name) ||
	    (!holds(name, typed) && !holds(title, typed)))
		return true;
	slack_text_words(&words, name, OPTION_UNITS);
	option = json_pack("{s:o, s:s}", "text", slack_plain(words.data), "value", name);
	return (strbuf_ok(&words) && json_array_append_new(options, option) == 0) ||
	       error_oom(err);
}

json_t *slack_home_options(const json_t *home, const char *typed, struct error *err)
{
	json_auto_t *options = json_array();
	size_t i, j;
	json_t *server, *tool;

	json_array_foreach(json_object_get(home, "servers"), i, server)
	{
		json_array_foreach(json_object_get(server, "tools"), j, tool)
		{
			if (options && json_array_size(options) < SLACK_OPTIONS_MAX &&
			    !add_option(options, json_get_string(server, "name"), tool,
					typed, err))
				return NULL;
		}
	}
	if (!options) {
		error_oom(err);
		return NULL;
	}
	return json_pack("{s:O}", "options", options);
}
