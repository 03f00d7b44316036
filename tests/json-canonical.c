/*
 * json-canonical FILE -- the RFC 8785 bytes of a JSON text, without a line feed.
 *
 * With --lines, FILE holds one text a line and each is answered by one line; a
 * text that is refused becomes an empty one. Exit 0; 1: refused (with --lines:
 * some were); 2: usage, or no such file. FILE may be "-".
 */
#include "base/canonical.h"
#include "base/file.h"
#include "base/json.h"
#include "base/options.h"

struct settings {
	bool lines;
};

static const struct option_row rows[] = {
	OPTION_BOOL("lines", 0, "one text a line, one answer a line",
		    offsetof(struct settings, lines)),
	OPTION_END
};

enum { INPUT_MAX = 128 * 1024 * 1024 };

static bool canonicalise(const char *text, size_t length, struct strbuf *out)
{
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, length, JSON_SYNTAX, &err);
	size_t start = out->length;

	if (value && canonical_write(out, value, &err))
		return true;
	strbuf_truncate(out, start);
	fprintf(stderr, "%s\n", err.message);
	return false;
}

static bool canonicalise_lines(const struct strbuf *text, struct strbuf *out)
{
	const char *at = text->data, *end = text->data + text->length;
	bool good = true;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		const char *stop = feed ? feed : end;

		good &= canonicalise(at, (size_t)(stop - at), out);
		strbuf_add_char(out, '\n');
		at = stop + 1;
	}
	return good;
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct settings settings = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	bool good, read;

	if (options_parse(rows, &settings, argc, argv, &operands, &err) != OPTIONS_OK ||
	    operands != 1) {
		options_help("json-canonical", "[--lines] FILE",
			     "Write JSON canonically.", rows, stderr);
		return 2;
	}
	if (!strcmp(argv[1], "-"))
		read = file_read_fd(STDIN_FILENO, INPUT_MAX, &text, &err);
	else
		read = file_read(argv[1], INPUT_MAX, &text, &err);
	if (!read) {
		fprintf(stderr, "json-canonical: %s\n", err.message);
		return 2;
	}
	good = settings.lines ? canonicalise_lines(&text, &out)
			      : canonicalise(text.data, text.length, &out);
	if (!strbuf_ok(&out) || fwrite(out.data, 1, out.length, stdout) != out.length ||
	    fflush(stdout) != 0)
		return 2;
	return good ? 0 : 1;
}
