/*
 * replay-hostile [--full] FILE -- plays records of what hostile models, people and networks do, and
 * says of each, in one line of JSON, whether what had to come of it did:
 *
 *   {"name": ..., "passed": true, "why": ""}
 *   N passed, N failed
 *
 * With --full in front of FILE it goes the whole way: a mock of the provider,
 * wingman-egress, wingman-assistant, wingman-gate and servers are processes
 * (tests/replay/full.py, tests/replay/whole.c; replay-whole is this program built so).
 *
 * FILE has one record a line. FILE's stem with .toolset.json beside it has the tools and
 * people; without it a few of the catalogue serve. Exit status 1 if any failed or there was
 * none, 2 if nothing could be played at all. What is no such record, or cannot be played, has
 * failed, and 'why' says so.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "replay/form.h"
#include "replay/record.h"

enum { FILE_MAX = 256 * 1024 * 1024, RECORD_S = 600 };

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

static bool tell(int fd, const struct strbuf *why)
{
	for (size_t at = 0; at < why->length;) {
		ssize_t n = write(fd, why->data + at, why->length - at);

		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* In a process of its own, so that one which ends it, or never does, is a record that failed. */
static bool play_apart(const json_t *record, const json_t *toolset, struct strbuf *why)
{
	int fds[2], status = 0;
	char buffer[4096];
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		strbuf_add_string(why, "there is no process for it");
		return false;
	}
	if (pid == 0) {
		(void)alarm(RECORD_S);
		bool passed = record_replay(record, toolset, why);

		/* Nothing of the parent's is to be ended here. */
		_exit(tell(fds[1], why) && passed ? 0 : 1);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], buffer, sizeof buffer)) > 0)
		strbuf_add(why, buffer, (size_t)n);
	(void)close(fds[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		strbuf_add_format(
			why, "%sit could not be played: %s", why->length ? "; " : "",
			WTERMSIG(status) == SIGALRM ? "it does not end"
						    : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) > 0 && why->length == 0)
		strbuf_add_string(why, "it could not be played");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && why->length == 0;
}

static bool replay(char *line, size_t length, const json_t *toolset)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = read_record(line, length, &err);
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	const char *name = json_get_string(record, "name");
	char fault[200];
	bool passed = false;

	if (!record)
		strbuf_add_string(&why, err.message[0] ? err.message : "this is no JSON");
	else if (!form_check(record, fault, sizeof fault))
		strbuf_add_string(&why, fault);
	else
		passed = play_apart(record, toolset, &why);
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

/* The same through processes: replay-whole, by way of what plays the provider. */
static int play_full(const char *file)
{
	char own[2048], build[2048], python[2100], whole[2100];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

	if (length <= 0)
		return 2;
	own[length] = '\0';
	memcpy(build, own, (size_t)length + 1);
	for (int i = 0; i < 2; i++) { /* build/tests/replay-hostile */
		char *slash = strrchr(build, '/');

		if (slash)
			*slash = '\0';
	}
	(void)snprintf(python, sizeof python, "%s/venv/bin/python3", build);
	(void)snprintf(whole, sizeof whole, "%s/tests/replay-whole", build);
	(void)setenv("WINGMAN_BUILD", build, 0);
	(void)execl(python, python, REPLAY_FULL, whole, file, (char *)NULL);
	(void)execlp("python3", "python3", REPLAY_FULL, whole, file, (char *)NULL);
	perror("replay-hostile: python3");
	return 2;
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *toolset = NULL;
	size_t passed = 0, failed = 0;

	if (argc == 3 && strcmp(argv[1], "--full") == 0)
		return play_full(argv[2]);
	if (argc != 2) {
		(void)fprintf(stderr, "usage: replay-hostile [--full] FILE\n");
		return 2;
	}
	log_setup("replay-hostile", LOG_ERROR);
	toolset = read_toolset(argv[1], &err);
	if (!toolset || !file_read(argv[1], FILE_MAX, &text, &err)) {
		(void)fprintf(stderr, "replay-hostile: %s\n", err.message);
		return 2;
	}
	for (size_t at = 0; at < text.length;) {
		char *line = text.data + at;
		const char *end = memchr(line, '\n', text.length - at);
		size_t length = end ? (size_t)(end - line) : text.length - at;

		at += length + 1;
		line[length] = '\0';
		if (strspn(line, " \t\r") == length)
			continue;
		if (replay(line, length, toolset))
			passed++;
		else
			failed++;
	}
	(void)printf("%zu passed, %zu failed\n", passed, failed);
	if (passed + failed == 0)
		(void)fprintf(stderr, "replay-hostile: there is no record in %s\n",
			      argv[1]);
	return failed || passed == 0 ? 1 : 0;
}
