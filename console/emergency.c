/* wingman emergency: a yes by break-glass, its key, and the review afterwards. */
#include <limits.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "console/decide.h"
#include "console/interrupt.h"
#include "guard/emergency.h"

enum { PASSPHRASE_MIN = 12, RUN_WAIT_MS = 5 * 60 * 1000 };

struct emergency_options {
	const char *key, *reason;
};

static const struct option_row rows[] = {
	OPTION_STRING("key", 'k', "FILE", "the emergency key, encrypted; for approve",
		      offsetof(struct emergency_options, key)),
	OPTION_STRING("reason", 'r', "TEXT", "what you found, for review",
		      offsetof(struct emergency_options, reason)),
	OPTION_END,
};

/* --- the key --- */

static struct secret *new_passphrase(struct terminal *t, struct error *err)
{
	_cleanup_(secret_freep) struct secret *one = terminal_read_secret(
		t, "passphrase for the emergency key (12 characters at least): ");
	_cleanup_(secret_freep) struct secret *two =
		one ? terminal_read_secret(t, "once more: ") : NULL;

	if (!two) {
		error_set(err, ERR_INVALID_ARGUMENT, "given up; nothing was made");
		return NULL;
	}
	if (secret_length(one) < PASSPHRASE_MIN) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a passphrase has %d characters at least; nothing was made",
			  PASSPHRASE_MIN);
		return NULL;
	}
	if (!digest_equal(secret_bytes(one), secret_length(one), secret_bytes(two),
			  secret_length(two))) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the passphrases differ; nothing was made");
		return NULL;
	}
	return TAKE(one);
}

static bool write_public(const struct console *c, const struct sign_key *key,
			 struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(c->dir, "keys/emergency");
	_cleanup_free_ char *path =
		statedir_path(c->dir, "keys/emergency/%s.pem", sign_key_kid(key));

	if (!folder || !path)
		return error_oom(err);
	return file_make_dir(folder, 0700, err) && sign_key_write_public(key, path, err);
}

static int new_key(struct console *c, const char *path)
{
	struct error err = ERROR_INIT;
	_cleanup_(terminal_closep) struct terminal *t = terminal_open(&err);
	_cleanup_(secret_freep) struct secret *passphrase = t ? new_passphrase(t, &err)
							      : NULL;
	_cleanup_(sign_key_freep) struct sign_key *key =
		passphrase ? sign_key_create_encrypted(path, passphrase, &err) : NULL;

	if (!key || !write_public(c, key, &err))
		return console_fail(c, &err);
	printf("made %s, encrypted; the gate trusts it as keys/emergency/%s.pem\n"
	       "take the file away from this machine, and its passphrase elsewhere\n",
	       path, sign_key_kid(key));
	return EXIT_DONE;
}

/* --- approve --- */

/* As typed by a person who has read: the gate compares all of it. */
static json_t *say(struct terminal *t, const json_t *record, const char *digest,
		   const struct sign_key *key, struct error *err)
{
	_cleanup_free_ char *reason = terminal_read_line(
		t, "Why can it not wait? (the whole team will read it): ");
	_cleanup_free_ char *typed =
		reason ? terminal_read_line(
				 t, "Type the twelve digits of the digest above: ")
		       : NULL;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	const char *approval = json_get_string(record, "id");

	if (!reason || !typed || !approval) {
		error_set(err, ERR_INVALID_ARGUMENT, "given up; nothing was decided");
		return NULL;
	}
	if (!emergency_seal(&word, approval, digest, typed, reason, clock_wall_ms(), key,
			    err))
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "approval", approval, "shown", digest, "word",
			 word.data);
}

static struct sign_key *open_key(struct terminal *t, const char *path, struct error *err)
{
	_cleanup_(secret_freep) struct secret *passphrase =
		terminal_read_secret(t, "passphrase of the emergency key: ");

	if (!passphrase) {
		error_set(err, ERR_INVALID_ARGUMENT, "no passphrase was given");
		return NULL;
	}
	return sign_key_read_encrypted(path, passphrase, err);
}

static bool decide(const struct console *c, struct gate_link *g, const json_t *record,
		   const char *key_path, struct error *err)
{
	_cleanup_(terminal_closep) struct terminal *t = terminal_open(err);
	_cleanup_(sign_key_freep) struct sign_key *key = NULL;
	char digest[DIGEST_HEX_BYTES];
	json_auto_t *reply = NULL;
	json_t *message;

	if (!t)
		return false;
	switch (decide_draw(c, t, json_object_get(record, "prompt"), digest, err)) {
	case DRAWN_NOT:
		return false;
	case DRAWN_NOT_READ:
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "given up; nothing was decided");
	case DRAWN:
		break;
	}
	terminal_flush_input(t);
	key = open_key(t, key_path, err);
	message = key ? say(t, record, digest, key, err) : NULL;
	if (!message)
		return error_is_set(err) ? false : error_oom(err);
	if (json_is_true(json_object_get(gate_link_hello(g), "pin_set"))) {
		json_t *pin = decide_read_pin(t);

		if (pin)
			(void)json_object_set_new(message, "pin", pin);
	}
	reply = gate_link_ask(g, MSG_EMERGENCY, message, err);
	return reply != NULL;
}

static int approve(struct console *c, struct gate_link *g, const char *id,
		   const char *key_path)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;
	json_auto_t *ended = NULL;

	if (!key_path)
		return console_usage(c, &command_emergency,
				     "name the emergency key: --key FILE");
	reply = gate_link_ask(g, MSG_SHOW, json_pack("{s:s}", "approval", id), &err);
	if (!reply)
		return console_fail(c, &err);
	if (!json_object_get(json_object_get(reply, "record"), "prompt")) {
		error_set(&err, ERR_CONFLICT, "there is nothing to decide here");
		return console_fail(c, &err);
	}
	if (!decide(c, g, json_object_get(reply, "record"), key_path, &err))
		return console_fail(c, &err);
	if (decide_say_what_is_missing(c, g, id))
		return EXIT_PENDING;
	ended = decide_wait(g, id, RUN_WAIT_MS, false, &err);
	return ended ? decide_report(c, ended) : console_fail(c, &err);
}

/* --- status and review --- */

static int status(struct console *c, struct gate_link *g)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = gate_link_ask(g, MSG_EMERGENCIES, NULL, &err);
	size_t i;
	json_t *use;

	if (!reply)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(reply);
		return EXIT_DONE;
	}
	if (json_is_true(json_object_get(reply, "may")))
		printf("an emergency may be declared: the usual surface has been down "
		       "for %lld s\n",
		       (long long)json_get_int64(reply, "down_s", 0));
	else {
		printf("no emergency now: ");
		console_print_visible(console_member(reply, "why"));
	}
	json_array_foreach(json_object_get(reply, "unreviewed"), i, use)
	{
		char when[CLOCK_TEXT_BYTES];
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

		strbuf_add_format(
			&line, "to be reviewed: %s  %s  %s.%s of %s, approved by %s: %s",
			console_member(use, "approval"),
			clock_format(json_get_int64(use, "at", 0), when),
			console_member(use, "server"), console_member(use, "tool"),
			console_member(use, "requester"), console_member(use, "by"),
			console_member(use, "reason"));
		console_print_visible(line.data ? line.data : "?");
	}
	if (json_array_size(json_object_get(reply, "unreviewed")) == 0)
		printf("nothing is to be reviewed\n");
	return EXIT_DONE;
}

static int review(struct console *c, struct gate_link *g, const char *id,
		  const char *reason)
{
	struct error err = ERROR_INIT;
	json_t *ask = json_pack("{s:s}", "approval", id);
	json_auto_t *reply = NULL;

	if (reason && ask &&
	    json_object_set_new(ask, "reason", json_string(reason)) != 0) {
		json_decref(ask);
		return console_usage(c, &command_emergency,
				     "the reason is no UTF-8 text");
	}
	reply = gate_link_ask(g, MSG_REVIEW, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	printf("reviewed\n");
	return EXIT_DONE;
}

static int run(struct console *c, int argc, char **argv)
{
	struct emergency_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	const char *verb, *operand;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_emergency, err.message);
	interrupt_catch();
	verb = operands > 0 ? argv[1] : "status";
	operand = operands == 2 ? argv[2] : NULL;
	if (strcmp(verb, "new-key") == 0 && operand)
		return new_key(c, operand);
	if (operands > 2 || (strcmp(verb, "status") == 0) == (operand != NULL))
		return console_usage(c, &command_emergency,
				     "say status, new-key FILE, approve ID or review ID");
	g = gate_link_open(c->dir, &err);
	if (!g)
		return console_fail(c, &err);
	if (strcmp(verb, "status") == 0)
		return status(c, g);
	if (strcmp(verb, "approve") == 0)
		return approve(c, g, operand, o.key);
	if (strcmp(verb, "review") == 0)
		return review(c, g, operand, o.reason);
	return console_usage(c, &command_emergency, "unknown verb");
}

const struct command command_emergency = {
	"emergency",
	"emergency [status | new-key FILE | approve ID --key FILE | review ID [--reason "
	"TEXT]]",
	"Break-glass: decide while the usual surface is down, and review it.", run
};
