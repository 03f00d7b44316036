/*
 * json-check FILE -- does the strict reader take it?
 *
 * Exit 0: accepted; 1: refused, the reason on stderr; 2: usage, or no such file.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/options.h"

struct settings {
	bool contract;
};

static const struct option_row rows[] = {
	OPTION_BOOL("contract", 0, "what may be signed: I-JSON, exact numbers, no NUL",
		    offsetof(struct settings, contract)),
	OPTION_END
};

enum { INPUT_MAX = 128 * 1024 * 1024 };

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct settings settings = { 0 };
	struct error err = ERROR_INIT;
	json_auto_t *value = NULL;
	int operands = 0;

	if (options_parse(rows, &settings, argc, argv, &operands, &err) != OPTIONS_OK ||
	    operands != 1) {
		options_help("json-check", "[--contract] FILE", "Check one JSON text.",
			     rows, stderr);
		return 2;
	}
	/* More than the reader takes, so that it is the reader who refuses. */
	if (!file_read(argv[1], INPUT_MAX, &text, &err)) {
		fprintf(stderr, "json-check: %s\n", err.message);
		return 2;
	}
	value = json_parse(text.data, text.length,
			   settings.contract ? JSON_CONTRACT : JSON_SYNTAX, &err);
	if (!value)
		fprintf(stderr, "%s\n", err.message);
	return value ? 0 : 1;
}
