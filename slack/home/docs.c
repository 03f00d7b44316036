/* A tool told in full. */
#include "slack/home/home.h"

#include "show/field.h"
#include "slack/home/view.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum {
	NAME_UNITS = 140,
	DESCRIPTION_UNITS = 2400,
	LINE_UNITS = 400,
	CHOICES_UNITS = 200,
	ARGUMENTS_UNITS = 2000, /* of one block of them */
	ARGUMENT_BLOCKS_MAX = 20,
};

static void add_choices(struct strbuf *line, const json_t *property)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	const char *title;

	for (size_t i = 0; i < field_choice_count(property); i++) {
		strbuf_add_string(&all, i ? ", " : "");
		if (!json_write(&all, field_choice(property, i, &title), &ignored))
			line->failed = true;
	}
	if (all.length == 0)
		return;
	strbuf_add_string(line, "\n    one of ");
	slack_text_words(line, all.data, CHOICES_UNITS);
}

static const char *type_of(const json_t *property)
{
	static const char *const types[] = { "string",  "integer", "number",
					     "boolean", "array",   "object" };
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!field_allows(property, types[i]))
			continue;
		if (found)
			return "several types";
		found = types[i];
	}
	return found ? found : "any type";
}

static bool is_required(const json_t *schema, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(schema, "required"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

static void add_argument(struct strbuf *line, const json_t *schema, const char *name,
			 const json_t *property)
{
	const json_t *resolved = field_resolve(schema, property);
	const json_t *usual = json_object_get(property, "default");
	const char *help = json_get_string(property, "description");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	slack_text_words(line, name, NAME_UNITS);
	strbuf_add_format(line, "  %s%s", type_of(resolved),
			  is_required(schema, name) ? ", required" : "");
	if (usual && json_write(&text, usual, &ignored)) {
		strbuf_add_string(line, ", default ");
		slack_text_words(line, text.data, CHOICES_UNITS);
	}
	if (!help)
		help = json_get_string(resolved, "description");
	if (help && *help) {
		strbuf_add_string(line, "\n    ");
		slack_text_words(line, help, LINE_UNITS);
	}
	add_choices(line, resolved);
}

static bool add_arguments(json_t *blocks, const json_t *schema, struct error *err)
{
	json_t *properties = json_object_get(schema, "properties");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t left = json_object_size(properties), made = 0;
	const char *name;
	json_t *property;

	if (left == 0)
		return json_array_append_new(blocks,
					     slack_words("It has no arguments.")) == 0 ||
		       error_oom(err);
	json_object_foreach(properties, name, property)
	{
		json_auto_t *texts = NULL;

		strbuf_add_string(&text, text.length ? "\n" : "");
		add_argument(&text, schema, name, property);
		left--;
		if (left > 0 && made + 1 == ARGUMENT_BLOCKS_MAX) {
			strbuf_add_format(&text, "\n... and %zu more", left);
			left = 0;
		}
		if (left > 0 &&
		    slack_text_units(text.data, text.length) < ARGUMENTS_UNITS)
			continue;
		texts = json_pack("[s]", text.data);
		if (!strbuf_ok(&text) || !texts ||
		    json_array_append_new(
			    blocks,
			    slack_section(made ? "Arguments, continued" : "Arguments",
					  texts)) != 0)
			return error_oom(err);
		strbuf_clear(&text);
		if (++made == ARGUMENT_BLOCKS_MAX)
			break;
	}
	return true;
}

static bool add_text(json_t *blocks, const char *heading, const char *text, size_t units,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
	json_auto_t *texts = NULL;

	if (!text || !*text)
		return true;
	slack_text_words(&words, text, units);
	texts = json_pack("[s]", words.data);
	return (strbuf_ok(&words) && texts &&
		json_array_append_new(blocks, slack_section(heading, texts)) == 0) ||
	       error_oom(err);
}

static json_t *wrap(json_t *blocks, struct error *err)
{
	json_auto_t *view = json_pack("{s:s, s:s, s:o, s:o, s:O}", "type", "modal",
				      "callback_id", "wingman.docs", "title",
				      slack_plain("About this tool"), "close",
				      slack_plain("Close"), "blocks", blocks);

	if (!view) {
		error_oom(err);
		return NULL;
	}
	return view_check(view, err) ? TAKE(view) : NULL;
}

json_t *slack_docs_view(const json_t *tool, struct error *err)
{
	const char *name = json_get_string(tool, "name");
	struct slack_button run = { .action = SLACK_HOME_RUN,
				    .words = "Run",
				    .value = name };
	json_auto_t *blocks = json_array();

	if (!name || strlen(name) > SLACK_BUTTON_VALUE_CHARACTERS_MAX) {
		error_set(err, ERR_INTERNAL, "the tool has no name");
		return NULL;
	}
	if (!blocks) {
		error_oom(err);
		return NULL;
	}
	if (!add_text(blocks, "Tool", name, NAME_UNITS, err) ||
	    !add_text(blocks, "Server", json_get_string(tool, "address"), NAME_UNITS,
		      err) ||
	    !add_text(blocks, "Risk", json_get_string(tool, "risk"), NAME_UNITS, err) ||
	    !add_text(blocks, "In short", json_get_string(tool, "title"), LINE_UNITS,
		      err) ||
	    !add_text(blocks, "What it does, in the words of its server",
		      json_get_string(tool, "description"), DESCRIPTION_UNITS, err) ||
	    !add_arguments(blocks, json_object_get(tool, "inputSchema"), err) ||
	    !add_text(blocks, "Digest of its definition", json_get_string(tool, "digest"),
		      NAME_UNITS, err))
		return NULL;
	if (json_array_append_new(blocks, slack_actions(&run, 1)) != 0) {
		error_oom(err);
		return NULL;
	}
	return wrap(blocks, err);
}
