/*
 * audit-chains FOLDER COUNT FILE_BYTES -- the logs of a gate and a server as COUNT approvals
 * leave them, in files of about FILE_BYTES, each naming the other's heads. Goes on where an
 * earlier run ended. Prints the heads, "PROGRAM:SEQ:HASH".
 *
 * audit-chains FOLDER fill PROGRAM -- the log of a program that has room for a few lines more
 * in its first file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guard/audit.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct pair {
	struct audit *gate, *server;
};

static void must(bool good, const struct error *err)
{
	if (good)
		return;
	fprintf(stderr, "audit-chains: %s (%s)\n", err->message, err->cause);
	exit(1);
}

static json_t *head(struct audit *a, const char *program)
{
	char hash[DIGEST_HEX_BYTES];
	int64_t seq;

	audit_head(a, &seq, hash);
	return json_pack("{s:s, s:I, s:s}", "program", program, "seq", (json_int_t)seq,
			 "hash", hash);
}

static void gate(struct pair *p, const char *event, const char *id, json_t *more)
{
	struct error err = ERROR_INIT;
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s}", "approval", id, "requester",
				 "alice@company.example", "server", "accounts", "tool",
				 "block_account", "args", DIGEST);

	if (more)
		(void)json_object_update(data, more);
	json_decref(more);
	must(audit_append(p->gate, event, data, NULL, &err), &err);
}

static void tell(struct pair *p, const char *id)
{
	struct error err = ERROR_INIT;
	char hash[DIGEST_HEX_BYTES];
	int64_t seq;

	gate(p, "approval.proposed", id, NULL);
	gate(p, "approval.planned", id, json_pack("{s:s}", "plan_digest", DIGEST));
	gate(p, "approval.pending", id,
	     json_pack("{s:s, s:s}", "rule", "everyday", "shown", DIGEST));
	gate(p, "approval.approved", id, json_pack("{s:s}", "by", "bob@company.example"));
	gate(p, "grant.signing", id,
	     json_pack("{s:{s:s, s:i}}", "grant", "kid", "k1", "exp", 1800000000));
	gate(p, "approval.granted", id, NULL);
	audit_head(p->gate, &seq, hash);
	must(audit_append(p->server, "call.started",
			  json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "approval", id,
				    "tool", "block_account", "requester",
				    "alice@company.example", "gate_head", "program",
				    "gate", "hash", hash),
			  NULL, &err),
	     &err);
	must(audit_append_outcome(p->server, "call.finished",
				  json_pack("{s:s, s:s, s:s, s:s}", "approval", id,
					    "tool", "block_account", "state", "succeeded",
					    "verified", "yes"),
				  NULL, &err),
	     &err);
	gate(p, "approval.succeeded", id,
	     json_pack("{s:b, s:o}", "verified", 1, "server_head",
		       head(p->server, "accounts")));
}

static void print_head(struct audit *a, const char *program)
{
	char hash[DIGEST_HEX_BYTES];
	int64_t seq;

	audit_head(a, &seq, hash);
	printf("%s:%lld:%s\n", program, (long long)seq, hash);
}

enum { FILL_LINE = 200 * 1000, FILL_LEAVES = 4000 };

static int fill(struct statedir *dir, const char *program)
{
	struct error err = ERROR_INIT;
	struct audit *a = audit_open(dir, program, &err);
	char *path = statedir_path(dir, "audit/%s.jsonl", program);
	struct stat st = { 0 };

	must(a && path, &err);
	for (int64_t left = AUDIT_FILE_BYTES;;) {
		left = AUDIT_FILE_BYTES - FILL_LEAVES - (int64_t)st.st_size;
		if (left < 1000)
			break;
		const size_t length = left < 2 * FILL_LINE ? (size_t)left / 2 : FILL_LINE;
		char *text = calloc(1, length + 1);
		must(text != NULL, &err);
		memset(text, 'x', length);
		must(audit_append(a, "test.fill", json_pack("{s:s}", "text", text), NULL,
				  &err),
		     &err);
		free(text);
		must(stat(path, &st) == 0, &err);
	}
	audit_close(a);
	free(path);
	statedir_free(dir);
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct pair p = { NULL, NULL };
	char id[32];

	if (argc != 4)
		return 2;
	const int count = (int)strtol(argv[2], NULL, 10);
	const int64_t bytes = strtoll(argv[3], NULL, 10);
	struct statedir *dir = statedir_new(argv[1], &err);
	must(dir && statedir_create(dir, &err), &err);
	if (strcmp(argv[2], "fill") == 0)
		return fill(dir, argv[3]);
	must((p.gate = audit_open(dir, "gate", &err)), &err);
	must((p.server = audit_open(dir, "accounts", &err)), &err);
	audit_limit_file(p.gate, bytes);
	audit_limit_file(p.server, bytes);
	for (int i = 0; i < count; i++) {
		(void)snprintf(id, sizeof id, "approval%04d", i);
		tell(&p, id);
	}
	print_head(p.gate, "gate");
	print_head(p.server, "accounts");
	audit_close(p.gate);
	audit_close(p.server);
	statedir_free(dir);
	return 0;
}
