#include "mcp/metrics.h"

static const unsigned statuses[METRICS_STATUSES] = { 200, 202, 400, 401, 403, 404,
						     405, 406, 415, 500, 503, 0 };

int64_t metrics_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void metrics_count_request(struct metrics *m, enum mcp_method method, unsigned status)
{
	size_t i = 0;

	while (i < METRICS_STATUSES - 1 && statuses[i] != status)
		i++;
	atomic_fetch_add_explicit(&m->requests[method][i], 1, memory_order_relaxed);
}

void metrics_count_call(struct metrics *m, enum error_code code)
{
	atomic_fetch_add_explicit(&m->calls[code], 1, memory_order_relaxed);
}

void metrics_add_time(struct metrics_time *t, int64_t us)
{
	atomic_fetch_add_explicit(&t->sum_us, us, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
}

static void write_time(struct strbuf *sb, const char *name, struct metrics_time *t)
{
	strbuf_add_format(
		sb, "# TYPE %s summary\n# UNIT %s seconds\n%s_sum %.6f\n%s_count %lld\n",
		name, name, name, (double)atomic_load(&t->sum_us) / 1e6, name,
		(long long)atomic_load(&t->count));
}

static void write_requests(struct metrics *m, struct strbuf *sb)
{
	strbuf_add_string(sb, "# TYPE wingman_requests counter\n");
	for (size_t i = 0; i < METRICS_METHODS; i++)
		for (size_t k = 0; k < METRICS_STATUSES; k++) {
			long long count = atomic_load(&m->requests[i][k]);

			if (count > 0 && statuses[k] != 0)
				strbuf_add_format(sb,
						  "wingman_requests_total{method=\"%s\","
						  "status=\"%u\"} %lld\n",
						  mcp_method_name((enum mcp_method)i),
						  statuses[k], count);
			else if (count > 0)
				strbuf_add_format(sb,
						  "wingman_requests_total{method=\"%s\","
						  "status=\"other\"} %lld\n",
						  mcp_method_name((enum mcp_method)i),
						  count);
		}
}

static void write_calls(struct metrics *m, struct strbuf *sb)
{
	strbuf_add_string(sb, "# TYPE wingman_tool_calls counter\n");
	for (int code = 0; code < ERR_CODE_COUNT; code++)
		strbuf_add_format(sb, "wingman_tool_calls_total{outcome=\"%s\"} %lld\n",
				  code == ERR_NONE ? "ok"
						   : error_name((enum error_code)code),
				  (long long)atomic_load(&m->calls[code]));
	strbuf_add_format(sb,
			  "wingman_tool_calls_total{outcome=\"failed\"} %lld\n"
			  "wingman_tool_calls_total{outcome=\"input_required\"} %lld\n",
			  (long long)atomic_load(&m->failed),
			  (long long)atomic_load(&m->input_required));
}

void metrics_write(struct metrics *m, struct strbuf *sb)
{
	write_requests(m, sb);
	write_calls(m, sb);
	strbuf_add_format(sb, "# TYPE wingman_in_flight gauge\nwingman_in_flight %d\n",
			  atomic_load(&m->in_flight));
	write_time(sb, "wingman_plan_seconds", &m->plan);
	write_time(sb, "wingman_run_seconds", &m->run);
	strbuf_add_string(sb, "# EOF\n");
}
