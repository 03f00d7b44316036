/* Any bytes as evidence: nothing is taken for Slack's, and no click reads past its end. */
#include "tests/fuzz/fuzz.h"

#include "slack/verify/click.h"
#include "slack/verify/replay.h"
#include "slack/verify/turn.h"

enum { NOW_S = 1795370400 };

/* The first line is the timestamp, the second the signature, the rest the body. */
static const char *take_line(char *at, char *end)
{
	char *line_end = memchr(at, '\n', (size_t)(end - at));

	if (line_end)
		*line_end = '\0';
	return line_end ? line_end + 1 : NULL;
}

static void check(const struct slack_evidence *e)
{
	_cleanup_(secret_freep) struct secret *secret = secret_new("secret", 6);
	const struct secret *secrets[] = { secret };
	struct error err = ERROR_INIT;

	if (secret && slack_signature_check(e, secrets, 1, NOW_S, &err))
		abort(); /* found by chance: not in this universe */
}

/* Whoever is named at all is named by an id. */
static void check_turn(const void *body, size_t length)
{
	enum slack_delivery delivery;
	struct error err = ERROR_INIT;
	struct slack_turn turn;
	json_auto_t *payload = slack_payload_read(body, length, &delivery, &err);
	json_auto_t *framed = NULL;

	if (payload && slack_turn_of(payload, delivery, &turn, &err) &&
	    (!turn.actor.user[0] || !turn.actor.team[0] || !turn.actor.app[0]))
		abort();
	error_clear(&err);
	framed = slack_envelope_read(body, length, &delivery, &err);
	if (framed)
		(void)slack_turn_of(framed, delivery, &turn, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = malloc(size + 1);
	_cleanup_(slack_replay_freep) struct slack_replay *replay = slack_replay_new(2);
	struct slack_evidence e = { 0 };
	struct slack_click click;
	struct error err = ERROR_INIT;

	if (!copy || !replay)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	const char *signature = take_line(copy, copy + size);
	const char *body = signature ? take_line(copy + (signature - copy), copy + size)
				     : NULL;
	if (body) {
		e.timestamp = copy;
		e.signature = signature;
		e.body = body;
		e.length = (size_t)(copy + size - body);
	} else {
		e.body = data;
		e.length = size;
	}
	check(&e);
	check_turn(e.body, e.length);
	if (slack_click_read(e.body, e.length, &click, &err) &&
	    (!digest_is_hex(click.shown) || !click.user[0] || !click.approval[0]))
		abort();
	error_clear(&err);
	if (!slack_replay_take(replay, e.body, e.length, NOW_S, &err) ||
	    slack_replay_take(replay, e.body, e.length, NOW_S, &err))
		abort();
	return 0;
}
