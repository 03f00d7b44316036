/*
 * bench-bare -- libmicrohttpd and jansson alone as a program of its own, linked with
 * nothing else, so that its start and its memory are theirs; prints its port.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/ceiling.h"

int main(void)
{
	struct error err = ERROR_INIT;
	uint16_t port;
	struct MHD_Daemon *daemon = ceiling_start(&port, &err);

	if (!daemon) {
		(void)fprintf(stderr, "bench-bare: %s\n", err.message);
		return EXIT_FAILURE;
	}
	(void)printf("%u\n", port);
	(void)fflush(stdout);
	ceiling_serve(daemon);
	return EXIT_FAILURE;
}
