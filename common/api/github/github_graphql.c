/* GraphQL: 200 with errors in it, and pages by cursor. */
#include <string.h>

#include "api/github/github_private.h"

enum { CURSOR_MAX = 1024 };

/* {"errors":[{"type":"NOT_FOUND","message":"..."}]}: the first tells. */
static bool fail_query(const char *what, const json_t *errors, struct error *err)
{
	const json_t *first = json_array_get(errors, 0);
	const char *type = json_get_string(first, "type");
	const char *text = json_get_string(first, "message");
	struct rest_fault fault = { .code = ERR_BACKEND_UNAVAILABLE };
	const char *says = "could not answer all of the query";

	rest_fault_name(fault.name, type);
	rest_fault_text(&fault, text);
	if (strcmp(fault.name, "NOT_FOUND") == 0) {
		fault.code = ERR_NOT_FOUND;
		says = "has no such thing, or does not show it to us";
	} else if (strcmp(fault.name, "FORBIDDEN") == 0 ||
		   strcmp(fault.name, "INSUFFICIENT_SCOPES") == 0) {
		fault.code = ERR_PERMISSION_DENIED;
		says = "does not allow it";
	} else if (strcmp(fault.name, "RATE_LIMITED") == 0) {
		fault.code = ERR_RATE_LIMITED;
		says = "wants to be asked less often";
	}
	error_set(err, fault.code, "cannot %s: GitHub %s (GraphQL%s%s)", what, says,
		  *fault.name ? ", " : "", fault.name);
	if (*fault.text)
		error_cause(err, "%s", fault.text);
	return false;
}

bool github_query(struct github *g, const char *what, const char *query,
		  const json_t *variables, const struct rest_patience *patience,
		  json_t **ret_data, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *copy = json_deep_copy(variables);
	json_auto_t *body =
		copy ? json_pack("{s:s, s:O}", "query", query, "variables", copy) : NULL;

	if (!body)
		return error_oom(err);
	const struct rest_request request = {
		.what = what,
		.method = "POST",
		.path = g->graphql,
		.json = body,
		.bucket = "graphql",
		.reads = true,
	};
	const bool good = rest_call(g->rest, &request, patience, &reply, err);
	atomic_store(&g->has_no_graphql, reply.status == 404);
	if (!good)
		return false;
	/* A part of an answer is none: what is missing in it would look like nobody. */
	const json_t *errors = json_object_get(reply.body, "errors");
	if (errors && !json_is_null(errors))
		return fail_query(what, errors, err);
	json_t *data = json_object_get(reply.body, "data");
	if (!json_is_object(data))
		return github_fail_shape("answer to a query", err);
	*ret_data = json_incref(data);
	return true;
}

/* The cursor of the next page into 'variables'; '*ret_more' false at the end. */
static bool next_page(const json_t *connection, json_t *variables, bool *ret_more,
		      struct error *err)
{
	const json_t *page = json_object_get(connection, "pageInfo");
	const json_t *more = json_object_get(page, "hasNextPage");
	const char *cursor = json_get_string(page, "endCursor");
	const char *before = json_get_string(variables, "c");

	if (!json_is_boolean(more))
		return github_fail_shape("page", err);
	*ret_more = json_is_true(more);
	if (!*ret_more)
		return true;
	if (!cursor || strlen(cursor) > CURSOR_MAX ||
	    (before && strcmp(cursor, before) == 0))
		return github_fail_shape("list that ends", err);
	return json_object_set_new(variables, "c", json_string(cursor)) == 0 ||
	       error_oom(err);
}

static bool walk_page(const json_t *items, github_item_fn *fn, void *context,
		      struct error *err)
{
	if (!json_is_array(items))
		return github_fail_shape("list", err);
	for (size_t i = 0; i < json_array_size(items); i++)
		if (!fn(context, json_array_get(items, i), err))
			return false;
	return true;
}

bool github_query_each(struct github *g, const char *what, const char *query,
		       const char *login, const char *list,
		       const struct rest_patience *patience,
		       const json_t *(*find)(const json_t *data), github_item_fn *fn,
		       void *context, bool *ret_there, struct error *err)
{
	json_auto_t *variables = json_pack("{s:s, s:n}", "o", g->organization, "c");
	bool more = true;

	if (!variables ||
	    (login && json_object_set_new(variables, "u", json_string(login)) != 0))
		return error_oom(err);
	for (int pages = 0; more && pages < REST_PAGES_MAX; pages++) {
		json_auto_t *data = NULL;

		if (!github_query(g, what, query, variables, patience, &data, err))
			return false;
		const json_t *connection = find(data);
		if (ret_there)
			*ret_there = connection != NULL;
		if (!connection && ret_there)
			return true;
		if (!walk_page(json_object_get(connection, list), fn, context, err) ||
		    !next_page(connection, variables, &more, err))
			return false;
	}
	return !more || github_fail_shape("list that ends", err);
}
