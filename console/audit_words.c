#include "console/audit_words.h"

#include "base/clock.h"
#include "base/digest.h"
#include "console/audit_text.h"

enum { DIGITS = 12, NAME_MAX_BYTES = 64 };

/*
 * {member} is a member of 'data', {a.b} one of a member; {@program} of the line itself.
 * What stands in [brackets] is left out when one of its members is not there, and
 * {member=value} prints nothing and asks for this value. Of several sentences for one
 * event the first counts whose members outside of brackets are all there. Times are in milliseconds
 * ({at|ms}) or seconds ({exp|s}); {a|for} is how long something took, in milliseconds.
 */
static const struct sentence {
	const char *event, *says;
} sentences[] = {
	{ "approval.proposed",
	  "{requester} asked for {server}.{tool} (arguments {args})" },
	{ "approval.planned", "{server} said what it would do (plan {plan_digest})" },
	{ "approval.pending", "it was put before those who may approve[ by the rule "
			      "'{rule}'] (prompt {shown})" },
	{ "approval.freed", "no person is asked: the rule '{rule}' frees it" },
	{ "approval.decision",
	  "{decision.by} said yes[, {decision.after_ms|for} after it could be "
	  "read][{decision.quick=true}: in under 2 s]; more have to" },
	{ "approval.approved", "{by} approved it[, one of {bundle.of} calls at once][, "
			       "{decision.after_ms|for} after it could be "
			       "read][{decision.quick=true}: in under 2 s]" },
	{ "approval.approved",
	  "it was approved with the {bundle.of} calls of {bundle.id}" },
	{ "approval.approved", "it was approved" },
	{ "approval.denied", "{by} denied it[: {why}]" },
	{ "approval.expired", "nobody decided in time" },
	{ "approval.superseded", "it was superseded[: {why}]" },
	{ "approval.cancelled", "{by} took it back[: {why}]" },
	{ "approval.revoked", "{by} revoked the approval[: {why}]" },
	{ "approval.revoking",
	  "{revoke.by} wants it back[: {revoke.why}]: its server is asked to burn the "
	  "grant unused" },
	{ "approval.lapsed", "the approval lapsed[: {why}]" },
	{ "approval.refused", "nothing ran[: {why}][ ({code})]" },
	{ "grant.signing",
	  "the gate signed a grant with key {grant.kid}[, good until {grant.exp|s}]" },
	{ "approval.granted", "the grant is kept and may leave[ until {exp|s}]" },
	{ "approval.executing", "the call has left for {server}" },
	{ "approval.succeeded",
	  "the gate learnt that it succeeded[{verified=true}, verified by reading it "
	  "back][{verified=false}, but reading it back did not show it]" },
	{ "approval.failed", "the gate learnt that it failed[: {why}][ ({code})]" },
	{ "approval.unknown", "what became of it is not known[: {why}]" },
	{ "approval.not_stored",
	  "'{what}' could not be stored, so it did not take effect" },
	{ "proposal.refused", "a proposal of {who} was refused: {why}" },
	{ "proposals.paused", "{denials} calls of {who} were denied: nothing more is "
			      "asked until {until|ms}" },
	{ "decision.refused", "a decision of {who} was refused: {why}" },
	{ "call.started",
	  "{@program} checked the grant and began {tool} for {requester}[ (head of the "
	  "gate {gate_head.hash})]" },
	{ "call.finished",
	  "{@program} ended it: {state}[ ({error})][{verified=yes}, read back and found "
	  "so][{verified=no}, read back and NOT found so]" },
	{ "call.refused", "{@program} refused the call of {client}: {why} ({code})" },
	{ "call.revoked",
	  "{@program} burns the grant unused, unless it was used: it was taken back" },
	{ "call.unknown",
	  "{@program} had fallen while it ran: whether it happened is not known" },
	{ "call.observed", "{@program} looked in the backend afterwards: {observed}" },
	{ "call.expired", "{@program}: what it did came to its end" },
};

/* How it ended, the last of these in the order of time. */
static const struct {
	const char *event, *end;
} ends[] = {
	{ "approval.denied", "it was denied, and nothing ran" },
	{ "approval.expired", "it expired, and nothing ran" },
	{ "approval.superseded", "it was superseded, and nothing ran" },
	{ "approval.cancelled", "it was taken back, and nothing ran" },
	{ "approval.revoked", "it was revoked, and nothing ran" },
	{ "approval.lapsed", "it lapsed, and nothing ran" },
	{ "approval.refused", "it was refused, and nothing ran" },
	{ "approval.succeeded", "it was done" },
	{ "approval.failed", "it failed" },
	{ "approval.unknown", "it may or may not have happened" },
	{ "call.started", "it began, and no end of it is told" },
	{ "approval.pending", "it waits for a decision" },
	{ "approval.approved", "it is approved and not claimed" },
	{ "approval.executing", "it is under way, or its end is not told" },
};

/* "gate_head.hash" of the line; borrowed. */
static const json_t *find(const json_t *line, const char *name, size_t length)
{
	char part[NAME_MAX_BYTES];
	const json_t *at = *name == '@' ? line : json_object_get(line, "data");

	if (*name == '@') {
		name++;
		length--;
	}
	while (length > 0) {
		const char *dot = memchr(name, '.', length);
		const size_t one = dot ? (size_t)(dot - name) : length;
		if (one >= sizeof part)
			return NULL;
		memcpy(part, name, one);
		part[one] = '\0';
		at = json_object_get(at, part);
		name += one + (dot ? 1 : 0);
		length -= one + (dot ? 1 : 0);
	}
	return at;
}

static void add_text(struct strbuf *sb, const json_t *value)
{
	const char *text = json_string_value(value);

	if (text && digest_is_hex(text))
		strbuf_add(sb, text, DIGITS);
	else if (text)
		strbuf_add_string(sb, text);
	else
		audit_text_add(sb, value);
}

void audit_words_duration(struct strbuf *sb, int64_t ms)
{
	if (ms < 60 * 1000)
		strbuf_add_format(sb, "%lld.%lld s", (long long)(ms / 1000),
				  (long long)(ms % 1000 / 100));
	else if (ms < 3600 * 1000)
		strbuf_add_format(sb, "%lld min %lld s", (long long)(ms / 60000),
				  (long long)(ms / 1000 % 60));
	else
		strbuf_add_format(sb, "%lld h %lld min", (long long)(ms / 3600000),
				  (long long)(ms / 60000 % 60));
}

static void add_time(struct strbuf *sb, const json_t *value, int64_t unit_ms)
{
	char at[CLOCK_TEXT_BYTES];

	strbuf_add_string(sb, clock_format(json_integer_value(value) * unit_ms, at));
}

static bool is_value(const json_t *value, const char *wanted, size_t length)
{
	const char *text = json_is_true(value)    ? "true"
			   : json_is_false(value) ? "false"
						  : json_string_value(value);

	return text && strlen(text) == length && memcmp(text, wanted, length) == 0;
}

/* One "{...}" without its braces. False: the line has no such member. */
static bool add_member(struct strbuf *sb, const json_t *line, const char *inner,
		       size_t length)
{
	const char *equals = memchr(inner, '=', length),
		   *bar = memchr(inner, '|', length);
	const char *end = equals ? equals : bar ? bar : inner + length;
	const json_t *value = find(line, inner, (size_t)(end - inner));

	if (!value)
		return false;
	if (equals)
		return is_value(value, equals + 1, (size_t)(inner + length - equals - 1));
	if (bar && bar[1] == 'f')
		audit_words_duration(sb, json_integer_value(value));
	else if (bar)
		add_time(sb, value, bar[1] == 's' ? 1000 : 1);
	else
		add_text(sb, value);
	return true;
}

/* Up to 'end'. False: a member was not there. */
static bool add_part(struct strbuf *sb, const json_t *line, const char *at,
		     const char *end)
{
	bool complete = true;

	while (at < end) {
		const char *close = *at == '{' ? strchr(at, '}') : NULL;
		if (close) {
			if (!add_member(sb, line, at + 1, (size_t)(close - at - 1))) {
				strbuf_add_char(sb, '?');
				complete = false;
			}
			at = close + 1;
		} else {
			strbuf_add_char(sb, *at++);
		}
	}
	return complete;
}

/* False: a member outside of brackets was not there, and '?' stands for it. */
static bool add_sentence(struct strbuf *sb, const json_t *line, const char *says)
{
	bool complete = true;

	while (*says) {
		const char *end = strchr(says, *says == '[' ? ']' : '[');
		if (!end)
			end = says + strlen(says);
		if (*says == '[') {
			const size_t before = sb->length;
			if (!add_part(sb, line, says + 1, end))
				strbuf_truncate(sb, before);
			says = *end ? end + 1 : end;
		} else {
			complete = add_part(sb, line, says, end) && complete;
			says = end;
		}
	}
	return complete;
}

void audit_words_add(struct strbuf *sb, const json_t *line)
{
	const char *event = json_get_string(line, "event");
	const size_t before = sb->length;
	bool is_known = false;

	for (size_t i = 0; event && i < ARRAY_SIZE(sentences); i++) {
		if (strcmp(sentences[i].event, event) != 0)
			continue;
		is_known = true;
		strbuf_truncate(sb, before);
		if (add_sentence(sb, line, sentences[i].says))
			return;
	}
	if (is_known)
		return;
	strbuf_add_format(sb, "%s ", event ? event : "?");
	audit_text_add(sb, json_object_get(line, "data"));
}

const char *audit_words_end(const json_t *line)
{
	const char *event = json_get_string(line, "event");

	for (size_t i = 0; event && i < ARRAY_SIZE(ends); i++)
		if (strcmp(ends[i].event, event) == 0)
			return ends[i].end;
	return NULL;
}
