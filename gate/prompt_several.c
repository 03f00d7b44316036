#include "gate/prompt_several.h"

#include "gate/overlap.h"
#include "gate/prompt_value.h"
#include "guard/names.h"

enum { PROMPT_VERSION = 1 };

static enum risk risk_of(const json_t *prompt)
{
	const char *text = json_get_string(prompt, "risk");
	enum risk risk = RISK_DESTRUCTIVE;

	if (text)
		(void)risk_parse(text, &risk);
	return risk;
}

/* Most severe first, and among equals as they run. */
static json_t *sorted(const json_t *prompts)
{
	static const enum risk order[] = { RISK_DESTRUCTIVE, RISK_WRITE, RISK_READ };
	json_auto_t *calls = json_array();
	size_t i;
	json_t *prompt;

	for (size_t o = 0; calls && o < ARRAY_SIZE(order); o++)
		json_array_foreach(prompts, i, prompt)
		{
			if (risk_of(prompt) != order[o])
				continue;
			if (json_array_append_new(calls, json_pack("{s:I, s:O}", "run",
								   (json_int_t)i + 1,
								   "prompt", prompt)) !=
			    0)
				return NULL;
		}
	return TAKE(calls);
}

static json_t *approvers_json(const struct prompt_several *in)
{
	json_auto_t *who = json_array();

	for (size_t i = 0; who && in->approvers[i]; i++)
		if (json_array_append_new(who, prompt_visible(in->approvers[i])) != 0)
			return NULL;
	return json_pack("{s:I, s:O, s:b}", "needed", (json_int_t)in->approvers_needed,
			 "who", who, "four_eyes", in->four_eyes);
}

static json_t *warnings_json(const struct prompt_several *in)
{
	json_auto_t *list = json_array();
	json_auto_t *more = overlap_warnings(in->prompts, in->plans);

	if (!list || !more ||
	    json_array_append_new(
		    list, json_string("one yes is for all of these calls; a call that "
				      "does not succeed stops those after it")) != 0)
		return NULL;
	if (in->too_few &&
	    json_array_append_new(list, json_string("too few people may approve all of "
						    "these: it cannot be approved")) != 0)
		return NULL;
	return json_array_extend(list, more) == 0 ? TAKE(list) : NULL;
}

json_t *prompt_several_build(const struct prompt_several *in,
			     char ret_shown[static DIGEST_HEX_BYTES], struct error *err)
{
	json_auto_t *p = json_pack(
		"{s:i, s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "v",
		PROMPT_VERSION, "approval", in->approval, "requester",
		prompt_visible(in->requester), "surface", prompt_visible(in->surface),
		"asked_at", (json_int_t)in->asked_at_ms, "expires_at",
		(json_int_t)in->expires_at_ms, "good_for_s",
		(json_int_t)(in->good_for_ms / 1000), "outcome_to",
		prompt_visible(in->outcome_to), "approvers", approvers_json(in),
		"warnings", warnings_json(in), "calls", sorted(in->prompts));

	if (!p) {
		error_oom(err);
		return NULL;
	}
	if (!canonical_digest(p, ret_shown, err))
		return NULL;
	return TAKE(p);
}
