/*
 * slack-draw -- a prompt on stdin as slack/render draws it, for tests in other languages.
 *
 *   slack-draw message DRAWN_AT [along]     what chat.postMessage gets
 *   slack-draw page DRAWN_AT PAGE           a page of its review
 *   slack-draw why                          the form that asks why
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slack/render/prompt.h"

static json_t *draw(const json_t *prompt, int argc, char **argv, struct error *err)
{
	int64_t at = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;
	size_t pages;

	if (argc >= 3 && strcmp(argv[1], "message") == 0) {
		const struct slack_prompt_view view = { at, argc > 3 };

		return slack_prompt_message(prompt, &view, err);
	}
	if (argc == 4 && strcmp(argv[1], "page") == 0)
		return slack_prompt_page(prompt, at, strtoul(argv[3], NULL, 10), &pages,
					 err);
	if (argc == 2 && strcmp(argv[1], "why") == 0)
		return slack_prompt_why(prompt, err);
	error_set(err, ERR_INVALID_ARGUMENT, "slack-draw message|page|why ...");
	return NULL;
}

int main(int argc, char **argv)
{
	json_auto_t *prompt = json_loadf(stdin, 0, NULL);
	struct error err = ERROR_INIT;
	json_auto_t *drawn = prompt ? draw(prompt, argc, argv, &err) : NULL;

	if (!drawn) {
		(void)fprintf(stderr, "slack-draw: %s\n", err.message);
		return 1;
	}
	return json_dumpf(drawn, stdout, JSON_COMPACT) == 0 ? 0 : 1;
}
