/* wingman audit verify: what is proven of each chain, and by what. */
#include "console/audit.h"
#include "console/chains.h"

struct verdict {
	const struct console *console;
	int status;
};

static const char *const key_words[] = {
	[CHAINS_KEY_NONE] = "none",
	[CHAINS_KEY_BESIDE] = "beside the log",
	[CHAINS_KEY_GIVEN] = "given",
};

static void print_json(const char *program, const struct audit_report *r,
		       enum chains_key key)
{
	json_auto_t *line = json_pack(
		"{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, "
		"s:I, s:s}",
		"program", program, "sound", r->sound, "end_proven", r->end_proven,
		"lines", (json_int_t)r->lines, "files", (json_int_t)r->files,
		"checkpoints", (json_int_t)r->checkpoints, "first_seq",
		(json_int_t)r->first_seq, "last_seq", (json_int_t)r->last_seq,
		"signed_to_seq", (json_int_t)r->signed_to_seq, "anchored_to_seq",
		(json_int_t)r->anchored_to_seq, "proven_to_seq",
		(json_int_t)r->proven_to_seq, "key", key_words[key], "head", r->last_hash,
		"finding", r->finding, "finding_line", (json_int_t)r->finding_line,
		"finding_file", r->finding_file);

	console_print_json(line);
}

static void print_proven(const struct console *c, const char *program,
			 const struct audit_report *r, enum chains_key key)
{
	const char *more = console_dim(c), *plain = console_plain(c);

	if (r->first_seq > 0)
		printf("  %sfrom seq %lld on: the files before are not here%s\n", more,
		       (long long)r->first_seq, plain);
	if (r->signed_to_seq >= 0)
		printf("  %ssigned to seq %lld with the key %s%s\n", more,
		       (long long)r->signed_to_seq,
		       key == CHAINS_KEY_GIVEN ? "that was given"
					       : "that lies beside the log",
		       plain);
	else if (key == CHAINS_KEY_NONE)
		printf("  %ssignatures were not checked: no key of it is known%s\n", more,
		       plain);
	if (r->anchored_to_seq >= 0)
		printf("  %sknown elsewhere to seq %lld%s\n", more,
		       (long long)r->anchored_to_seq, plain);
	if (r->proven_to_seq < 0 && r->last_seq > 0)
		printf("  %sno checkpoint, anchor or other log knows it: it proves "
		       "nothing of itself%s\n",
		       more, plain);
	else if (r->proven_to_seq < r->last_seq - 1)
		printf("  %swhat is behind seq %lld proves nothing of itself%s\n", more,
		       (long long)r->proven_to_seq, plain);
	if (r->last_seq >= 0)
		printf("  %sto remember: --anchor %s:%lld:%s%s\n", more, program,
		       (long long)r->last_seq, r->last_hash, plain);
}

static void print_report(const struct console *c, const char *program,
			 const struct audit_report *r, enum chains_key key)
{
	if (c->json) {
		print_json(program, r, key);
		return;
	}
	if (!r->sound) {
		printf("%s: %sBROKEN%s at line %lld of %s: ", program, console_red(c),
		       console_plain(c), (long long)r->finding_line, r->finding_file);
		console_print_visible(r->finding);
		return;
	}
	printf("%s: %ssound%s, %lld lines in %zu file%s, %lld checkpoints, %s (head "
	       "%.12s)\n",
	       program, console_green(c), console_plain(c), (long long)r->lines, r->files,
	       r->files == 1 ? "" : "s", (long long)r->checkpoints,
	       r->end_proven ? "end proven" : "end not proven", r->last_hash);
	print_proven(c, program, r, key);
}

static void on_verdict(void *context, const char *program, const struct audit_report *r,
		       enum chains_key key, const struct error *err)
{
	struct verdict *v = context;

	if (error_is_set(err)) {
		v->status = console_fail(v->console, err);
		return;
	}
	print_report(v->console, program, r, key);
	if (!r->sound)
		v->status = EXIT_FAILED;
}

static bool read_known(const struct audit_options *o, struct chains_known *known,
		       struct error *err)
{
	for (size_t i = 0; i < o->keys.count; i++)
		if (!chains_add_key(known, o->keys.items[i], err))
			return false;
	for (size_t i = 0; i < o->anchors.count; i++)
		if (!chains_add_anchor(known, o->anchors.items[i], err))
			return false;
	return true;
}

int audit_verify_command(struct console *c, const struct audit_options *o,
			 const char *folder)
{
	struct error err = ERROR_INIT;
	_cleanup_(chains_known_done) struct chains_known known = { 0 };
	_cleanup_free_ char *path = audit_folder(c, folder, &err);
	struct verdict v = { c, EXIT_DONE };
	size_t count = 0;

	if (!path || !read_known(o, &known, &err) ||
	    !chains_verify(path, &known, on_verdict, &v, &count, &err))
		return console_fail(c, &err);
	if (count == 0 && !c->json)
		printf("there is no log yet\n");
	return v.status;
}
