/* An input as blocks. */
#include "slack/form/input_private.h"

#include "show/field.h"
#include "slack/form/form.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum { LABEL_UNITS = 150, KEPT_UNITS = 300, PEOPLE_MAX = 50 };

static bool set(json_t *element, const char *member, json_t *value)
{
	return json_object_set_new(element, member, value) == 0;
}

static bool is_too_long(const struct strbuf *text)
{
	return slack_text_units(text->data, text->length) > SLACK_FORM_TEXT_MAX;
}

/* ---- Blocks ----------------------------------------------------------------------- */

/* Which of an input's blocks this is, and how it differs. */
struct part {
	const char *suffix; /* of the block_id */
	const char *more;   /* behind the label */
	const char *hint;   /* NULL: the input's own */
	bool optional;
};

static json_t *hint_of(const struct input *in, const struct part *p)
{
	return p->hint ? slack_plain(p->hint) : input_hint(in);
}

/* Steals 'element'. */
static bool add_block(const struct input *in, const struct part *p, json_t *element,
		      json_t *blocks, struct error *err)
{
	char id[INPUT_BLOCK_BYTES], whole[INPUT_BLOCK_BYTES * 2];
	json_auto_t *said = hint_of(in, p);
	json_auto_t *block = NULL;

	(void)snprintf(whole, sizeof whole, "%s%s", input_block(in, id), p->suffix);
	block = json_pack("{s:s, s:s, s:o, s:b, s:o}", "type", "input", "block_id", whole,
			  "label", input_label(in, p->more), "optional", (int)p->optional,
			  "element", element);
	if (!block || !said ||
	    (!json_is_null(said) && !set(block, "hint", json_incref(said))) ||
	    json_array_append(blocks, block) != 0)
		return error_oom(err);
	return true;
}

/* ---- What its element cannot show ------------------------------------------------- */

/* What is too long for an input stands there whole enough to be recognised; the prompt
 * shows all of it. */
static bool draw_kept(const struct input *in, const char *text, const char *unread,
		      json_t *blocks, struct error *err)
{
	static const struct part instead = {
		.suffix = INPUT_INSTEAD,
		.more = ", instead",
		.hint = "Left empty, what stands above is taken whole.",
		.optional = true,
	};
	_cleanup_strbuf_ struct strbuf title = STRBUF_INIT, cut = STRBUF_INIT;
	json_auto_t *texts = NULL;

	strbuf_add_format(&title,
			  "Too long to be edited here, kept as it is: %zu "
			  "characters of ",
			  slack_text_units(text, strlen(text)));
	slack_text_words(&title, in->name ? in->name : "more arguments", LABEL_UNITS);
	slack_text_words(&cut, text, KEPT_UNITS);
	texts = json_pack("[s]", cut.data);
	if (!strbuf_ok(&title) || !strbuf_ok(&cut) || !texts ||
	    json_array_append_new(blocks, slack_section(title.data, texts)) != 0)
		return error_oom(err);
	return add_block(in, &instead, input_text_element(unread, true), blocks, err);
}

static bool draw_as_json(const struct input *in, const struct input_draft *draft,
			 json_t *blocks, struct error *err)
{
	const struct part p = {
		.suffix = INPUT_AS_JSON,
		.more = "",
		.hint = "As JSON: its own menu or field cannot show what stands here.",
		.optional = !in->required,
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!json_write(&text, draft->value, err))
		return false;
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (is_too_long(&text))
		return draw_kept(in, text.data, draft->unread, blocks, err);
	return add_block(
		in, &p,
		input_text_element(draft->unread ? draft->unread : text.data, true),
		blocks, err);
}

/* ---- People ----------------------------------------------------------------------- */

/* Members of the workspace out of "<@U1>"; the rest stays to be typed. False: one of them
 * is no text. */
static bool split_people(const json_t *value, json_t *members, json_t *typed)
{
	size_t i = 0, count = json_is_array(value) ? json_array_size(value) : !!value;

	for (; i < count; i++) {
		json_t *one = json_is_array(value) ? json_array_get(value, i)
						   : (json_t *)(uintptr_t)value;
		const char *text = json_string_value(one);
		size_t length = json_string_length(one);
		char id[80] = "";

		if (text && length > 3 && length < sizeof id &&
		    strncmp(text, "<@", 2) == 0 && text[length - 1] == '>')
			(void)snprintf(id, sizeof id, "%.*s", (int)(length - 3),
				       text + 2);
		if (!text ||
		    json_array_append_new(slack_text_is_user(id) ? members : typed,
					  slack_text_is_user(id) ? json_string(id)
								 : json_incref(one)) != 0)
			return false;
	}
	return true;
}

/* Whether what is typed there can be typed: none in a list is empty or has lines. */
static bool can_type(const struct input *in, const json_t *typed)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *again = NULL;

	if (json_array_size(typed) == 0)
		return true;
	if (in->kind == INPUT_PERSON)
		return json_string_length(json_array_get(typed, 0)) > 0;
	return input_typed_write(&text, in, typed) && strbuf_ok(&text) &&
	       input_typed_read(in, text.data, &again, &ignored) && again &&
	       json_equal(again, typed);
}

static bool fits_picker(const struct input *in, const json_t *value, json_t *members,
			json_t *typed)
{
	if (value && json_is_array(value) != (in->kind == INPUT_PEOPLE))
		return false;
	if (json_is_array(value) && json_array_size(value) == 0)
		return false; /* nobody at all is not the same as not said */
	return split_people(value, members, typed) &&
	       json_array_size(members) <= PEOPLE_MAX && can_type(in, typed);
}

static bool draw_picker(const struct input *in, json_t *members, json_t *blocks,
			struct error *err)
{
	const bool several = in->kind == INPUT_PEOPLE;
	const struct part p = {
		.suffix = "",
		.more = "",
		.hint = in->required ? "Pick here, or type below: one of both is needed."
				     : "Pick here, or type below.",
		.optional = true,
	};
	json_auto_t *picker =
		input_new_element(several ? "multi_users_select" : "users_select");

	if (!picker ||
	    (several && !set(picker, "max_selected_items", json_integer(PEOPLE_MAX))) ||
	    (json_array_size(members) > 0 &&
	     !set(picker, several ? "initial_users" : "initial_user",
		  json_incref(several ? members : json_array_get(members, 0)))))
		return error_oom(err);
	return add_block(in, &p, TAKE(picker), blocks, err);
}

static bool draw_people(const struct input *in, const struct input_draft *draft,
			json_t *blocks, struct error *err)
{
	const bool several = in->kind == INPUT_PEOPLE;
	const struct part p = {
		.suffix = INPUT_TYPED,
		.more = several ? ", or typed, one a line" : ", or typed",
		.optional = true,
	};
	json_auto_t *members = json_array(), *typed = json_array();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *first;

	if (!members || !typed)
		return error_oom(err);
	if (!fits_picker(in, draft->value, members, typed))
		return draw_as_json(in, draft, blocks, err);
	first = several ? typed : json_array_get(typed, 0);
	if (json_array_size(typed) > 0 && !input_typed_write(&text, in, first))
		return error_oom(err);
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (is_too_long(&text))
		return draw_as_json(in, draft, blocks, err);
	return draw_picker(in, members, blocks, err) &&
	       add_block(in, &p,
			 input_text_element(draft->unread ? draft->unread : text.data,
					    several),
			 blocks, err);
}

/* ---- All of them ------------------------------------------------------------------ */

bool input_draw(const struct input *in, const struct input_draft *draft, json_t *blocks,
		struct error *err)
{
	const struct part own = { .suffix = "", .more = "", .optional = !in->required };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *element = NULL;

	if (in->kind == INPUT_PERSON || in->kind == INPUT_PEOPLE)
		return draw_people(in, draft, blocks, err);
	if (!input_element(in, draft->value, &element, err))
		return false;
	if (!element)
		return draw_as_json(in, draft, blocks, err);
	if (draft->value && in->kind != INPUT_CHOICE && in->kind != INPUT_CHOICES &&
	    !input_typed_write(&text, in, draft->value))
		return error_oom(err);
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (is_too_long(&text))
		return draw_kept(in, text.data, draft->unread, blocks, err);
	if (draft->unread) {
		json_decref(element);
		element = input_text_element(draft->unread,
					     input_takes_lines(in) ||
						     strchr(draft->unread, '\n'));
	}
	return add_block(in, &own, TAKE(element), blocks, err);
}

json_t *input_options(const struct input *in, const char *typed, struct error *err)
{
	json_auto_t *options = json_array();

	for (size_t i = 0; options && i < field_choice_count(in->chooser) &&
			   json_array_size(options) < INPUT_CHOICES_SHOWN;
	     i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		input_choice_words(&text, in, i);
		if (!strbuf_ok(&text))
			json_decref(TAKE(options));
		else if (strcasestr(text.data, typed) &&
			 json_array_append_new(options, input_choice_option(in, i)) != 0)
			json_decref(TAKE(options));
	}
	if (!options) {
		error_oom(err);
		return NULL;
	}
	return json_pack("{s:O}", "options", options);
}
