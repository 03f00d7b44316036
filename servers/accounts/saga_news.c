/* What people hear when a saga settles while nobody's call waits for it. */
#include "servers/accounts/saga_private.h"

#include "servers/accounts/news.h"

/* What is told stays below what the gate takes (1,000 bytes). */
enum { LEFT_MAX = 8, MESSAGE_MAX = 200, TEXT_MAX = 900 };

static void say_step(const json_t *saga, const json_t *step, struct strbuf *sb)
{
	const json_t *account = saga_account(saga, step);
	const char *why = json_get_string(step, "message");
	const char *name = json_get_string(account, "identifier");

	strbuf_add_format(sb, "; %s of %.*s in %s: ", json_get_string(step, "facet"),
			  name ? news_cut(name, 100) : 0, name ? name : "",
			  json_get_string(account, "system"));
	if (!saga_text_is(step, "phase", "given_up"))
		strbuf_add_string(sb, json_get_string(step, "phase"));
	else
		strbuf_add_string(sb, json_is_true(json_object_get(step, "sent"))
					      ? "given up, it may have happened"
					      : "given up, nothing was done");
	if (why && *why)
		strbuf_add_format(sb, " (%.*s)", news_cut(why, MESSAGE_MAX), why);
}

bool saga_tell_settled(const struct saga_env *env, const json_t *saga, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *steps = json_object_get(saga, "steps"), *step;
	size_t done = 0, left = 0, i;

	json_array_foreach(steps, i, step)
	{
		if (saga_step_is_open(step))
			return true;
		done += saga_step_is_done(step);
	}
	strbuf_add_format(&text, "%s settled after trying again: %zu of %zu steps done",
			  json_get_string(saga, "kind"), done, json_array_size(steps));
	json_array_foreach(steps, i, step)
	{
		if (saga_step_is_done(step))
			continue;
		if (++left > LEFT_MAX || text.length > TEXT_MAX - MESSAGE_MAX - 250)
			continue;
		say_step(saga, step, &text);
	}
	if (left > 0)
		strbuf_add_string(&text, "; see get_account");
	if (!strbuf_ok(&text))
		return error_oom(err);
	return news_put(env->records, json_get_string(saga, "approval"), "settled",
			text.data, env->now_ms, err);
}
