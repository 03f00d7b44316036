#include "gate/page.h"

#include <ctype.h>

enum { LOOK_AGAIN_S = 5 };

static const struct {
	const char *state, *title, *text;
	bool is_open;
} states[] = {
	{ "proposed", "Being prepared", "The gate is finding out what the call would do.",
	  true },
	{ "planned", "Being prepared", "The gate is finding out what the call would do.",
	  true },
	{ "pending", "Waiting for a decision",
	  "Someone who may approve has to look at it and decide. That is not done on "
	  "this "
	  "page.",
	  true },
	{ "approved", "Approved", "It runs as soon as the client asks again.", true },
	{ "granted", "Running", "It was approved and is being carried out.", true },
	{ "executing", "Running", "It was approved and is being carried out.", true },
	{ "succeeded", "Done", "It was approved and carried out.", false },
	{ "failed", "Failed", "It was approved, and failed.", false },
	{ "unknown", "Outcome unknown",
	  "It was approved and begun; what came of it is not known.", false },
	{ "denied", "Denied", "Somebody said no. Nothing was done.", false },
	{ "expired", "Expired", "Nobody decided in time. Nothing was done.", false },
	{ "superseded", "Superseded", "Things changed meanwhile. Nothing was done.",
	  false },
	{ "cancelled", "Cancelled", "It was taken back. Nothing was done.", false },
	{ "revoked", "Revoked", "The approval was taken back. Nothing was done.", false },
	{ "lapsed", "Lapsed", "The approval was not used in time. Nothing was done.",
	  false },
	{ "refused", "Refused", "The call could not be carried out. Nothing was done.",
	  false },
};

bool page_is_name(const char *name)
{
	size_t length = 0;

	while (isalnum((unsigned char)name[length]) || name[length] == '-' ||
	       name[length] == '_')
		length++;
	return length == PAGE_NAME_LENGTH && name[length] == '\0';
}

static void write_page(struct strbuf *sb, const char *title, const char *text,
		       const char *approval, bool is_open)
{
	strbuf_add_string(sb, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
			      "<meta charset=\"utf-8\">\n");
	if (is_open)
		strbuf_add_format(sb, "<meta http-equiv=\"refresh\" content=\"%d\">\n",
				  LOOK_AGAIN_S);
	strbuf_add_format(sb,
			  "<title>%s</title>\n"
			  "<meta name=\"viewport\" content=\"width=device-width\">\n"
			  "</head>\n<body>\n<h1>%s</h1>\n<p>%s</p>\n",
			  title, title, text);
	if (approval)
		strbuf_add_format(sb,
				  "<p>Look at it, and decide, in Slack or at a terminal:"
				  "</p>\n<pre>wingman approvals show %s</pre>\n",
				  approval);
	strbuf_add_string(sb, "</body>\n</html>\n");
}

void page_write(struct strbuf *sb, const char *state, const char *approval)
{
	for (size_t i = 0; state && i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].state, state) == 0) {
			write_page(sb, states[i].title, states[i].text, approval,
				   states[i].is_open);
			return;
		}
	write_page(
		sb, "Nothing here",
		"There is no such call, or it is long over. Nothing is decided on pages "
		"like this one.",
		NULL, false);
}
