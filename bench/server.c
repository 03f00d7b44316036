/*
 * bench-server -- what we measure as a program of its own, as its peers are.
 *
 *   bench-server make FOLDER      makes <FOLDER>/site; prints the token that it wants
 *   bench-server --dir DIR        serves it, as every server of ours does
 *   bench-server ceiling          libmicrohttpd and jansson alone; prints its port
 */
#include "bench/ceiling.h"
#include "bench/measure.h"
#include "bench/site.h"

static int make(const char *folder)
{
	struct site s;

	site_make(&s, folder, "site", SITE_FREED);
	(void)printf("%s\n", (const char *)secret_bytes(s.token));
	site_done(&s);
	return EXIT_SUCCESS;
}

static int serve_ceiling(void)
{
	struct error err = ERROR_INIT;
	uint16_t port;
	struct MHD_Daemon *daemon = ceiling_start(&port, &err);

	if (!daemon)
		measure_fail_error("server", &err);
	(void)printf("%u\n", port);
	(void)fflush(stdout);
	ceiling_serve(daemon);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		return make(argv[2]);
	if (argc == 2 && strcmp(argv[1], "ceiling") == 0)
		return serve_ceiling();
	return mcp_server_main(site_server(), argc, argv);
}
