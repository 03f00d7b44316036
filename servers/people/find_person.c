/* find_person and person://search: who is meant. */
#include "servers/people/answer.h"
#include "servers/people/report.h"
#include "servers/people/tools.h"

static void say(struct strbuf *sb, const json_t *answer)
{
	const char *match = json_get_string(answer, "match"),
		   *via = json_get_string(answer, "via"),
		   *flag = json_get_string(answer, "flag");
	const json_t *people = json_object_get(answer, "people");
	json_t *one;
	size_t i;

	if (flag)
		strbuf_add_format(sb, "Nobody: the value has %s.", flag);
	else if (!via)
		strbuf_add_string(sb, "Nobody is known by that.");
	else
		strbuf_add_format(sb, "%s, by %s%s:", match, via,
				  via[0] == 'i' ? "" : ", so somebody has to choose");
	json_array_foreach(people, i, one)
	{
		strbuf_add_string(sb, "\n- ");
		report_person(sb, one);
		strbuf_add_string(sb, "; ");
		report_text(sb, json_get_string(one, "why"));
	}
	if (json_get_int64(answer, "total", 0) > (int64_t)json_array_size(people))
		strbuf_add_format(sb, "\n- and %lld more",
				  (long long)(json_get_int64(answer, "total", 0) -
					      (int64_t)json_array_size(people)));
	json_array_foreach(json_object_get(answer, "warnings"), i, one)
	{
		strbuf_add_string(sb, "\n\nWarning: ");
		report_text(sb, json_string_value(one));
	}
}

bool find_person(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *answer =
		answer_find(mcp_call_context(call), mcp_call_string(call, "query", ""),
			    (size_t)mcp_call_int64(call, "limit", ANSWER_PEOPLE_DEFAULT),
			    mcp_call_now_ms(call), err);

	if (!answer)
		return false;
	say(&text, answer);
	mcp_result_structured(result, answer);
	report_finish(result, &text);
	return true;
}

static bool put_json(struct mcp_contents *contents, json_t *answer, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool ok = json_write(&text, answer, err);

	json_decref(answer);
	if (ok)
		mcp_contents_text(contents, "application/json", text.data, text.length);
	return ok;
}

bool read_search(struct mcp_call *call, struct mcp_contents *contents, struct error *err)
{
	json_t *answer = answer_find(mcp_call_context(call),
				     mcp_call_string(call, "q", ""),
				     ANSWER_PEOPLE_DEFAULT, mcp_call_now_ms(call), err);

	return answer && put_json(contents, answer, err);
}

/* ---- One person --------------------------------------------------------------------- */

static json_t *one_person(struct mcp_call *call, const char *argument, struct error *err)
{
	json_t *candidates = NULL;
	json_t *record = answer_person(mcp_call_context(call),
				       mcp_call_string(call, argument, ""),
				       mcp_call_now_ms(call), &candidates, err);
	json_t *details = candidates ? json_pack("{s:o}", "candidates", candidates)
				     : NULL;

	if (details)
		mcp_call_error_details(call, details);
	return record;
}

bool get_person(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *record = one_person(call, "person", err);

	if (!record)
		return false;
	report_person(&text, record);
	mcp_result_structured(result, record);
	report_finish(result, &text);
	return true;
}

bool read_person(struct mcp_call *call, struct mcp_contents *contents, struct error *err)
{
	json_t *record = one_person(call, "id", err);

	return record && put_json(contents, record, err);
}
