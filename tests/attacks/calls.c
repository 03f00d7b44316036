/* Good calls, replays, and calls of something else than what was approved. */
#include "attacks/kinds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gate/record.h"

enum { RACERS = 3 };

/* ---- Good ones ---- */

void attack_good_call(struct attack *a)
{
	const struct presentation p = attack_good_one(a, attack_tool(a));

	attack_must(a, attack_spelled(a, &p));
}

void attack_good_fetched(struct attack *a)
{
	struct issue *is = attack_good_issue(a, attack_tool(a));
	struct presentation p = attack_good(is);

	p.requester = is->requester;
	attack_must(a, attack_spelled(a, &p));
}

void attack_good_free_read(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ECHO);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	const struct presentation p = attack_good(is);
	attack_must(a, attack_spelled(a, &p));
}

/* ---- Replays ---- */

void attack_replay(struct attack *a)
{
	struct issue *is = attack_good_issue(a, attack_tool(a));
	const struct presentation p = attack_good(is);

	attack_must(a, attack_spelled(a, &p));
	for (size_t n = 1 + dice_below(&a->dice, 2); n > 0; n--)
		(void)attack_spelled(a, &p);
}

/* Any of those that were given out, in whatever state: used, late, overtaken. */
void attack_old_word(struct attack *a)
{
	const struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct presentation p =
		attack_good(is->word ? is : attack_good_issue(a, TOOL_PUT));

	(void)attack_spelled(a, &p);
}

void attack_replay_for_another(struct attack *a)
{
	struct issue *is = attack_good_issue(a, attack_tool(a));
	struct presentation p = attack_good(is);

	attack_must(a, attack_spelled(a, &p));
	p.requester = person_names[dice_below(&a->dice, PERSONS)];
	(void)attack_spelled(a, &p);
}

struct racer {
	pthread_t thread;
	const struct attack *attack;
	const struct presented_call *call;
};

static void *race(void *argument)
{
	const struct racer *r = argument;

	json_decref(world_call(r->attack->world, r->call));
	return NULL;
}

void attack_at_once(struct attack *a)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct issue *is =
		attack_good_issue(a, dice_chance(&a->dice, 70) ? TOOL_PUT : TOOL_ECHO);
	struct issue *found = NULL;
	const struct presentation p = attack_good(is);
	const size_t before = world_runs(a->world);
	struct racer racers[RACERS];

	meaning_spell(&p.meaning, &a->dice, &text);
	const struct presented_call call = { .instance = p.instance,
					     .tool = p.tool,
					     .arguments = text.data,
					     .word = p.word,
					     .state = p.state };
	if (model_judge(a->issues, a->world, &p, &found) != EXECUTE)
		broken("a good one is not");
	/* All have looked for a burn and found none before the first one burns. */
	if (p.tool == TOOL_PUT)
		world_plans_meet(a->world, RACERS);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .attack = a, .call = &call };
		if (pthread_create(&racers[i].thread, NULL, race, &racers[i]) != 0)
			broken("no thread");
	}
	for (size_t i = 0; i < RACERS; i++)
		(void)pthread_join(racers[i].thread, NULL);
	if (world_runs(a->world) - before != 1)
		attack_differs(a, "of many at once not exactly one was executed");
	is->is_spent = is->is_executed = true;
	(void)attack_spelled(a, &p);
}

/* ---- Something else than what was approved ---- */

static void put_odd(struct attack *a, char *text, size_t size)
{
	_cleanup_strbuf_ struct strbuf odd = STRBUF_INIT;
	const size_t length = strlen(text);

	while (odd.length == 0)
		dice_text(&a->dice, 3, &odd);
	(void)snprintf(text + length, size - length, "%s", odd.data);
}

void attack_other_argument(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));

	switch (dice_below(&a->dice, 4)) {
	case 0:
		p.meaning = attack_meaning(a, p.tool);
		break;
	case 1:
		if (p.tool == TOOL_PUT)
			world_key_name(dice_below(&a->dice, KEYS), p.meaning.key);
		else
			put_odd(a, p.meaning.value, sizeof p.meaning.value);
		break;
	case 2:
		if (p.tool == TOOL_PUT)
			put_odd(a, p.meaning.reason, sizeof p.meaning.reason);
		else
			p.meaning.value[0] ^= 1;
		break;
	default:
		p.meaning.value[0] = '\0';
	}
	if (p.meaning.value[0] == 1 || (unsigned char)p.meaning.value[0] >= 0x80)
		p.meaning.value[0] = '\0';
	(void)attack_spelled(a, &p);
}

void attack_odd_text(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));

	put_odd(a, p.meaning.value, sizeof p.meaning.value);
	(void)attack_spelled(a, &p);
}

/* An optional one added or left out, so that its default counts. */
void attack_other_default(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));
	struct meaning *m = &p.meaning;

	if (p.tool == TOOL_PUT) {
		(void)snprintf(m->until, sizeof m->until, "%s",
			       *m->until ? "" : "2030-01-01T00:00:00Z");
	} else {
		m->has_number = !m->has_number;
		m->number = m->has_number ? 1 : 0;
	}
	(void)attack_spelled(a, &p);
}

void attack_other_number(struct attack *a)
{
	/* Beside each the number that some readers take it for; none is approved. */
	static const char *const texts[] = {
		"9007199254740992",
		"9007199254740993",
		"-9007199254740993",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551617",
		"4294967296",
		"1e400",
		"-1e400",
		"0.1",
		"1.0000000000000001",
		"1e-400",
		"16777216",
		"4294967297",
		"2147483647.5",
		"01",
		"+1",
		"0x1",
		".5",
		"1.",
		"NaN",
		"-Infinity",
		"\"1\"",
		"[1]",
		"true",
		"null",
		"1e",
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct presentation p =
		attack_good_one(a, dice_chance(&a->dice, 50) ? TOOL_ECHO : TOOL_ROUTE);
	const char *number = texts[dice_below(&a->dice, ARRAY_SIZE(texts))];

	p.is_readable = false;
	p.meaning.has_number = false;
	meaning_spell(&p.meaning, &a->dice, &text);
	strbuf_truncate(&text, text.length - 1);
	strbuf_add_format(&text, ",\"%s\":%s}", p.tool == TOOL_ECHO ? "count" : "hops",
			  number);
	(void)attack_present(a, &p, text.data);
}

void attack_near_number(struct attack *a)
{
	struct presentation p =
		attack_good_one(a, dice_chance(&a->dice, 50) ? TOOL_ECHO : TOOL_ROUTE);

	if (!p.meaning.has_number) {
		p.meaning.has_number = true;
		p.meaning.number = 0;
	} else if (p.meaning.number > INT64_C(-9007199254740991)) {
		p.meaning.number -= 1;
	} else {
		p.meaning.number += 1;
	}
	(void)attack_spelled(a, &p);
}

/* Whose word counts, if a name stands there twice? */
void attack_twice_named(struct attack *a)
{
	static const char *const more[] = { "\"value\":\"x\"",       "\"key\":\"kaa\"",
					    "\"k\\u0065y\":\"kaa\"", "\"text\":\"x\"",
					    "\"region\":\"x\"",      "\"Key\":\"kaa\"",
					    "\"__proto__\":{}",      "\"\":1" };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct presentation p = attack_good_one(a, attack_tool(a));

	meaning_spell(&p.meaning, &a->dice, &text);
	strbuf_truncate(&text, text.length - 1);
	strbuf_add_format(&text, ",%s}", more[dice_below(&a->dice, ARRAY_SIZE(more))]);
	p.is_readable = false;
	(void)attack_present(a, &p, text.data);
}

void attack_no_object(struct attack *a)
{
	static const char *const texts[] = { "",
					     "[]",
					     "null",
					     "\"x\"",
					     "{",
					     "{}{}",
					     "{},",
					     "1",
					     "{\"a\":\"\\ud800\"}",
					     "{\"a\":\"\xff\"}",
					     "{\"a\":\"\\u0000\"}" };
	struct presentation p = attack_good_one(a, attack_tool(a));

	p.is_readable = false;
	(void)attack_present(a, &p, texts[dice_below(&a->dice, ARRAY_SIZE(texts))]);
}

void attack_other_tool(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));

	p.tool = (enum tool)((p.tool + 1 + dice_below(&a->dice, 2)) % 3);
	if (dice_chance(&a->dice, 50))
		p.meaning = attack_meaning(a, p.tool);
	else
		p.meaning.tool = p.tool;
	(void)attack_spelled(a, &p);
}

void attack_other_audience(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));

	p.instance = (p.instance + 1) % INSTANCES;
	(void)attack_spelled(a, &p);
}

/* What another server registered, signed for that, tried here. */
void attack_registered_elsewhere(struct attack *a)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct issue *is = attack_good_issue(a, attack_tool(a));
	struct presentation p = attack_good(is);
	struct error err = ERROR_INIT;
	struct issue other = *is;
	char plan[DIGEST_HEX_BYTES];

	digest_sha256_hex("plan", 4, plan);
	record_new_id(world_now_ms(), other.id);
	struct grant g = play_grant(a->world, &other, p.tool == TOOL_PUT ? plan : NULL);
	(void)snprintf(g.approvers[g.approver_count++], sizeof g.approvers[0], "%s",
		       person_names[BOB]);
	if (dice_chance(&a->dice, 50))
		(void)snprintf(g.server, sizeof g.server, "elsewhere");
	else
		(void)snprintf(g.aud, sizeof g.aud, "fixture-3");
	need(grant_sign(&word, &g, world_key(a->world), &err), &err);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}

void attack_other_principal(struct attack *a)
{
	static const char *const names[] = { "Alice@example.org",
					     "alice@example.org ",
					     "\xd0\xb0lice@example.org",
					     "",
					     "alice@example.org,bob@example.org",
					     "service/gate" };
	struct presentation p = attack_good_one(a, attack_tool(a));

	p.requester = dice_chance(&a->dice, 50)
			      ? person_names[dice_below(&a->dice, PERSONS)]
			      : names[dice_below(&a->dice, ARRAY_SIZE(names))];
	(void)attack_spelled(a, &p);
}

/* Signed for who has no rights at this server; the gate does not know those. */
void attack_without_rights(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ECHO);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	(void)snprintf(is->requester, sizeof is->requester, "%s", person_names[MALLORY]);
	is->is_freed = false;
	struct grant g = play_grant(a->world, is, NULL);
	(void)snprintf(g.approvers[g.approver_count++], sizeof g.approvers[0], "%s",
		       person_names[BOB]);
	attack_sign_again(a, is, &g);
	is->approvers = 1;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* The gate's policy frees it, this server does not. */
void attack_freed_elsewhere(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ROUTE);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* The definition that people saw had another default. */
void attack_other_pin(struct attack *a)
{
	struct issue *is = attack_good_issue(a, attack_tool(a));
	struct presentation p = attack_good(is);
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *listed = json_deep_copy(world_definition(a->world, p.tool)->json);
	json_t *schema = json_object_get(listed, "inputSchema");
	void *first = json_object_iter(json_object_get(schema, "properties"));

	json_object_set_new(json_object_iter_value(first), "default", json_string("x"));
	_cleanup_(tool_definition_freep) struct tool_definition *was =
		tool_definition_read("fixture", listed, &err);
	need(was != NULL, &err);
	struct grant g = play_grant(a->world, is, NULL);
	if (p.tool == TOOL_PUT)
		digest_sha256_hex("plan", 4, g.plan);
	(void)snprintf(g.approvers[g.approver_count++], sizeof g.approvers[0], "%s",
		       person_names[BOB]);
	(void)snprintf(g.pin, sizeof g.pin, "%s", was->pin);
	need(grant_sign(&word, &g, world_key(a->world), &err), &err);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}
