/* The attacks on what is presented to a server. Those on decisions stand in clicks.c. */
#include "attacks/kinds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gate/record.h"

enum { TTL_S = 60, TTL_MOST_S = 120, READ_MS = 1000, RACERS = 3, LIVE_MS = 3000 };

static void read_grant(struct attack *a, const char *word, struct grant *ret)
{
	struct error err = ERROR_INIT;

	need(grant_open(word, world_keys(a->world), ret, &err), &err);
}

/* Another word in the place of the one that was given out. */
static void sign_again(struct attack *a, struct issue *is, const struct grant *g)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(grant_sign(&word, g, world_key(a->world), &err), &err);
	free(is->word);
	is->word = strbuf_take(&word);
}

/* ---- Good approvals to begin with ---- */

static void pass_time(int64_t ms)
{
	world_set_now(world_now_ms() + ms);
}

/* Everybody who may says yes until it is enough. */
static void agree(struct attack *a, struct request *r)
{
	const struct rules *rules = &rule_sets[play_rules(a->play)];
	struct asked *asked = request_asked(r);

	for (unsigned i = 0; i < PERSONS && asked->state == ASKED; i++) {
		const struct click c = { person_names[i], asked->shown, true };
		const bool wanted = model_click(asked, rules, &c, world_now_ms());

		if (play_click(a->play, r, &c) != wanted)
			attack_differs(a,
				       "a click counted as the model does not want it");
	}
}

/* Any but the one that is kept: of what was given out and forgotten the model knows
 * nothing. */
static struct issue *free_slot(struct attack *a)
{
	struct issue *is;

	do
		is = &a->issues[dice_below(&a->dice, ISSUES)];
	while (is == a->kept);
	return is;
}

static struct issue *issue_of(struct attack *a, const struct meaning *m, size_t instance,
			      unsigned requester, int64_t age_s, int64_t ttl_s)
{
	struct issue *is = free_slot(a);
	_cleanup_(request_freep) struct request *r =
		play_ask(a->play, instance, m, requester, 0, &a->dice);

	pass_time(READ_MS);
	agree(a, r);
	if (request_asked(r)->state != AGREED || !play_sign(a->play, r, age_s, ttl_s, is))
		broken("no good approval could be made");
	return is;
}

struct meaning attack_meaning(struct attack *a, enum tool t)
{
	char key[33];

	world_key_name(dice_below(&a->dice, KEYS), key);
	return meaning_roll(&a->dice, t, key);
}

/* Rules under which something can be asked for, and who asks. */
unsigned attack_rules(struct attack *a)
{
	size_t set;
	unsigned who;

	do
		set = dice_below(&a->dice, RULES);
	while (!rule_sets[set].allows);
	play_set_rules(a->play, set);
	do
		who = (unsigned)dice_below(&a->dice, PERSONS);
	while (!(rule_sets[set].team & (1U << who)));
	return who;
}

static struct issue *new_issue_aged(struct attack *a, enum tool t, int64_t age_s,
				    int64_t ttl_s)
{
	const struct meaning m = attack_meaning(a, t);

	return issue_of(a, &m, dice_below(&a->dice, INSTANCES), attack_rules(a), age_s,
			ttl_s);
}

static struct issue *new_issue(struct attack *a, enum tool t)
{
	const int64_t ttl_s = TTL_S +
			      (int64_t)dice_below(&a->dice, TTL_MOST_S - TTL_S + 1);

	return new_issue_aged(a, t, 0, ttl_s);
}

static bool is_live(const struct attack *a, const struct issue *is)
{
	struct presentation p = attack_good(is);
	struct issue *found;

	p.plan_takes_ms = LIVE_MS;
	return is->word && is->meaning.tool == TOOL_PUT
		       ? model_judge(a->issues, a->world, &p, &found) == EXECUTE
		       : is->word && is->exp_s * 1000 > world_now_ms() + LIVE_MS &&
				 model_judge(a->issues, a->world, &p, &found) == EXECUTE;
}

static enum tool roll_tool(struct attack *a)
{
	return dice_chance(&a->dice, 60)   ? TOOL_PUT
	       : dice_chance(&a->dice, 50) ? TOOL_ECHO
					   : TOOL_ROUTE;
}

/* One that would be executed, made now or before. */
static struct issue *good_issue(struct attack *a, enum tool t)
{
	const size_t first = dice_below(&a->dice, ISSUES);

	for (size_t i = 0; i < ISSUES; i++) {
		struct issue *is = &a->issues[(first + i) % ISSUES];

		if (is->word && is->meaning.tool == t && is_live(a, is))
			return is;
	}
	return new_issue(a, t);
}

struct presentation attack_good(const struct issue *is)
{
	return (struct presentation){ .instance = is->instance,
				      .tool = is->meaning.tool,
				      .is_readable = true,
				      .meaning = is->meaning,
				      .word = is->word,
				      .state = is->state };
}

bool attack_spelled(struct attack *a, const struct presentation *p)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	meaning_spell(&p->meaning, &a->dice, &text);
	return attack_present(a, p, text.data);
}

static struct presentation good(struct attack *a, enum tool t)
{
	return attack_good(good_issue(a, t));
}

static void must(struct attack *a, bool executed)
{
	if (!executed)
		attack_differs(a, "what is good was not executed");
}

/* ---- Good ones ---- */

static void good_call(struct attack *a)
{
	const struct presentation p = good(a, roll_tool(a));

	must(a, attack_spelled(a, &p));
}

static void good_fetched(struct attack *a)
{
	struct issue *is = good_issue(a, roll_tool(a));
	struct presentation p = attack_good(is);

	p.requester = is->requester;
	must(a, attack_spelled(a, &p));
}

static void good_free_read(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ECHO);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	const struct presentation p = attack_good(is);
	must(a, attack_spelled(a, &p));
}

/* ---- Replays ---- */

static void replay(struct attack *a)
{
	struct issue *is = good_issue(a, roll_tool(a));
	const struct presentation p = attack_good(is);

	must(a, attack_spelled(a, &p));
	for (size_t n = 1 + dice_below(&a->dice, 2); n > 0; n--)
		(void)attack_spelled(a, &p);
}

/* Any of those that were given out, in whatever state: used, late, overtaken. */
static void old_word(struct attack *a)
{
	const struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct presentation p =
		attack_good(is->word ? is : good_issue(a, TOOL_PUT));

	(void)attack_spelled(a, &p);
}

static void replay_for_another(struct attack *a)
{
	struct issue *is = good_issue(a, roll_tool(a));
	struct presentation p = attack_good(is);

	must(a, attack_spelled(a, &p));
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

static void at_once(struct attack *a)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct issue *is =
		good_issue(a, dice_chance(&a->dice, 70) ? TOOL_PUT : TOOL_ECHO);
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

static void other_argument(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));

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

static void odd_text(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));

	put_odd(a, p.meaning.value, sizeof p.meaning.value);
	(void)attack_spelled(a, &p);
}

/* An optional one added or left out, so that its default counts. */
static void other_default(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));
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

static void other_number(struct attack *a)
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
		good(a, dice_chance(&a->dice, 50) ? TOOL_ECHO : TOOL_ROUTE);
	const char *number = texts[dice_below(&a->dice, ARRAY_SIZE(texts))];

	p.is_readable = false;
	p.meaning.has_number = false;
	meaning_spell(&p.meaning, &a->dice, &text);
	strbuf_truncate(&text, text.length - 1);
	strbuf_add_format(&text, ",\"%s\":%s}", p.tool == TOOL_ECHO ? "count" : "hops",
			  number);
	(void)attack_present(a, &p, text.data);
}

static void near_number(struct attack *a)
{
	struct presentation p =
		good(a, dice_chance(&a->dice, 50) ? TOOL_ECHO : TOOL_ROUTE);

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
static void twice_named(struct attack *a)
{
	static const char *const more[] = { "\"value\":\"x\"",       "\"key\":\"kaa\"",
					    "\"k\\u0065y\":\"kaa\"", "\"text\":\"x\"",
					    "\"region\":\"x\"",      "\"Key\":\"kaa\"",
					    "\"__proto__\":{}",      "\"\":1" };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct presentation p = good(a, roll_tool(a));

	meaning_spell(&p.meaning, &a->dice, &text);
	strbuf_truncate(&text, text.length - 1);
	strbuf_add_format(&text, ",%s}", more[dice_below(&a->dice, ARRAY_SIZE(more))]);
	p.is_readable = false;
	(void)attack_present(a, &p, text.data);
}

static void no_object(struct attack *a)
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
	struct presentation p = good(a, roll_tool(a));

	p.is_readable = false;
	(void)attack_present(a, &p, texts[dice_below(&a->dice, ARRAY_SIZE(texts))]);
}

static void other_tool(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));

	p.tool = (enum tool)((p.tool + 1 + dice_below(&a->dice, 2)) % 3);
	if (dice_chance(&a->dice, 50))
		p.meaning = attack_meaning(a, p.tool);
	else
		p.meaning.tool = p.tool;
	(void)attack_spelled(a, &p);
}

static void other_audience(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));

	p.instance = (p.instance + 1) % INSTANCES;
	(void)attack_spelled(a, &p);
}

/* What another server registered, signed for that, tried here. */
static void registered_elsewhere(struct attack *a)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct issue *is = good_issue(a, roll_tool(a));
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

static void other_principal(struct attack *a)
{
	static const char *const names[] = { "Alice@example.org",
					     "alice@example.org ",
					     "\xd0\xb0lice@example.org",
					     "",
					     "alice@example.org,bob@example.org",
					     "service/gate" };
	struct presentation p = good(a, roll_tool(a));

	p.requester = dice_chance(&a->dice, 50)
			      ? person_names[dice_below(&a->dice, PERSONS)]
			      : names[dice_below(&a->dice, ARRAY_SIZE(names))];
	(void)attack_spelled(a, &p);
}

/* Signed for who has no rights at this server; the gate does not know those. */
static void without_rights(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ECHO);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	(void)snprintf(is->requester, sizeof is->requester, "%s", person_names[MALLORY]);
	is->is_freed = false;
	struct grant g = play_grant(a->world, is, NULL);
	(void)snprintf(g.approvers[g.approver_count++], sizeof g.approvers[0], "%s",
		       person_names[BOB]);
	sign_again(a, is, &g);
	is->approvers = 1;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* The gate's policy frees it, this server does not. */
static void freed_elsewhere(struct attack *a)
{
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const struct meaning m = attack_meaning(a, TOOL_ROUTE);

	play_free_read(a->play, dice_below(&a->dice, INSTANCES), &m, is);
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* The definition that people saw had another default. */
static void other_pin(struct attack *a)
{
	struct issue *is = good_issue(a, roll_tool(a));
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

/* ---- Plans ---- */

/* The same call, planned and approved twice, while the value was another. */
static void other_plan(struct attack *a)
{
	struct issue *is = good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is), q;
	const bool first = dice_chance(&a->dice, 50);

	world_put(a->world, p.meaning.key,
		  dice_chance(&a->dice, 50) ? "else" : p.meaning.value);
	play_set_rules(a->play, 0);
	a->kept = is;
	q = attack_good(issue_of(a, &p.meaning, p.instance, ALICE, 0, TTL_S));
	a->kept = NULL;
	if (dice_chance(&a->dice, 50))
		p.state = q.state;
	else
		q.state = p.state;
	(void)attack_spelled(a, first ? &p : &q);
	(void)attack_spelled(a, first ? &q : &p);
}

/* Two persons ask for the very same; the state of one comes with the other's grant. */
static void same_call_of_another(struct attack *a)
{
	struct issue *is = good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is), q;
	const bool first = dice_chance(&a->dice, 50);
	unsigned who = ALICE;

	if (strcmp(is->requester, person_names[ALICE]) == 0)
		who = BOB;
	play_set_rules(a->play, 0);
	a->kept = is;
	q = attack_good(issue_of(a, &p.meaning, p.instance, who, 0, TTL_S));
	a->kept = NULL;
	if (first)
		p.state = q.state;
	else
		q.state = p.state;
	(void)attack_spelled(a, first ? &p : &q);
	(void)attack_spelled(a, first ? &q : &p);
}

static void changed_world(struct attack *a)
{
	struct issue *is = good_issue(a, TOOL_PUT);
	const struct presentation p = attack_good(is);
	char was[VALUE_BYTES];

	(void)snprintf(was, sizeof was, "%s", is->before);
	world_put(a->world, p.meaning.key, "changed");
	(void)attack_spelled(a, &p);
	/* Back as it was: too late. */
	world_put(a->world, p.meaning.key, was);
	(void)attack_spelled(a, &p);
}

static void too_few(struct attack *a)
{
	struct meaning m = attack_meaning(a, TOOL_PUT);
	struct issue *is;

	(void)snprintf(m.key, sizeof m.key, "z%c", (int)('a' + dice_below(&a->dice, 8)));
	is = issue_of(a, &m, 0, attack_rules(a), 0, TTL_S);
	/* A gate that counts wrong. */
	struct grant g;

	read_grant(a, is->word, &g);
	g.approver_count = 1;
	sign_again(a, is, &g);
	is->approvers = 1;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* ---- requestState ---- */

static void other_state(struct attack *a)
{
	struct issue *is = good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is);
	const size_t first = dice_below(&a->dice, ISSUES);

	for (size_t i = 0; i < ISSUES; i++) {
		const struct issue *other = &a->issues[(first + i) % ISSUES];

		if (other != is && other->state) {
			p.state = other->state;
			break;
		}
	}
	(void)attack_spelled(a, &p);
}

static void forged_state(struct attack *a)
{
	static const char *const words[] = { "", "v1.", "v2.AAAA", "v1.AAAA", "q1.AAAA" };
	struct presentation p = good(a, TOOL_PUT);
	_cleanup_strbuf_ struct strbuf state = STRBUF_INIT;

	switch (dice_below(&a->dice, 4)) {
	case 0:
		p.state = NULL;
		break;
	case 1:
		p.state = words[dice_below(&a->dice, ARRAY_SIZE(words))];
		break;
	case 2:
		strbuf_add_string(&state, p.state);
		state.data[3 + dice_below(&a->dice, state.length - 3)] ^= 1;
		p.state = state.data;
		break;
	default:
		strbuf_add(&state, p.state, dice_below(&a->dice, strlen(p.state)));
		p.state = state.data;
	}
	(void)attack_spelled(a, &p);
}

static void late_state(struct attack *a)
{
	const struct meaning m = attack_meaning(a, TOOL_PUT);
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const unsigned who = attack_rules(a);
	_cleanup_(request_freep) struct request *r =
		play_ask(a->play, 0, &m, who, 0, &a->dice);
	struct asked *asked = request_asked(r);

	/* As if it had been posted long after it was planned. */
	pass_time(READ_MS);
	agree(a, r);
	if (!play_sign(a->play, r, 0, TTL_S, is) || asked->state != AGREED)
		broken("no good approval could be made");
	const int64_t left_ms = is->state_until_ms - world_now_ms();
	const int64_t edge_ms = (int64_t)dice_below(&a->dice, 3) - 1;
	pass_time(left_ms + edge_ms);
	/* A word of the same approval that is in time. */
	struct grant g;
	read_grant(a, is->word, &g);
	g.iat = world_now_ms() / 1000;
	g.exp = g.iat + TTL_S;
	sign_again(a, is, &g);
	is->iat_s = g.iat;
	is->exp_s = g.exp;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* ---- Time ---- */

static void around_expiry(struct attack *a)
{
	struct issue *is = new_issue_aged(a, roll_tool(a), 10, 10 + 2);
	const struct presentation p = attack_good(is);

	world_set_now(is->exp_s * 1000 + (int64_t)dice_below(&a->dice, 5) - 3);
	(void)attack_spelled(a, &p);
}

static void expires_meanwhile(struct attack *a)
{
	struct issue *is = new_issue_aged(a, TOOL_PUT, 10, 10 + 2);
	struct presentation p = attack_good(is);

	p.plan_takes_ms = is->exp_s * 1000 - world_now_ms() +
			  (int64_t)dice_below(&a->dice, 3) - 1;
	(void)attack_spelled(a, &p);
}

static void from_the_future(struct attack *a)
{
	const int64_t ahead_s = 29 + (int64_t)dice_below(&a->dice, 4);
	struct issue *is = new_issue_aged(a, roll_tool(a), -ahead_s, TTL_S);
	const struct presentation p = attack_good(is);

	(void)attack_spelled(a, &p);
}

static void before_the_epoch(struct attack *a)
{
	struct issue *is =
		new_issue_aged(a, roll_tool(a), (int64_t)dice_below(&a->dice, 3), TTL_S);
	const struct presentation p = attack_good(is);

	world_set_epoch(world_now_ms() / 1000 * 1000 - 1000 +
			(int64_t)dice_below(&a->dice, 3) * 500);
	(void)attack_spelled(a, &p);
}

static void epoch_meanwhile(struct attack *a)
{
	struct presentation p = good(a, TOOL_PUT);

	p.begins_anew = true;
	(void)attack_spelled(a, &p);
	p.begins_anew = false;
	(void)attack_spelled(a, &p);
}

/* ---- Forged words ---- */

static void forge(struct attack *a, void (*by)(struct dice *, struct world *,
					       const char *, struct strbuf *))
{
	struct presentation p = good(a, roll_tool(a));
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;

	by(&a->dice, a->world, p.word, &word);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}

static void altered_word(struct attack *a)
{
	struct presentation p = good(a, roll_tool(a));
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;

	forge_bytes(&a->dice, p.word, &word);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}

static void forged_signature(struct attack *a)
{
	forge(a, forge_signature);
}

static void confused_key(struct attack *a)
{
	forge(a, forge_key);
}

static void second_spelling(struct attack *a)
{
	forge(a, forge_payload);
}

static void odd_member(struct attack *a)
{
	forge(a, forge_member);
}

static void other_type(struct attack *a)
{
	forge(a, forge_type);
}

const struct kind kinds[] = {
	{ "a good call", 150, good_call },
	{ "a good call, its grant fetched for its principal", 60, good_fetched },
	{ "a read that both sides freed", 20, good_free_read },
	{ "a replay", 60, replay },
	{ "a word of some time ago", 20, old_word },
	{ "a replay for somebody else", 15, replay_for_another },
	{ "several at once", 15, at_once },
	{ "another argument", 60, other_argument },
	{ "a text that looks alike", 60, odd_text },
	{ "another default", 30, other_default },
	{ "a number that collides", 40, other_number },
	{ "the number beside it", 20, near_number },
	{ "a name given twice", 30, twice_named },
	{ "arguments that are none", 15, no_object },
	{ "another tool", 40, other_tool },
	{ "another audience", 40, other_audience },
	{ "registered by another server", 30, registered_elsewhere },
	{ "another principal", 50, other_principal },
	{ "a principal without rights", 10, without_rights },
	{ "a read freed on one side", 15, freed_elsewhere },
	{ "another pin", 15, other_pin },
	{ "another plan", 20, other_plan },
	{ "the same call of another person", 15, same_call_of_another },
	{ "a changed world", 20, changed_world },
	{ "too few approvers", 15, too_few },
	{ "requestState of another call", 40, other_state },
	{ "a forged requestState", 40, forged_state },
	{ "a late requestState", 1, late_state },
	{ "around the expiry", 25, around_expiry },
	{ "it expires meanwhile", 20, expires_meanwhile },
	{ "from the future", 15, from_the_future },
	{ "from before an epoch", 4, before_the_epoch },
	{ "an epoch begins meanwhile", 4, epoch_meanwhile },
	{ "an altered, cut or extended word", 80, altered_word },
	{ "a forged or malleated signature", 80, forged_signature },
	{ "a confused key", 60, confused_key },
	{ "bytes that are not canonical", 60, second_spelling },
	{ "members that are no grant", 60, odd_member },
	{ "a word of another type", 30, other_type },
	{ "decisions: as they come", 30, clicks_any },
	{ "decisions: twice the same person", 15, clicks_double },
	{ "decisions: by somebody else", 20, clicks_stranger },
	{ "decisions: on what is not shown", 20, clicks_stale },
	{ "decisions: too early, too late", 15, clicks_times },
	{ "decisions: the policy changes", 20, clicks_policy },
	{ "decisions: cancelled, revoked, lapsed", 25, clicks_ends },
};

size_t kind_count(void)
{
	return ARRAY_SIZE(kinds);
}
