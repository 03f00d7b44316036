/* list_blocked_accounts: what is blocked now, by the systems; why, by our record. */
#include "servers/accounts/tools.h"

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/blocked.h"
#include "servers/accounts/expiry.h"
#include "servers/accounts/record.h"
#include "servers/accounts/report.h"

enum { LIMIT_DEFAULT = 20, TEXT_ROWS = 20 };

struct row {
	const struct account_system *system;
	const struct account *account;
	json_t *event; /* owned; NULL when it was not blocked here */
	int64_t since_ms;
};

struct rows {
	struct account_list lists[SYSTEMS_MAX];
	struct row *items;
	size_t count;
	bool more;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		json_decref(rows->items[i].event);
	free(rows->items);
	for (size_t i = 0; i < SYSTEMS_MAX; i++)
		account_list_done(&rows->lists[i]);
}

/* The latest first, those of unknown time last; the id settles the rest. */
static int compare_keys(int64_t a_ms, const char *a_id, int64_t b_ms, const char *b_id)
{
	if (a_ms != b_ms)
		return a_ms > b_ms ? -1 : 1;
	return strcmp(a_id, b_id);
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return compare_keys(a->since_ms, a->account->id, b->since_ms, b->account->id);
}

static bool add_rows(const struct accounts *a, const struct account_system *system,
		     const struct account_list *list, int64_t since_ms, struct rows *rows,
		     struct error *err)
{
	struct row *items = reallocarray(rows->items, rows->count + list->count + 1,
					 sizeof *rows->items);

	if (!items)
		return error_oom(err);
	rows->items = items;
	for (size_t i = 0; i < list->count; i++) {
		struct row row = { .system = system, .account = &list->items[i] };

		if (!record_explain(a->records, system->backend->system, row.account,
				    &row.event, err))
			return false;
		row.since_ms = report_since_ms(row.account, row.event);
		if (since_ms != 0 && row.since_ms < since_ms)
			json_decref(row.event);
		else
			rows->items[rows->count++] = row;
	}
	return true;
}

static bool gather(struct mcp_call *call, struct rows *rows, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	const char *only = mcp_call_string(call, "system", NULL);
	const char *since = mcp_call_string(call, "since", NULL);
	int64_t since_ms = 0;

	if (since && !clock_parse(since, &since_ms, err))
		return false;
	if (only && !accounts_system(a, only)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "this server is not connected to '%s'", only);
		return error_hint(err,
				  "leave 'system' out to see what it is connected to");
	}
	for (size_t i = 0; i < a->system_count; i++) {
		const struct account_system *system = &a->systems[i];

		if (only && strcmp(only, system->backend->system) != 0)
			continue;
		if (!blocked_list(a->records, system, mcp_call_now_ms(call),
				  &rows->lists[i], err) ||
		    !add_rows(a, system, &rows->lists[i], since_ms, rows, err))
			return false;
		rows->more |= rows->lists[i].more;
	}
	if (rows->count > 1)
		qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
	return true;
}

/* ---- Pages ------------------------------------------------------------------------ */

/* A cursor is the place of the last row shown: "<since ms>.<id>". */
static bool find_start(const struct rows *rows, const char *cursor, size_t *ret,
		       struct error *err)
{
	size_t digits = cursor ? strspn(cursor, "0123456789") : 0;
	int64_t ms;

	*ret = 0;
	if (!cursor)
		return true;
	if (digits == 0 || digits > 15 || cursor[digits] != '.' || !cursor[digits + 1])
		return error_set(err, ERR_INVALID_ARGUMENT, "'cursor' is none of ours");
	ms = strtoll(cursor, NULL, 10);
	while (*ret < rows->count &&
	       compare_keys(rows->items[*ret].since_ms, rows->items[*ret].account->id, ms,
			    cursor + digits + 1) <= 0)
		(*ret)++;
	return true;
}

/* When it is unblocked by itself; 0: it is not. */
static bool find_end(struct documents *records, const struct row *row, int64_t *ret_ms,
		     struct error *err)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };
	bool found = false;

	if (!expiry_find(records, row->system->backend->system, row->account, &x, &found,
			 err))
		return false;
	*ret_ms = found ? x.at_ms : 0;
	return true;
}

static json_t *row_json(const struct row *row, int64_t expires_ms, struct error *err)
{
	const struct account *a = row->account;
	json_auto_t *object = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s}", "system",
					row->system->backend->system, "identifier",
					a->identifier, "display_name", a->name, "uid",
					*a->uid ? a->uid : NULL, "email",
					*a->mail ? a->mail : NULL, "detail", a->detail);

	if (!object) {
		error_oom(err);
		return NULL;
	}
	return report_block(object, a, row->event, expires_ms, err) ? TAKE(object) : NULL;
}

static void row_text(struct strbuf *text, const struct row *row, int64_t expires_ms)
{
	const char *by = row->event ? json_get_string(row->event, "by") : NULL;
	char since[CLOCK_TEXT_BYTES], at[CLOCK_TEXT_BYTES];

	strbuf_add_string(text, "\n- ");
	report_name(text, row->account->name, row->account->identifier);
	if (row->since_ms)
		strbuf_add_format(text, ", since %s", clock_format(row->since_ms, since));
	if (expires_ms)
		strbuf_add_format(text, ", until %s", clock_format(expires_ms, at));
	if (by) {
		strbuf_add_string(text, ", by ");
		report_text(text, by);
		strbuf_add_string(text, ": ");
		report_text(text, json_get_string(row->event, "reason"));
	} else if (*row->account->detail) {
		strbuf_add_string(text, ", ");
		report_text(text, row->account->detail);
	} else {
		strbuf_add_string(text, ", not blocked from here");
	}
}

/* The page: rows from 'start' to before 'end'. */
static bool write_rows(struct documents *records, const struct rows *rows, size_t start,
		       size_t end, json_t *list, struct strbuf *text, struct error *err)
{
	for (size_t i = start; i < end; i++) {
		int64_t expires_ms = 0;
		json_t *one;

		if (!find_end(records, &rows->items[i], &expires_ms, err))
			return false;
		one = row_json(&rows->items[i], expires_ms, err);
		if (!one)
			return false;
		if (json_array_append_new(list, one) != 0)
			return error_oom(err);
		if (i - start < TEXT_ROWS)
			row_text(text, &rows->items[i], expires_ms);
	}
	if (end - start > TEXT_ROWS)
		strbuf_add_format(text, "\n- and %zu more on this page",
				  end - start - TEXT_ROWS);
	return true;
}

bool list_blocked_accounts(struct mcp_call *call, struct mcp_result *result,
			   struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	_cleanup_(rows_done) struct rows rows = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t limit = (size_t)mcp_call_int64(call, "limit", LIMIT_DEFAULT), start, end;
	json_auto_t *list = json_array(), *structured = NULL;

	if (!gather(call, &rows, err) ||
	    !find_start(&rows, mcp_call_string(call, "cursor", NULL), &start, err))
		return false;
	end = rows.count - start > limit ? start + limit : rows.count;
	strbuf_add_format(&text,
			  rows.count == 1 ? "1 account is blocked."
					  : "%zu accounts are blocked.",
			  rows.count);
	if (!write_rows(a->records, &rows, start, end, list, &text, err))
		return false;
	structured = json_pack("{s:O, s:I, s:b}", "accounts", list, "total",
			       (json_int_t)rows.count, "truncated", (int)rows.more);
	if (!structured)
		return error_oom(err);
	if (end < rows.count && end > start) {
		const struct row *last = &rows.items[end - 1];

		if (json_object_set_new(structured, "next_cursor",
					json_sprintf("%lld.%s", (long long)last->since_ms,
						     last->account->id)) != 0)
			return error_oom(err);
	}
	mcp_result_structured(result, TAKE(structured));
	report_finish(result, &text);
	return true;
}
