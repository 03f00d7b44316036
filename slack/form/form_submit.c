#include "slack/form/form_private.h"

#include "slack/form/input_private.h"
#include "slack/text/text.h"

enum { FAULTS_MAX = 64, NAME_BYTES = 256 };

/* ---- What was sent in ------------------------------------------------------------- */

static bool put_rest(const struct slack_form *f, json_t *given, json_t *values,
		     struct error *err)
{
	json_t *properties = json_object_get(f->schema, "properties");
	json_auto_t *old = form_rest(f, values);
	const char *name;
	json_t *value;

	if (!old)
		return error_oom(err);
	json_object_foreach(given, name, value)
	{
		if (json_object_get(properties, name))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "has an argument that has an input of its own");
	}
	json_object_foreach(old, name, value)
	{
		(void)json_object_del(values, name);
	}
	return !given || json_object_update(values, given) == 0 || error_oom(err);
}

static bool take(const struct slack_form *f, const struct input *in, const json_t *state,
		 json_t *values, struct error *err)
{
	json_auto_t *value = NULL;
	bool shown = false;

	if (!input_read(in, state, &value, &shown, err))
		return false;
	if (!shown)
		return true;
	if (!in->name)
		return put_rest(f, value, values, err);
	if (!value)
		(void)json_object_del(values, in->name);
	return !value || json_object_set(values, in->name, value) == 0 || error_oom(err);
}

/* Slack fails where an error is for a block that is not there; what was read is there. */
static bool add_error(json_t *errors, const struct input *in, const json_t *state,
		      const char *message, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char id[INPUT_BLOCK_BYTES];
	const char *block = input_shown_block(in, state, id);

	slack_text_words(&text, message, FORM_ERROR_UNITS);
	if (!block || json_object_get(errors, block))
		return true; /* the first is enough */
	return (strbuf_ok(&text) &&
		json_object_set_new(errors, block, json_string(text.data)) == 0) ||
	       error_oom(err);
}

/* Every input of the page into 'values'; complaints into 'errors'. */
static bool take_page(const struct slack_form *f, size_t page, const json_t *state,
		      json_t *values, json_t *errors, struct error *err)
{
	for (size_t i = 0; i < f->count; i++) {
		struct error why = ERROR_INIT;

		if (f->page_of[i] != page || take(f, &f->inputs[i], state, values, &why))
			continue;
		if (why.code != ERR_INVALID_ARGUMENT) {
			*err = why;
			return false;
		}
		if (!add_error(errors, &f->inputs[i], state, why.message, err))
			return false;
	}
	return true;
}

/* The input that a fault is about: NULL for one of the whole. */
static const struct input *at_fault(const struct slack_form *f,
				    const struct schema_fault *fault, char *ret_name,
				    size_t size, size_t *ret_index)
{
	const char *at = fault->instance[0] == '/' ? fault->instance + 1 : NULL;
	size_t length = 0;

	ret_name[0] = '\0';
	if (!at)
		(void)snprintf(ret_name, size, "%s", fault->member);
	for (; at && *at && *at != '/' && length + 1 < size; at++) {
		/* A JSON Pointer: "~1" is "/", "~0" is "~". */
		if (*at == '~' && at[1]) {
			at++;
			ret_name[length++] = *at == '1' ? '/' : '~';
		} else
			ret_name[length++] = *at;
		ret_name[length] = '\0';
	}
	for (size_t i = 0; i < f->count; i++) {
		const char *own = f->inputs[i].name;

		if (own ? strcmp(own, ret_name) == 0 : *ret_name != '\0') {
			*ret_index = i;
			return &f->inputs[i];
		}
	}
	return NULL;
}

static bool set_fault(struct slack_form_result *ret, const char *name, size_t page,
		      const char *message, struct error *err)
{
	/* Those of the first page that has any; the others are found again there. */
	if (ret->page != 0 && page > ret->page)
		return true;
	if (page < ret->page)
		json_object_clear(ret->faults);
	ret->page = page;
	return json_object_set_new(ret->faults, name, json_string(message)) == 0 ||
	       error_oom(err);
}

static bool sort_fault(const struct slack_form *f, size_t page, const json_t *state,
		       const struct schema_fault *fault, struct slack_form_result *ret,
		       struct error *err)
{
	char name[NAME_BYTES], id[INPUT_BLOCK_BYTES];
	size_t index = 0;
	const struct input *in = at_fault(f, fault, name, sizeof name, &index);
	size_t own = in ? f->page_of[index] : page;
	bool lacks = in && !fault->instance[0] && strcmp(fault->keyword, "required") == 0;
	const char *message = lacks ? "is needed" : fault->message;

	if (own > page || (!in && page < f->pages))
		return true; /* it may still be put right */
	if (in && own == page && input_shown_block(in, state, id))
		return add_error(ret->errors, in, state, message, err);
	return set_fault(ret, name, own, message, err);
}

static bool judge(const struct slack_form *f, size_t page, const json_t *state,
		  const json_t *values, struct slack_form_result *ret, struct error *err)
{
	struct schema_fault faults[FAULTS_MAX];
	size_t count = schema_validate_all(f->compiled, values, faults, FAULTS_MAX);

	for (size_t i = 0; i < count; i++)
		if (!sort_fault(f, page, state, &faults[i], ret, err))
			return false;
	return true;
}

/* Members that say nothing are none. */
static void drop_empty(json_t **object)
{
	if (json_object_size(*object) > 0)
		return;
	json_decref(*object);
	*object = NULL;
}

static bool is_page(const struct slack_form *f, size_t page, const json_t *state,
		    struct error *err)
{
	return (page >= 1 && page <= f->pages && json_is_object(state)) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "this is no page of the form");
}

static bool replace(json_t *values, json_t *with, struct error *err)
{
	json_object_clear(values);
	return json_object_update(values, with) == 0 || error_oom(err);
}

void slack_form_result_done(struct slack_form_result *r)
{
	json_decref(r->errors);
	json_decref(r->faults);
	*r = (struct slack_form_result){ 0 };
}

static void forget_unread(const struct slack_form *f, size_t page, json_t *unread)
{
	char id[INPUT_BLOCK_BYTES];

	for (size_t i = 0; i < f->count; i++)
		if (f->page_of[i] == page)
			(void)json_object_del(unread, input_block(&f->inputs[i], id));
}

bool slack_form_submit(const struct slack_form *f, size_t page, const json_t *state,
		       json_t *values, json_t *unread, struct slack_form_result *ret,
		       struct error *err)
{
	_cleanup_(slack_form_result_done) struct slack_form_result r = {
		.errors = json_object(), .faults = json_object()
	};
	json_auto_t *now = json_copy(values);

	if (!now || !r.errors || !r.faults)
		return error_oom(err);
	if (!is_page(f, page, state, err) ||
	    !take_page(f, page, state, now, r.errors, err))
		return false;
	if (json_object_size(r.errors) == 0 && !judge(f, page, state, now, &r, err))
		return false;
	if (json_object_size(r.errors) == 0) {
		if (!replace(values, now, err))
			return false;
		forget_unread(f, page, unread);
	}
	if (r.page == 0 && page < f->pages)
		r.page = page + 1;
	drop_empty(&r.errors);
	drop_empty(&r.faults);
	*ret = r;
	r = (struct slack_form_result){ 0 };
	return true;
}

/* What cannot be read is kept as it was typed; who picked somebody and typed besides keeps
 * both. */
static bool keep_unread(const struct input *in, const json_t *state, json_t *values,
			json_t *unread, struct error *err)
{
	const char *text = input_typed_text(in, state);
	json_auto_t *picked = input_picked(in, state);
	char id[INPUT_BLOCK_BYTES];

	if (picked && json_object_set(values, in->name, picked) != 0)
		return error_oom(err);
	return !text ||
	       json_object_set_new(unread, input_block(in, id), json_string(text)) == 0 ||
	       error_oom(err);
}

bool slack_form_keep(const struct slack_form *f, size_t page, const json_t *state,
		     json_t *values, json_t *unread, struct error *err)
{
	if (!is_page(f, page, state, err))
		return false;
	forget_unread(f, page, unread);
	for (size_t i = 0; i < f->count; i++) {
		const struct input *in = &f->inputs[i];
		struct error why = ERROR_INIT;

		if (f->page_of[i] != page || take(f, in, state, values, &why))
			continue;
		if (why.code != ERR_INVALID_ARGUMENT) {
			*err = why;
			return false;
		}
		if (!keep_unread(in, state, values, unread, err))
			return false;
	}
	return true;
}

/* ---- What somebody else found wrong ----------------------------------------------- */

static bool quotes_text(const char *message, const char *text)
{
	_cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;

	if (!text || !*text)
		return false;
	strbuf_add_format(&quoted, "'%s'", text);
	return strbuf_ok(&quoted) && strstr(message, quoted.data);
}

static bool quotes(const char *message, const json_t *value)
{
	size_t i;
	json_t *one;

	json_array_foreach(value, i, one)
	{
		if (quotes_text(message, json_string_value(one)))
			return true;
	}
	return quotes_text(message, json_string_value(value));
}

/* In quotes, or as its first word. */
static bool names(const char *message, const char *name)
{
	const size_t length = strlen(name);

	return quotes_text(message, name) ||
	       (length > 0 && strncmp(message, name, length) == 0 &&
		strchr(" :,", message[length]));
}

json_t *slack_form_fault_of(const struct slack_form *f, const json_t *values,
			    const char *message, size_t *ret_page)
{
	const struct input *found = NULL;
	size_t count = 0;

	*ret_page = f->pages;
	/* The name that it says; else the value that it quotes. Of two, neither. */
	for (int pass = 0; pass < 2 && count == 0; pass++)
		for (size_t i = 0; i < f->count; i++) {
			const char *name = f->inputs[i].name;

			if (!name ||
			    !(pass == 0 ? names(message, name)
					: quotes(message, json_object_get(values, name))))
				continue;
			found = &f->inputs[i];
			count++;
			*ret_page = f->page_of[i];
		}
	if (count != 1) {
		found = NULL;
		*ret_page = f->pages;
	}
	return json_pack("{s:s}", found ? found->name : "", message);
}

json_t *slack_form_options(const struct slack_form *f, const char *block,
			   const char *typed, struct error *err)
{
	char id[INPUT_BLOCK_BYTES];

	for (size_t i = 0; i < f->count; i++) {
		const struct input *in = &f->inputs[i];

		if ((in->kind == INPUT_CHOICE || in->kind == INPUT_CHOICES) &&
		    strcmp(input_block(in, id), block) == 0)
			return input_options(in, typed, err);
	}
	error_set(err, ERR_NOT_FOUND, "the form has no such menu");
	return NULL;
}
