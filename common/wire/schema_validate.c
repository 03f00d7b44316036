#include "wire/schema_run.h"

#include "base/clock.h"
#include "wire/schema_value.h"

/* ---- Limits ---- */

bool run_stop(struct run *run, enum stop stop)
{
	if (!run->stop)
		run->stop = stop;
	return false;
}

bool run_pattern(struct run *run, const struct regex *regex, const char *text,
		 size_t length)
{
	enum regex_result result;
	int64_t now;

	if (run->stop)
		return false;
	result = regex_search(regex, text, length);
	if (result == REGEX_NO_MEMORY)
		return run_stop(run, STOP_NO_MEMORY);
	if (result == REGEX_TOO_COMPLEX)
		return run_stop(run, STOP_TOO_COMPLEX);
	/* One search is limited by its steps, many of them by the clock. */
	now = clock_mono_ms();
	if (!run->pattern_deadline_ms)
		run->pattern_deadline_ms = now + SCHEMA_PATTERN_MS;
	if (now > run->pattern_deadline_ms)
		return run_stop(run, STOP_TOO_COMPLEX);
	return result == REGEX_FOUND;
}

/* ---- Evaluated members and items ---- */

bool evaluated_init(struct evaluated *set, size_t count)
{
	size_t words = count / 64 + 1;

	*set = (struct evaluated){ .count = count, .bits = set->few };
	if (words > ARRAY_SIZE(set->few))
		set->bits = calloc(words, sizeof *set->bits);
	return set->bits != NULL;
}

void evaluated_done(struct evaluated *set)
{
	if (set->bits != set->few)
		free(set->bits);
}

void evaluated_join(struct evaluated *set, const struct evaluated *more)
{
	for (size_t i = 0; i <= set->count / 64; i++)
		set->bits[i] |= more->bits[i];
}

/* ---- One node ---- */

static unsigned type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return TYPE_OBJECT;
	case JSON_ARRAY:
		return TYPE_ARRAY;
	case JSON_STRING:
		return TYPE_STRING;
	case JSON_INTEGER:
		return TYPE_NUMBER | TYPE_INTEGER;
	case JSON_REAL:
		return number_is_integer(value) ? TYPE_NUMBER | TYPE_INTEGER
						: TYPE_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return TYPE_BOOLEAN;
	case JSON_NULL:
		break;
	}
	return TYPE_NULL;
}

static bool is_one_of(struct run *run, const struct enum_rule *rule, const json_t *value)
{
	if (rule->strings.entries && json_is_string(value))
		return table_get(&rule->strings, run->schema->seed,
				 json_string_value(value),
				 json_string_length(value)) != NULL;
	if (rule->only_strings && !json_is_string(value))
		return false;
	for (size_t i = 0; i < rule->count; i++)
		if (value_equal(rule->values[i], value, &run->steps_left))
			return true;
	return false;
}

static bool run_constant(struct run *run, const struct node *node, const json_t *value,
			 const struct path *path)
{
	if (node->constant && !value_equal(node->constant, value, &run->steps_left) &&
	    !fault_enum(run, node, path))
		return false;
	return !node->enumeration || is_one_of(run, node->enumeration, value) ||
	       fault_enum(run, node, path);
}

/* The outermost resource entered so far that has this anchor, or what a plain reference means. */
static const struct node *find_dynamic(struct run *run, const struct node *node)
{
	const struct node *found = node->dynamic;
	size_t length = strlen(node->dynamic_name);

	for (const struct scope *s = run->scope; s && run->steps_left; s = s->outer) {
		const struct node *n = table_get(&s->resource->dynamic_anchors,
						 run->schema->seed, node->dynamic_name,
						 length);

		run->steps_left--;
		if (n)
			found = n;
	}
	return found;
}

static bool run_references(struct run *run, const struct node *node, json_t *value,
			   const struct path *path, struct evaluated *evaluated)
{
	size_t before = run->faults;
	const struct node *dynamic = node->dynamic;

	if (node->ref && !run_node(run, node->ref, value, path, evaluated) &&
	    !run->report)
		return false;
	if (node->dynamic_name)
		dynamic = find_dynamic(run, node);
	if (dynamic)
		run_node(run, dynamic, value, path, evaluated);
	return run->faults == before || run->report;
}

static bool run_rules(struct run *run, const struct node *node, json_t *value,
		      const struct path *path, struct evaluated *evaluated)
{
	if ((node->constant || node->enumeration) &&
	    !run_constant(run, node, value, path))
		return false;
	if (json_is_object(value)) {
		if (node->object && !run_object(run, node, value, path, evaluated))
			return false;
	} else if (json_is_array(value)) {
		if (node->array && !run_array(run, node, value, path, evaluated))
			return false;
	} else if (json_is_string(value)) {
		if (node->string && !run_string(run, node, value, path))
			return false;
	} else if (node->number && json_is_number(value) &&
		   !run_number(run, node, value, path)) {
		return false;
	}
	if ((node->ref || node->dynamic) &&
	    !run_references(run, node, value, path, evaluated))
		return false;
	return !node->logic || run_logic(run, node, value, path, evaluated);
}

/* With an 'unevaluated...' of its own: a set that does not see what neighbours evaluated. */
static void run_tracking(struct run *run, const struct node *node, json_t *value,
			 const struct path *path, struct evaluated *outer)
{
	size_t before = run->faults;
	bool object = json_is_object(value);
	struct evaluated own;

	if (!evaluated_init(&own,
			    object ? json_object_size(value) : json_array_size(value))) {
		run_stop(run, STOP_NO_MEMORY);
		return;
	}
	/* After a fault, what is unevaluated is so because of the fault: say nothing of it. */
	if (run_rules(run, node, value, path, &own) && run->faults == before) {
		if (object)
			run_unevaluated_properties(run, node, value, path, &own);
		else
			run_unevaluated_items(run, node, value, path, &own);
		if (outer)
			evaluated_join(outer, &own);
	}
	evaluated_done(&own);
}

static bool apply(struct run *run, const struct node *node, json_t *value,
		  const struct path *path, struct evaluated *evaluated)
{
	size_t before = run->faults;

	if (node->never) {
		fault(run, node, path, "", "is not allowed here");
		return false;
	}
	if (node->types != TYPE_ANY && !(node->types & type_of(value))) {
		fault_type(run, node, path);
		return false;
	}
	if ((node->unevaluated_properties && json_is_object(value)) ||
	    (node->unevaluated_items && json_is_array(value)))
		run_tracking(run, node, value, path, evaluated);
	else if (!run_rules(run, node, value, path, evaluated) && !run->report)
		return false;
	return run->faults == before && !run->stop;
}

bool run_node(struct run *run, const struct node *node, json_t *value,
	      const struct path *path, struct evaluated *evaluated)
{
	const struct scope *outer = run->scope;
	struct scope scope = { outer, node->resource };
	bool good;

	if (run->stop)
		return false;
	if (run->steps_left == 0 || run->depth_left == 0) {
		run->faults++;
		return run_stop(run, STOP_TOO_COMPLEX);
	}
	run->steps_left--;
	run->depth_left--;
	if (run->schema->has_dynamic && (!outer || outer->resource != node->resource))
		run->scope = &scope;
	good = apply(run, node, value, path, evaluated);
	run->scope = outer;
	run->depth_left++;
	return good;
}

bool run_quietly(struct run *run, const struct node *node, json_t *value,
		 const struct path *path, struct evaluated *evaluated)
{
	struct report *report = run->report;
	size_t faults = run->faults;
	bool good;

	run->report = NULL;
	good = run_node(run, node, value, path, evaluated);
	run->report = report;
	run->faults = faults;
	return good;
}

/* ---- The whole ---- */

static bool run_all(const struct schema *schema, const json_t *instance,
		    struct report *report, enum stop *ret_stop)
{
	struct run run = { .schema = schema,
			   .report = report,
			   .steps_left = SCHEMA_STEPS_MAX,
			   .depth_left = SCHEMA_DEPTH_MAX };
	/* Nothing here changes it, but jansson's iterators are not declared so. */
	bool good =
		run_node(&run, schema->root, (json_t *)(uintptr_t)instance, NULL, NULL);

	/* Comparing values counts steps as well. */
	if (run.steps_left == 0)
		run_stop(&run, STOP_TOO_COMPLEX);
	*ret_stop = run.stop;
	return good && !run.stop;
}

size_t schema_validate_all(const struct schema *schema, const json_t *instance,
			   struct schema_fault *ret_faults, size_t capacity)
{
	struct report report = { .faults = ret_faults, .capacity = capacity };
	enum stop stop;

	/* Most instances are good, and that is quicker to find out without a report. */
	if (run_all(schema, instance, NULL, &stop))
		return 0;
	if (!stop && run_all(schema, instance, &report, &stop) && !stop)
		stop = STOP_TOO_COMPLEX; /* the clock decided otherwise a moment ago */
	if (report.count == 0)
		fault_stopped(stop ? stop : STOP_TOO_COMPLEX,
			      &ret_faults[report.count++]);
	return report.count;
}

bool schema_validate(const struct schema *schema, const json_t *instance,
		     struct schema_fault *ret_fault)
{
	enum stop stop;

	if (!ret_fault)
		return run_all(schema, instance, NULL, &stop);
	return schema_validate_all(schema, instance, ret_fault, 1) == 0;
}
