/*
 * Attacks on what proves a decision: a press in Slack, an emergency word, and one decision on
 * several calls. The gate's own order of judging is in its keeper, which is attacked in
 * attacks_test.py; here its pure parts judge, in that order.
 */
#include <stdio.h>
#include <string.h>

#include "attacks/kinds.h"
#include "gate/click.h"
#include "guard/emergency.h"
#include "slack/verify/replay.h"
#include "slack/verify/seen.h"
#include "slack/verify/signature.h"

#define APP     "A0WINGMAN"
#define TEAM    "T0ACME"
#define CHANNEL "C0SECOPS"

enum twist {
	GOOD,
	OTHER_BYTES,
	OTHER_SECRET,
	OTHER_TIME,
	TOO_OLD,
	TOO_NEW,
	CUT,
	UNKNOWN_USER,
	OTHER_APP,
	OTHER_TEAM,
	OTHER_CHANNEL,
	OTHER_MESSAGE,
	OTHER_WORDS,
	OTHER_DIGEST,
	OTHER_APPROVAL,
	OTHER_BUTTON,
	TWISTS
};

static const char secret_text[] = "8f742231b10e8888abcd99yyyzzz85a5";
static const char *const users[PERSONS] = { "U0ALICE", "U0BOB", "U0CAROL", "U0DAVE",
					    "U0MALLORY" };

struct press {
	struct attack *attack;
	enum twist twist;
	struct asked *asked;
	unsigned who;
	bool is_yes;
	char approval[DIGEST_HEX_BYTES], ts[33];
	int64_t at_s;
	struct strbuf raw;
	char timestamp[24], signature[SLACK_SIGNATURE_CHARACTERS + 1];
};

/* ---- What Slack sends ---- */

static json_t *blocks(const struct press *p, bool as_held)
{
	json_t *header = json_pack("{s:s, s:s}", "type", "header", "text",
				   p->twist == OTHER_WORDS && as_held ? "Lunch?"
								      : p->asked->shown);

	if (as_held)
		json_object_set_new(header, "block_id", json_string("x1"));
	return json_pack("[o]", header);
}

static void other_hex(struct press *p, char *digest)
{
	const size_t at = dice_below(&p->attack->dice, 64);

	digest[at] = digest[at] == '0' ? '1' : '0';
}

static json_t *payload(struct press *p)
{
	char shown[DIGEST_HEX_BYTES], value[160];
	const char *const channel = p->twist == OTHER_CHANNEL ? "C0ELSE" : CHANNEL;
	const char *const team = p->twist == OTHER_TEAM ? "T0ELSE" : TEAM;

	(void)snprintf(shown, sizeof shown, "%s", p->asked->shown);
	if (p->twist == OTHER_DIGEST)
		other_hex(p, shown);
	(void)snprintf(value, sizeof value, "%s%s %s", p->approval,
		       p->twist == OTHER_APPROVAL ? "x" : "", shown);
	return json_pack(
		"{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:s}, s:{s:o}, "
		"s:[{s:s, s:s, s:s}]}",
		"type", "block_actions", "api_app_id",
		p->twist == OTHER_APP ? "A0ELSE" : APP, "team", "id", team, "user", "id",
		p->twist == UNKNOWN_USER ? "U0NOBODY" : users[p->who], "team_id", team,
		"container", "type", "message", "message_ts",
		p->twist == OTHER_MESSAGE ? "1.1" : p->ts, "channel_id", channel,
		"channel", "id", channel, "message", "blocks", blocks(p, true), "actions",
		"type", "button", "action_id",
		p->twist == OTHER_BUTTON ? "wingman.approve_all"
		: p->is_yes              ? "wingman.approve"
					 : "wingman.deny",
		"value", value);
}

static void encode(struct press *p)
{
	json_auto_t *o = payload(p);
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);

	strbuf_add_string(&p->raw, "payload=");
	for (const char *at = text; at && *at; at++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *at))
			strbuf_add_char(&p->raw, *at);
		else
			strbuf_add_format(&p->raw, "%%%02X", (unsigned char)*at);
}

static void sign(struct press *p)
{
	const char *const key = p->twist == OTHER_SECRET ? "guessed" : secret_text;
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];
	const int64_t off = (int64_t)dice_below(&p->attack->dice, 100);

	p->at_s = world_now_ms() / 1000 - (p->twist == TOO_OLD ? SLACK_WINDOW_S + 1 + off
					   : p->twist == TOO_NEW
						   ? -(SLACK_WINDOW_S + 1 + off)
						   : off);
	(void)snprintf(p->timestamp, sizeof p->timestamp, "%lld", (long long)p->at_s);
	strbuf_add_format(&base, "v0:%s:", p->timestamp);
	strbuf_add(&base, p->raw.data, p->raw.length);
	digest_hmac_sha256(key, strlen(key), base.data, base.length, mac);
	memcpy(p->signature, "v0=", 3);
	digest_hex(mac, sizeof mac, p->signature + 3);
}

/* After it was signed. */
static void tamper(struct press *p)
{
	struct dice *d = &p->attack->dice;
	const size_t at = dice_below(d, p->raw.length);

	if (p->twist == OTHER_BYTES)
		p->raw.data[at] = (char)(p->raw.data[at] ^ (1 << dice_below(d, 7)));
	else if (p->twist == OTHER_TIME)
		(void)snprintf(p->timestamp, sizeof p->timestamp, "%lld",
			       (long long)p->at_s + 1 + (int64_t)dice_below(d, 50));
	else if (p->twist == CUT)
		p->signature[dice_below(d, SLACK_SIGNATURE_CHARACTERS)] = '\0';
}

/* ---- What the gate makes of it ---- */

static bool is_shown(const struct press *p, const struct slack_click *c)
{
	json_auto_t *drawn = blocks(p, false);
	char seen[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	need(slack_seen_digest(drawn, seen, &err), &err);
	return strcmp(seen, c->seen) == 0;
}

static const char *person_of(const struct slack_click *c)
{
	for (unsigned i = 0; i < PERSONS; i++)
		if (strcmp(users[i], c->user) == 0)
			return person_names[i];
	return NULL;
}

static bool arrive(struct press *p, struct request *r, struct slack_replay *taken)
{
	_cleanup_(secret_freep) struct secret *secret =
		secret_new(secret_text, sizeof secret_text - 1);
	const struct secret *secrets[] = { secret };
	const struct slack_evidence e = { p->timestamp, p->signature, p->raw.data,
					  p->raw.length };
	const struct click_place place = { CHANNEL, p->ts, 1 };
	const int64_t now_s = world_now_ms() / 1000;
	struct slack_click c;
	struct error err = ERROR_INIT;

	if (!slack_signature_check(&e, secrets, 1, now_s, &err) ||
	    !slack_replay_take(taken, e.body, e.length, now_s, &err) ||
	    !slack_click_read(e.body, e.length, &c, &err) || strcmp(c.app, APP) != 0 ||
	    strcmp(c.team, TEAM) != 0 || strcmp(c.approval, p->approval) != 0 ||
	    !person_of(&c) || !click_is_at(&c, &place, true, &err) ||
	    (c.action == SLACK_APPROVE && !is_shown(p, &c)))
		return false;
	const struct click said = { person_of(&c), c.shown, c.action == SLACK_APPROVE };

	return play_click(p->attack->play, r, &said);
}

/* By the press that was made, not by what stands in it. */
static bool wanted(const struct press *p)
{
	const struct rules *rules = &rule_sets[play_rules(p->attack->play)];
	const struct click said = { person_names[p->who], p->asked->shown, p->is_yes };

	if (p->twist != GOOD && !(p->twist == OTHER_WORDS && !p->is_yes))
		return false;
	return model_click(p->asked, rules, &said, world_now_ms());
}

void presses_any(struct attack *a)
{
	const unsigned who = attack_rules(a);
	const struct meaning m = attack_meaning(a, TOOL_PUT);
	_cleanup_(request_freep) struct request *r =
		play_ask(a->play, dice_below(&a->dice, INSTANCES), &m, who, 0, &a->dice);
	_cleanup_(slack_replay_freep) struct slack_replay *taken = slack_replay_new(16);
	struct press p = { .attack = a,
			   .asked = request_asked(r),
			   .who = (unsigned)dice_below(&a->dice, PERSONS),
			   .is_yes = !dice_chance(&a->dice, 15),
			   .raw = STRBUF_INIT };

	p.twist = dice_chance(&a->dice, 35) ? GOOD
					    : (enum twist)dice_below(&a->dice, TWISTS);
	digest_sha256_hex(p.asked->shown, 64, p.approval);
	p.approval[26] = '\0';
	(void)snprintf(p.ts, sizeof p.ts, "%lld.000100",
		       (long long)(world_now_ms() / 1000));
	attack_pass_time(dice_chance(&a->dice, 90)
				 ? READ_MS
				 : (int64_t)dice_below(&a->dice, READ_MS));
	encode(&p);
	sign(&p);
	tamper(&p);
	const bool want = wanted(&p);

	if (arrive(&p, r, taken) != want)
		attack_differs(a, want ? "a good press did not count"
				       : "a press counted that should not have");
	/* The same bytes again, and signed anew: never a second time. */
	if (arrive(&p, r, taken))
		attack_differs(a, "a repeated press counted");
	strbuf_done(&p.raw);
}

/* ---- Break-glass ---- */

/* The gate's key stands for an emergency key: what it signed for one purpose serves no other. */
void presses_emergency(struct attack *a)
{
	enum {
		RIGHT,
		APPROVAL,
		SHOWN,
		TYPED,
		OLD,
		AHEAD,
		REASON,
		STRANGER,
		BYTES,
		KINDS
	};
	const unsigned twist =
		dice_chance(&a->dice, 25) ? RIGHT : (unsigned)dice_below(&a->dice, KINDS);
	char shown[DIGEST_HEX_BYTES], other[DIGEST_HEX_BYTES], typed[EMERGENCY_TYPED + 1];
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT, sent = STRBUF_INIT;
	struct emergency_word said;
	struct error err = ERROR_INIT;
	int64_t at_ms = world_now_ms();

	digest_sha256_hex(&a->dice, sizeof a->dice, shown);
	digest_sha256_hex(shown, 64, other);
	(void)snprintf(typed, sizeof typed, "%.*s", EMERGENCY_TYPED,
		       twist == TYPED ? other : shown);
	if (twist == OLD)
		at_ms -= (EMERGENCY_OLD_S + 1 + (int64_t)dice_below(&a->dice, 500)) *
			 1000;
	if (twist == AHEAD)
		at_ms += (EMERGENCY_AHEAD_S + 1 + (int64_t)dice_below(&a->dice, 500)) *
			 1000;
	if (!emergency_seal(
		    &word, twist == APPROVAL ? "01other" : "01mine",
		    twist == SHOWN ? other : shown, typed,
		    twist == REASON ? "short" : "the usual surface is down", at_ms,
		    twist == STRANGER ? world_stranger(a->world) : world_key(a->world),
		    &err))
		return; /* the console's side would not even say it */
	if (twist == BYTES)
		forge_bytes(&a->dice, word.data, &sent);
	else
		strbuf_add_string(&sent, word.data);
	error_clear(&err);
	if (emergency_open(sent.data, world_keys(a->world), "01mine", shown,
			   world_now_ms(), &said, &err) != (twist == RIGHT))
		attack_differs(a, twist == RIGHT ? "a good emergency word is none"
						 : "an emergency word is taken for one");
	/* And it is no grant, nor a grant such a word. */
	struct presentation p = attack_good_one(a, TOOL_PUT);

	error_clear(&err);
	if (emergency_open(p.word, world_keys(a->world), "01mine", shown, world_now_ms(),
			   &said, &err))
		attack_differs(a, "a grant is taken for an emergency word");
	p.word = sent.data;
	(void)attack_spelled(a, &p);
}

/* ---- Several calls in one decision ---- */

/* As the gate signs the calls of one decision: an id each, and which of them it is. */
static void make_part(struct attack *a, struct issue *is, const char *head, int seq)
{
	struct grant g;

	attack_read(a, is->word, &g);
	(void)snprintf(g.id, sizeof g.id, "%s-%d", head, seq + 1);
	(void)snprintf(g.bundle, sizeof g.bundle, "%s", head);
	g.seq = seq;
	(void)snprintf(is->id, sizeof is->id, "%s", g.id);
	attack_sign_again(a, is, &g);
}

void presses_several(struct attack *a)
{
	struct issue *first = attack_issue_aged(a, TOOL_PUT, 0, TTL_S), *second;
	char head[sizeof first->id - 2];

	a->kept = first;
	second = attack_issue_aged(a, TOOL_PUT, 0, TTL_S);
	a->kept = NULL;
	(void)snprintf(head, sizeof head, "%.70s", first->id);
	make_part(a, first, head, 0);
	make_part(a, second, head, 1);
	struct presentation p = attack_good(first), q = attack_good(second);
	const bool swap_word = dice_chance(&a->dice, 50);

	/* The one's grant for the other's call, or with the other's requestState. */
	if (swap_word)
		p.word = second->word;
	else
		p.state = second->state;
	(void)attack_spelled(a, &p);
	p = attack_good(first);
	(void)attack_spelled(a, dice_chance(&a->dice, 50) ? &p : &q);
	(void)attack_spelled(a, &q);
	(void)attack_spelled(a, &p);
	(void)attack_spelled(a, &q);
}
