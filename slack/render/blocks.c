#include "slack/render/blocks.h"

#include "slack/text/text.h"

json_t *slack_plain(const char *words)
{
	return json_pack("{s:s, s:s, s:b}", "type", "plain_text", "text", words, "emoji",
			 0);
}

json_t *slack_header(const char *words)
{
	return json_pack("{s:s, s:o}", "type", "header", "text", slack_plain(words));
}

static json_t *element(const char *kind, json_t *text)
{
	return json_pack("{s:s, s:[o]}", "type", kind, "elements", text);
}

json_t *slack_words(const char *words)
{
	return json_pack("{s:s, s:[o]}", "type", "rich_text", "elements",
			 element("rich_text_section",
				 json_pack("{s:s, s:s}", "type", "text", "text", words)));
}

json_t *slack_section(const char *words, const json_t *texts)
{
	json_auto_t *elements =
		json_pack("[o]", element("rich_text_section",
					 json_pack("{s:s, s:s, s:{s:b}}", "type", "text",
						   "text", words, "style", "bold", 1)));
	size_t i;
	json_t *text;

	json_array_foreach(texts, i, text)
	{
		/* An empty text is an error to Slack; there is none in a sheet. */
		if (!elements ||
		    json_array_append_new(elements,
					  element("rich_text_preformatted",
						  json_pack("{s:s, s:O}", "type", "text",
							    "text", text))) != 0)
			return NULL;
	}
	return elements ? json_pack("{s:s, s:O}", "type", "rich_text", "elements",
				    elements)
			: NULL;
}

static json_t *confirm(const char *words)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "title", slack_plain("Are you sure?"),
			 "text", slack_plain(words), "confirm", slack_plain("Approve"),
			 "deny", slack_plain("Go back"));
}

static json_t *button(const struct slack_button *b)
{
	json_auto_t *o = json_pack("{s:s, s:s, s:o, s:s}", "type", "button", "action_id",
				   b->action, "text", slack_plain(b->words), "value",
				   b->value);

	if (!o ||
	    (b->style && json_object_set_new(o, "style", json_string(b->style)) != 0))
		return NULL;
	if (b->confirm_words &&
	    json_object_set_new(o, "confirm", confirm(b->confirm_words)) != 0)
		return NULL;
	return json_incref(o);
}

json_t *slack_actions(const struct slack_button *buttons, size_t count)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (!list || json_array_append_new(list, button(&buttons[i])) != 0)
			return NULL;
	return json_pack("{s:s, s:O}", "type", "actions", "elements", list);
}

json_t *slack_message(const char *text, json_t *blocks)
{
	return json_pack("{s:s, s:o, s:b, s:b, s:s, s:b, s:b}", "text", text, "blocks",
			 blocks, "unfurl_links", 0, "unfurl_media", 0, "parse", "none",
			 "link_names", 0, "mrkdwn", 0);
}

size_t slack_characters(const json_t *blocks)
{
	size_t count = 0, i;
	const json_t *text = json_object_get(blocks, "text");
	json_t *member;

	if (json_is_string(text))
		count += slack_text_units(json_string_value(text),
					  json_string_length(text));
	else
		count += text ? slack_characters(text) : 0;
	json_array_foreach(json_object_get(blocks, "elements"), i, member)
	{
		count += slack_characters(member);
	}
	json_array_foreach(blocks, i, member)
	{
		count += slack_characters(member);
	}
	return count;
}
