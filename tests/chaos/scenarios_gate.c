/* What people are shown, and what policy makes of a call. */
#include "tests/chaos/site.h"

#include "base/canonical.h"
#include "console/render.h"
#include "gate/policy.h"
#include "gate/prompt.h"
#include "slack/markdown/stream.h"
#include "slack/render/prompt.h"
#include "slack/result/result.h"

bool accept_arguments(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES];

	if (!tool_definition_accept(s->tool, s->arguments, &sb, digest, err))
		return false;
	put(o, sb.data, sb.length);
	put_text(o, digest);
	return true;
}

static json_t *build_prompt(const struct site *s, char shown[static DIGEST_HEX_BYTES],
			    struct error *err)
{
	static const char *const approvers[] = { "alice@x", "bob@x", NULL };
	static const char *const warnings[] = { "look twice", NULL };
	const struct prompt_input in = {
		.approval = "01",
		.address = "http://127.0.0.1/mcp",
		.requester = "alice@x",
		.surface = "console, uid 1000",
		.outcome_to = "this terminal",
		.tool = s->tool,
		.arguments = s->arguments,
		.plan = s->plan,
		.args_digest = D1,
		.plan_digest = D2,
		.asked_at_ms = 1,
		.expires_at_ms = 600001,
		.good_for_ms = 300000,
		.approvers_needed = 1,
		.approvers = approvers,
		.warnings = warnings,
	};

	return prompt_build(&in, shown, err);
}

bool show_prompt(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char shown[DIGEST_HEX_BYTES];
	json_auto_t *prompt = build_prompt(s, shown, err);

	if (!prompt || !canonical_write(&sb, prompt, err))
		return false;
	json_auto_t *back = prompt_arguments(prompt, err);
	if (!back || !canonical_write(&sb, back, err))
		return false;
	put(o, sb.data, sb.length);
	put_text(o, shown);
	return true;
}

/* What is drawn with less is not drawn: a line that is missing would not be missed. */
bool draw_prompt(const struct site *s, struct outcome *o, struct error *err)
{
	const struct render_style style = { .columns = 80, .now_ms = 1000 };
	const struct slack_prompt_view view = { .now_ms = 1000 };
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT, text = STRBUF_INIT;
	char shown[DIGEST_HEX_BYTES];
	size_t pages = 0;
	json_auto_t *prompt = build_prompt(s, shown, err);

	if (!prompt || !render_prompt(&page, prompt, &style, err))
		return false;
	json_auto_t *message = slack_prompt_message(prompt, &view, err);
	if (!message || !json_write(&text, message, err))
		return false;
	json_auto_t *review = slack_prompt_page(prompt, 1000, 1, &pages, err);
	if (!review || !json_write(&text, review, err))
		return false;
	json_auto_t *ended = slack_prompt_ended(prompt, &view, "denied", err);
	if (!ended || !json_write(&text, ended, err))
		return false;
	put(o, page.data, page.length);
	put(o, text.data, text.length);
	return true;
}

static const char sheet_text[] =
	"# Head\nwith *style*, <@U0ANN> <@U0ANN> and [a link](https://docs.x.com/ \"t\") "
	"![i](x) &amp;\n\n- one\n  1. two\n\n> quote\n> - item\n\n```x y\ncode\n```\n\n"
	"| a | b |\n|---|---|\n| 1 | **2** | 3 |\n\n[n]: https://y.example\n\nApprove "
	"this "
	"call?\n";

/* Markdown at once and as it comes: no word of it is missed. */
bool draw_markdown(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct slack_markdown how = { .heading = "Written by the assistant",
					    .hosts = s->hosts,
					    .people = s->people };
	json_auto_t *messages =
		slack_markdown_messages(sheet_text, strlen(sheet_text), &how, err);
	_cleanup_(slack_stream_freep) struct slack_stream *stream = NULL;
	bool is_new = false;
	json_t *blocks;

	if (!messages || !json_write(&text, messages, err))
		return false;
	stream = slack_stream_new(&how);
	if (!stream)
		return error_oom(err);
	if (!slack_stream_add(stream, sheet_text, strlen(sheet_text), err) ||
	    !slack_stream_end(stream, err))
		return false;
	while ((blocks = slack_stream_take(stream, &is_new, err))) {
		bool ok = json_write(&text, blocks, err);

		json_decref(blocks);
		if (!ok)
			return false;
	}
	if (error_is_set(err))
		return false;
	put(o, text.data, text.length);
	return true;
}

bool draw_result(const struct site *s, struct outcome *o, struct error *err)
{
	const struct slack_result_view view = { .id = "A1",
						.people = s->people,
						.hosts = s->hosts };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, file = STRBUF_INIT;
	_cleanup_(slack_result_done) struct slack_result r = { 0 };
	char name[SLACK_RESULT_NAME_BYTES];
	size_t pages = 0;
	json_auto_t *page = NULL;

	if (!slack_result_draw(s->result, &view, &r, err) ||
	    !json_write(&text, r.messages, err))
		return false;
	page = slack_result_page(s->result, &view, 1, &pages, err);
	if (!page || !json_write(&text, page, err) ||
	    !slack_result_file(s->result, &file, name, err))
		return false;
	put(o, text.data, text.length);
	put(o, file.data, file.length);
	return true;
}

bool judge_by_policy(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct policy_question q = { .server = "accounts",
					   .tool = "block_account",
					   .risk = RISK_DESTRUCTIVE,
					   .plan_approvers = 1,
					   .requester = "alice@x" };
	struct policy_answer a = { 0 };

	p = policy_new(s->persons, s->team, s->policy_file, err);
	if (!p)
		return false;
	policy_judge(p, &q, &a);
	_cleanup_free_ const char **who = policy_approvers(p, &q, &a);
	if (!who)
		return error_oom(err);
	put_text(o, a.rule);
	put_text(o, a.four_eyes ? "four eyes" : "two eyes");
	put_text(o, a.may_call ? "may call" : "may not");
	for (size_t i = 0; who[i]; i++)
		put_text(o, who[i]);
	return true;
}
