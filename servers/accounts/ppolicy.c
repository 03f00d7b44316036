#include "servers/accounts/ppolicy.h"

#include "base/clock.h"

bool ppolicy_parse_time(const char *text, int64_t *ret_wall_ms, struct error *err)
{
	char rfc3339[CLOCK_TEXT_BYTES];
	size_t digits = strspn(text, "0123456789"), end = digits;

	if (digits == 14 && text[end] == '.' && text[end + 1] != 'Z')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (digits != 14 || strcmp(text + end, "Z") != 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%.32s' is no time of a directory", text);
	(void)snprintf(rfc3339, sizeof rfc3339, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text,
		       text + 4, text + 6, text + 8, text + 10, text + 12);
	return clock_parse(rfc3339, ret_wall_ms, err);
}

/* A lock after failed logins. */
static void judge_failures(const struct ppolicy *policy, int64_t since_ms, int64_t now_ms,
			   struct account *ret, struct strbuf *detail)
{
	char text[CLOCK_TEXT_BYTES];
	int64_t until_ms = policy->duration_ms > 0 ? since_ms + policy->duration_ms : 0;

	if (since_ms > now_ms || (until_ms != 0 && until_ms <= now_ms)) {
		strbuf_add_string(detail,
				  "a lock after failed logins is not in force now");
		return;
	}
	ret->state = ACCOUNT_BLOCKED;
	ret->since_ms = since_ms;
	ret->until_ms = until_ms;
	strbuf_add_string(detail, "locked by the directory after failed logins");
	if (until_ms != 0)
		strbuf_add_format(detail, ", until %s", clock_format(until_ms, text));
}

void ppolicy_judge(const char *lock, const struct ppolicy *policy, int64_t now_ms,
		   struct account *ret, struct strbuf *detail)
{
	struct error err = ERROR_INIT;
	int64_t since_ms = 0;

	(void)snprintf(ret->lock, sizeof ret->lock, "%s", lock);
	ret->state = ACCOUNT_ACTIVE;
	ret->permanent = false;
	ret->since_ms = ret->until_ms = 0;
	ret->obeyed = policy->found && policy->lockout;
	if (!*lock)
		return;
	if (!ret->obeyed) {
		strbuf_add_string(
			detail,
			"marked as locked, but its password policy does not obey locks");
	} else if (strcmp(lock, PPOLICY_LOCKED_FOR_EVER) == 0) {
		ret->state = ACCOUNT_BLOCKED;
		ret->permanent = true;
	} else if (ppolicy_parse_time(lock, &since_ms, &err)) {
		judge_failures(policy, since_ms, now_ms, ret, detail);
	} else {
		ret->state = ACCOUNT_UNKNOWN;
		strbuf_add_string(detail, "the directory's lock cannot be understood");
	}
}
