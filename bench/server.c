/*
 * bench-server -- what we measure as a program of its own, as its peers are.
 *
 *   bench-server make FOLDER      makes <FOLDER>/site; prints the token that it wants
 *   bench-server --dir DIR        serves it, as every server of ours does
 */
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

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		return make(argv[2]);
	return mcp_server_main(site_server(), argc, argv);
}
