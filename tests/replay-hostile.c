/*
 * replay-hostile FILE -- plays records of what hostile models, people and networks do, and
 * says of each, in one line of JSON, whether what had to come of it did:
 *
 *   {"name": ..., "passed": true, "why": ""}
 *   N passed, N failed
 *
 * FILE has one record a line. FILE's stem with .toolset.json beside it has the tools and
 * people; without it a few of the catalogue serve. Exit status 1 if any failed.
 */
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "replay/record.h"

enum { FILE_MAX = 256 * 1024 * 1024 };

static const char default_toolset[] =
	"{\"servers\":{\"people\":{\"find_person\":{\"risk\":\"read\",\"input\":\"query, "
	"limit?\"}},"
	"\"accounts\":{\"block_account\":{\"risk\":\"destructive\"},"
	"\"unblock_account\":{\"risk\":\"destructive\"},\"get_account\":{\"risk\":"
	"\"read\"},"
	"\"revoke_sessions\":{\"risk\":\"destructive\",\"input\":\"person, systems?, "
	"reason\"}}},"
	"\"people\":{\"U0DANA\":\"dana, security team\",\"U0EMIR\":\"emir, security "
	"team\","
	"\"U0TROY\":\"troy, not in the security team\"}}";

/* A lone surrogate is no JSON; what stands for it here is refused as well, but by the gate
 * and not by whoever reads the record. */
static void replace_lone_surrogates(char *text)
{
	for (char *s = text; (s = strstr(s, "\\u")); s += 2) {
		bool is_escaped = s > text && s[-1] == '\\';
		long c = strtol(
			(char[]){ s[2], s[2] ? s[3] : 0, s[2] && s[3] ? s[4] : 0, 0 },
			NULL, 16);
		bool is_high = c >= 0xD80 && c <= 0xDBF,
		     is_low = c >= 0xDC0 && c <= 0xDFF;
		bool has_low = strlen(s) >= 12 && s[6] == '\\' && s[7] == 'u' &&
			       (s[8] == 'd' || s[8] == 'D') && strchr("cdefCDEF", s[9]);

		if (is_escaped || (!is_high && !is_low))
			continue;
		if (is_high && has_low)
			s += 6;
		else
			memcpy(s + 2, "FFFF", 4);
	}
}

static json_t *read_record(char *line, size_t length, struct error *err)
{
	json_t *record = json_parse(line, length, JSON_SYNTAX, err);

	if (record)
		return record;
	replace_lone_surrogates(line);
	error_clear(err);
	record = json_parse(line, length, JSON_SYNTAX, err);
	/* Deeper than we read, or larger: it is the call in it that must be refused. */
	return record ? record : json_loadb(line, length, JSON_ALLOW_NUL, NULL);
}

static bool replay(char *line, size_t length, const json_t *toolset)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = read_record(line, length, &err);
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	const char *name = json_get_string(record, "name");
	bool passed = false;

	if (record)
		passed = record_replay(record, toolset, &why);
	else
		strbuf_add_string(&why, err.message);
	json_auto_t *said = json_pack("{s:s, s:b, s:s}", "name", name ? name : "?",
				      "passed", passed, "why", why.data);
	(void)json_dumpf(said, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	(void)fflush(stdout);
	return passed;
}

static json_t *read_toolset(const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, text = STRBUF_INIT;
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

	strbuf_add(&name, path,
		   dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path));
	strbuf_add_string(&name, ".toolset.json");
	if (!file_exists(name.data))
		return json_parse(default_toolset, sizeof default_toolset - 1,
				  JSON_SYNTAX, err);
	return file_read(name.data, FILE_MAX, &text, err)
		       ? json_parse(text.data, text.length, JSON_SYNTAX, err)
		       : NULL;
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *toolset = NULL;
	size_t passed = 0, failed = 0;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: replay-hostile FILE\n");
		return 2;
	}
	log_setup("replay-hostile", LOG_ERROR);
	toolset = read_toolset(argv[1], &err);
	if (!toolset || !file_read(argv[1], FILE_MAX, &text, &err)) {
		(void)fprintf(stderr, "replay-hostile: %s\n", err.message);
		return 2;
	}
	for (char *line = text.data; *line;) {
		size_t length = strcspn(line, "\n");
		bool is_last = line[length] == '\0';

		line[length] = '\0';
		if (line[strspn(line, " \t\r")]) {
			if (replay(line, length, toolset))
				passed++;
			else
				failed++;
		}
		line += length + !is_last;
	}
	(void)printf("%zu passed, %zu failed\n", passed, failed);
	return failed ? 1 : 0;
}
