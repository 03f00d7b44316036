/*
 * bench-load PORT CONNECTIONS MILLISECONDS RATE FILE EXPECT -- load from the command line.
 *
 * FILE holds one HTTP request, EXPECT must stand in every reply. RATE 0 is the closed
 * loop. Prints {"load":{"count","rate","p50_us","p99_us","p999_us"}}.
 */
#include "base/file.h"
#include "bench/load.h"
#include "bench/measure.h"

enum { REQUEST_MAX = 65536 };

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf request = STRBUF_INIT;
	struct load_result r;
	struct error err = ERROR_INIT;

	if (argc != 7)
		measure_fail("usage: bench-load PORT CONNECTIONS MILLISECONDS RATE FILE "
			     "EXPECT");
	if (!file_read(argv[5], REQUEST_MAX, &request, &err))
		measure_fail_error("request", &err);
	const struct load load = {
		.port = (uint16_t)strtoul(argv[1], NULL, 10),
		.connections = (unsigned)strtoul(argv[2], NULL, 10),
		.duration_ms = strtoll(argv[3], NULL, 10),
		.rate = strtod(argv[4], NULL),
		.request = request.data,
		.expect = argv[6],
	};
	if (!load_run(&load, &r, &err))
		measure_fail_error("load", &err);
	(void)printf("{\"load\":{\"count\":%llu,\"rate\":%.1f,\"p50_us\":%.0f,\"p99_us\":"
		     "%.0f,\"p999_us\":%.0f}}\n",
		     (unsigned long long)r.count, (double)r.count / r.seconds, r.p50_us,
		     r.p99_us, r.p999_us);
	return EXIT_SUCCESS;
}
