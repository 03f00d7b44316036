#include "conformance/rows.h"

/* ---- Resources ---- */

bool static_text(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	static const char text[] = "This is the content of the static text resource.";

	(void)call;
	(void)err;
	mcp_contents_text(c, "text/plain", text, strlen(text));
	mcp_contents_cache(c, 60000, true);
	return true;
}

bool static_binary(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	(void)call;
	(void)err;
	mcp_contents_blob(c, "image/png", sample_png, sample_png_bytes);
	return true;
}

bool template_data(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	const char *id = mcp_call_string(call, "id", "");
	_cleanup_strbuf_ struct strbuf says = STRBUF_INIT;

	strbuf_add_format(&says, "Data for ID: %s", id);
	json_auto_t *data = json_pack("{s:s, s:b, s:s}", "id", id, "templateTest", true,
				      "data", says.data);
	_cleanup_free_ char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;
	if (!text || !strbuf_ok(&says))
		return error_oom(err);
	mcp_contents_text(c, "application/json", text, strlen(text));
	return true;
}

/* ---- Prompts ---- */

bool simple_prompt(struct mcp_call *call, struct mcp_messages *m, struct error *err)
{
	(void)call;
	(void)err;
	mcp_messages_text(m, "user", "This is a simple prompt for testing.");
	return true;
}

bool prompt_arguments(struct mcp_call *call, struct mcp_messages *m, struct error *err)
{
	(void)err;
	mcp_messages_text(m, "user", "Prompt with arguments: arg1='%s', arg2='%s'",
			  mcp_call_string(call, "arg1", ""),
			  mcp_call_string(call, "arg2", ""));
	return true;
}

bool prompt_resource(struct mcp_call *call, struct mcp_messages *m, struct error *err)
{
	(void)err;
	mcp_messages_block(m, "user",
			   mcp_block_resource(mcp_call_string(call, "resourceUri", ""),
					      "text/plain",
					      "Embedded resource content for testing."));
	mcp_messages_text(m, "user", "Please process the embedded resource above.");
	return true;
}

bool prompt_image(struct mcp_call *call, struct mcp_messages *m, struct error *err)
{
	(void)call;
	(void)err;
	mcp_messages_block(
		m, "user",
		mcp_block_data("image", "image/png", sample_png, sample_png_bytes));
	mcp_messages_text(m, "user", "Please analyze the image above.");
	return true;
}

bool complete_argument(struct mcp_call *call, const char *argument, const char *value,
		       struct mcp_values *values, struct error *err)
{
	static const char *const words[] = { "paris", "park", "party" };

	(void)call;
	(void)argument;
	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strncmp(words[i], value, strlen(value)) == 0)
			mcp_values_add(values, words[i]);
	return true;
}
