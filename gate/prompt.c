#include "gate/prompt.h"

#include "base/text.h"
#include "gate/prompt_defaults.h"
#include "gate/prompt_value.h"
#include "gate/sensitive.h"

enum { PROMPT_VERSION = 1 };

/* What is being put together, and what the parts need of each other. */
struct build {
	const struct prompt_input *in;
	json_t *properties; /* of the input schema; borrowed */
	json_t *arguments, *effects, *warnings, *free_text;
	bool all_sensitive;
};

static void build_done(struct build *b)
{
	json_decref(b->arguments);
	json_decref(b->effects);
	json_decref(b->warnings);
	json_decref(b->free_text);
}

static bool warn(struct build *b, const char *prefix, const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_t *visible;

	strbuf_add_string(&sb, prefix);
	strbuf_add_string(&sb, text);
	visible = strbuf_ok(&sb) ? prompt_visible(sb.data) : NULL;
	if (!visible || json_array_append_new(b->warnings, visible) != 0)
		return error_oom(err);
	return true;
}

static bool warn_flags(struct build *b, const char *what, const json_t *entry,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t i;
	json_t *flag;

	if (json_array_size(json_object_get(entry, "flags")) == 0)
		return true;
	strbuf_add_format(&sb, "%s is odd:", what);
	json_array_foreach(json_object_get(entry, "flags"), i, flag)
	{
		strbuf_add_format(&sb, "%s %s", i ? "," : "", json_string_value(flag));
	}
	return strbuf_ok(&sb) ? warn(b, "", sb.data, err) : error_oom(err);
}

/* The same of a text that has no entry of its own, with its escaped form. */
static bool warn_odd(struct build *b, const char *what, const json_t *text,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *flags = prompt_value_flags(text);
	size_t i;
	json_t *flag;

	if (!flags)
		return error_oom(err);
	if (json_array_size(flags) == 0)
		return true;
	text_visible(&sb, what, strlen(what));
	strbuf_add_string(&sb, " is odd:");
	json_array_foreach(flags, i, flag)
	{
		strbuf_add_format(&sb, "%s %s", i ? "," : "", json_string_value(flag));
	}
	strbuf_add_string(&sb, "; it reads ");
	text_escaped(&sb, json_string_value(text), json_string_length(text));
	if (!strbuf_ok(&sb) ||
	    json_array_append_new(b->warnings, json_stringn(sb.data, sb.length)) != 0)
		return error_oom(err);
	return true;
}

/* Said of the argument or of anything in it, or of something that any may be made of. */
static bool is_sensitive(const struct build *b, const json_t *property)
{
	return b->all_sensitive || sensitive_is(property);
}

static const char *kind_of(const json_t *property)
{
	return json_get_string(property, "x-wingman-kind");
}

/* Whoever wrote the arguments wrote these as sentences: they stand last, below the
 * effects. What has a kind of its own is no sentence. */
static bool is_free_text(const char *name, const json_t *value, const json_t *property)
{
	static const char *const names[] = { "reason",      "title",   "message",
					     "text",        "summary", "note",
					     "description", "comment", "resolution",
					     "root_cause" };
	const char *kind = kind_of(property);

	if (!json_is_string(value))
		return false;
	if (kind)
		return strcmp(kind, "text") == 0 || strcmp(kind, "markdown") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* "Ticket 42": a number without which the call cannot be. */
static bool is_number_of(const struct build *b, const char *name, const json_t *value)
{
	const json_t *required = json_object_get(
		json_object_get(b->in->tool->json, "inputSchema"), "required");
	size_t i;
	json_t *one;

	json_array_foreach((json_t *)(uintptr_t)required, i, one)
	{
		if (json_is_integer(value) && json_is_string(one) &&
		    strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* What is chosen out of a few, a span of time or how much of something is no target. */
static bool is_target(const json_t *value, const json_t *property)
{
	const json_t *items = json_object_get(property, "items");
	const char *kind = kind_of(property);

	return (json_is_string(value) || json_is_array(value) || json_is_object(value)) &&
	       !json_object_get(property, "enum") && !json_object_get(items, "enum") &&
	       (!kind || strcmp(kind, "duration") != 0);
}

static bool warn_untrusted(struct build *b, const char *name, const json_t *judged,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (b->in->tool->risk != RISK_DESTRUCTIVE ||
	    !json_is_true(json_object_get(judged, "untrusted")))
		return true;
	strbuf_add_format(&sb,
			  "'%s' was not named by who asks, and this is destructive: look "
			  "at where it comes from",
			  name);
	return strbuf_ok(&sb) ? warn(b, "", sb.data, err) : error_oom(err);
}

/* Where its values were said, beside it. */
static bool add_from(struct build *b, json_t *entry, const char *name, struct error *err)
{
	const json_t *judged =
		json_object_get(json_object_get(b->in->provenance, "arguments"), name);
	json_auto_t *from = json_array();
	size_t i;
	json_t *line;

	if (!judged)
		return true;
	json_array_foreach(json_object_get(judged, "from"), i, line)
	{
		if (json_array_append_new(from,
					  prompt_visible(json_string_value(line))) != 0)
			return error_oom(err);
	}
	return json_object_set(entry, "from", from) == 0 || error_oom(err);
}

static bool add_free_text(struct build *b, const char *by, const char *name,
			  const json_t *value, bool is_sensitive, struct error *err)
{
	json_auto_t *entry =
		json_pack("{s:s, s:o}", "by", by, "name", prompt_visible(name));

	if (!entry ||
	    (is_sensitive && json_object_set_new(entry, "sensitive", json_true()) != 0))
		return error_oom(err);
	if (!prompt_value_describe(entry, value, err) ||
	    !warn_flags(b, name, entry, err) ||
	    (strcmp(by, "server") != 0 && !add_from(b, entry, name, err)))
		return false;
	if (json_array_append(b->free_text, entry) != 0)
		return error_oom(err);
	return true;
}

static bool add_details(struct build *b, json_t *entry, const char *name,
			const json_t *property, struct error *err)
{
	const char *kind = kind_of(property);
	const char *note = json_get_string(json_object_get(b->in->plan, "notes"), name);

	if (kind && json_object_set_new(entry, "kind", prompt_visible(kind)) != 0)
		return error_oom(err);
	if (note && json_object_set_new(entry, "note", prompt_visible(note)) != 0)
		return error_oom(err);
	if (is_sensitive(b, property) &&
	    json_object_set_new(entry, "sensitive", json_true()) != 0)
		return error_oom(err);
	return true;
}

static bool add_argument(struct build *b, const char *name, json_t *value,
			 const json_t *property, bool is_default, struct error *err)
{
	json_auto_t *entry =
		json_pack("{s:o, s:O}", "name", prompt_visible(name), "value", value);

	if (!entry ||
	    (is_default && json_object_set_new(entry, "default", json_true()) != 0))
		return error_oom(err);
	if (!prompt_value_describe(entry, value, err) ||
	    !add_details(b, entry, name, property, err) ||
	    !warn_flags(b, name, entry, err) ||
	    (!is_default && !add_from(b, entry, name, err)))
		return false;
	if (json_array_append(b->arguments, entry) != 0)
		return error_oom(err);
	return true;
}

static bool add_given(struct build *b, const char *name, json_t *value, struct error *err)
{
	const json_t *property = json_object_get(b->properties, name);
	const char *by = b->in->author ? b->in->author : "requester";
	json_auto_t *text = json_string(name);

	if (!text)
		return error_oom(err);
	if (!warn_odd(b, "the name of an argument", text, err))
		return false;
	if (is_free_text(name, value, property))
		return add_free_text(b, by, name, value, is_sensitive(b, property), err);
	if ((is_target(value, property) || is_number_of(b, name, value)) &&
	    !warn_untrusted(
		    b, name,
		    json_object_get(json_object_get(b->in->provenance, "arguments"),
				    name),
		    err))
		return false;
	return add_argument(b, name, value, property, false, err);
}

static bool add_default(void *context, const char *name, json_t *value,
			const json_t *property, struct error *err)
{
	return add_argument(context, name, value, property, true, err);
}

/* Arguments in the order of their canonical bytes, then the defaults left out. */
static bool add_arguments(struct build *b, struct error *err)
{
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT;
	json_auto_t *arguments = NULL;
	const char *name;
	json_t *value;

	if (!canonical_write(&canonical, b->in->arguments, err))
		return false;
	arguments = json_parse(canonical.data, canonical.length, JSON_CONTRACT, err);
	if (!arguments)
		return false;
	json_object_foreach(arguments, name, value)
	{
		if (!add_given(b, name, value, err))
			return false;
	}
	return prompt_defaults(json_object_get(b->in->tool->json, "inputSchema"),
			       arguments, add_default, b, err);
}

static bool add_effect(struct build *b, const json_t *effect, struct error *err)
{
	static const char *const members[] = { "system", "target", "from", "to" };
	json_auto_t *entry = json_object();

	if (!entry)
		return error_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *text = json_get_string(effect, members[i]);
		char what[64];

		if (json_object_set_new(entry, members[i],
					prompt_visible(text ? text : "")) != 0)
			return error_oom(err);
		(void)snprintf(what, sizeof what, "'%s' of effect %zu", members[i],
			       json_array_size(b->effects) + 1);
		if (text && !warn_odd(b, what, json_object_get(effect, members[i]), err))
			return false;
	}
	if (json_object_set_new(
		    entry, "reversible",
		    json_boolean(json_is_true(json_object_get(effect, "reversible")))) ||
	    json_array_append(b->effects, entry) != 0)
		return error_oom(err);
	return true;
}

static bool has_argument(const struct build *b, const char *visible)
{
	size_t i;
	json_t *entry;

	json_array_foreach(b->arguments, i, entry)
	{
		if (strcmp(json_get_string(entry, "name"), visible) == 0)
			return true;
	}
	return false;
}

/* Beside their argument they stand already; whatever else is noted is not left out. */
static bool add_notes(struct build *b, const char *says, struct error *err)
{
	const char *name;
	json_t *note;

	json_object_foreach(json_object_get(b->in->plan, "notes"), name, note)
	{
		_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT, what = STRBUF_INIT;

		text_visible(&visible, name, strlen(name));
		strbuf_add_format(&what, "the note beside '%s'", name);
		if (!strbuf_ok(&visible) || !strbuf_ok(&what))
			return error_oom(err);
		if (!warn_odd(b, what.data, note, err))
			return false;
		if (has_argument(b, visible.data))
			continue;
		strbuf_clear(&what);
		strbuf_add_format(&what, "%s'%s': ", says, name);
		if (!strbuf_ok(&what))
			return error_oom(err);
		if (!warn(b, what.data, json_string_value(note), err))
			return false;
	}
	return true;
}

/* What the server warns of, notes, and asks for. */
static bool add_words(struct build *b, struct error *err)
{
	json_t *requires = json_object_get(b->in->plan, "requires");
	json_t *why = json_object_get(requires, "why");
	char says[48], asks[80];
	size_t i;
	json_t *item;

	(void)snprintf(says, sizeof says, "%s says: ", b->in->tool->server);
	(void)snprintf(asks, sizeof asks,
		       "%s asks for %lld approvers: ", b->in->tool->server,
		       (long long)json_get_int64(requires, "approvers", 1));
	json_array_foreach(json_object_get(b->in->plan, "warnings"), i, item)
	{
		if (json_is_string(item) &&
		    (!warn(b, says, json_string_value(item), err) ||
		     !warn_odd(b, "that warning", item, err)))
			return false;
	}
	if (json_is_string(why) && (!warn(b, asks, json_string_value(why), err) ||
				    !warn_odd(b, "that reason", why, err)))
		return false;
	return add_notes(b, says, err);
}

static bool add_plan(struct build *b, struct error *err)
{
	json_t *summary = json_object_get(b->in->plan, "summary");
	size_t i;
	json_t *effect;

	json_array_foreach(json_object_get(b->in->plan, "effects"), i, effect)
	{
		if (!add_effect(b, effect, err))
			return false;
	}
	return add_words(b, err) &&
	       (!summary || add_free_text(b, "server", "summary", summary, false, err));
}

static json_t *approvers_json(const struct prompt_input *in)
{
	json_auto_t *who = json_array();

	for (size_t i = 0; who && in->approvers && in->approvers[i]; i++)
		if (json_array_append_new(who, prompt_visible(in->approvers[i])) != 0)
			return NULL;
	return json_pack("{s:I, s:O, s:b}", "needed", (json_int_t)in->approvers_needed,
			 "who", who, "four_eyes", in->four_eyes);
}

static json_t *assemble(const struct build *b)
{
	const struct prompt_input *in = b->in;
	const struct tool_definition *t = in->tool;
	const char *title = json_get_string(t->json, "title");
	json_auto_t *p = json_pack(
		"{s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:o}", "v",
		PROMPT_VERSION, "approval", in->approval, "server", t->server, "address",
		prompt_visible(in->address), "tool", t->name, "title",
		prompt_visible(title ? title : t->name), "risk", risk_name(t->risk),
		"requester", prompt_visible(in->requester), "surface",
		prompt_visible(in->surface), "asked_at", (json_int_t)in->asked_at_ms,
		"expires_at", (json_int_t)in->expires_at_ms, "good_for_s",
		(json_int_t)(in->good_for_ms / 1000), "outcome_to",
		prompt_visible(in->outcome_to));
	json_t *data = json_object_get(in->plan, "data");

	if (!p || json_object_set_new(p, "approvers", approvers_json(in)) != 0 ||
	    json_object_set(p, "arguments", b->arguments) != 0 ||
	    json_object_set(p, "effects", b->effects) != 0 ||
	    json_object_set(p, "warnings", b->warnings) != 0 ||
	    json_object_set(p, "free_text", b->free_text) != 0 ||
	    json_object_set_new(p, "pin", json_string(t->pin)) != 0 ||
	    json_object_set_new(p, "args", json_string(in->args_digest)) != 0)
		return NULL;
	if (in->plan_digest &&
	    json_object_set_new(p, "plan_digest", json_string(in->plan_digest)))
		return NULL;
	if (data && json_object_set(p, "data", data) != 0)
		return NULL;
	if (in->last_run_ms > 0 &&
	    json_object_set_new(p, "last_run",
				json_integer((json_int_t)in->last_run_ms)) != 0)
		return NULL;
	return TAKE(p);
}

json_t *prompt_build(const struct prompt_input *in,
		     char ret_shown[static DIGEST_HEX_BYTES], struct error *err)
{
	json_auto_t *prompt = NULL;
	char shown[DIGEST_HEX_BYTES];
	_cleanup_(build_done) struct build b = {
		.in = in,
		.properties = json_object_get(
			json_object_get(in->tool->json, "inputSchema"), "properties"),
		.arguments = json_array(),
		.effects = json_array(),
		.warnings = json_array(),
		.free_text = json_array(),
	};

	b.all_sensitive =
		sensitive_is_any(json_object_get(in->tool->json, "inputSchema"));
	if (!b.arguments || !b.effects || !b.warnings || !b.free_text) {
		error_oom(err);
		return NULL;
	}
	for (size_t i = 0; in->warnings && in->warnings[i]; i++)
		if (!warn(&b, "", in->warnings[i], err))
			return NULL;
	if (!add_arguments(&b, err) || (in->plan && !add_plan(&b, err)))
		return NULL;
	prompt = assemble(&b);
	if (!prompt) {
		error_oom(err);
		return NULL;
	}
	if (!canonical_digest(prompt, shown, err))
		return NULL;
	memcpy(ret_shown, shown, sizeof shown);
	return TAKE(prompt);
}
