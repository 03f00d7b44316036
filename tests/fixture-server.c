/* The server of tests/fixture as a program of its own, to be killed by tests. */
#include "fixture/fixture.h"

int main(int argc, char **argv)
{
	return mcp_server_main(&fixture_server, argc, argv);
}
