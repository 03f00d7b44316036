/* A client of a session takes its call back: before the burn, and not after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "fixture/mock_gate.h"
#include "fixture/peer.h"

#define PUT "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"
#define CANCEL                                                                           \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"       \
	"\"requestId\":7}}"

static int set_up(void **state)
{
	struct mock_gate *m = mock_gate_open("");

	conform_free(TAKE(m->rig.conform)); /* judges by another revision */
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	mock_gate_close(*state);
	return 0;
}

/* ---- Helpers ---- */

static void grant_it(struct mock_gate *m)
{
	_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;

	mock_gate_grant(m, "A-2", "alice@example.org", PUT, &reply);
	mock_gate_say(m, 200, "%s", reply.data);
}

static int post_put(const struct peer *p)
{
	char headers[256];

	(void)snprintf(headers, sizeof headers,
		       "Content-Type: application/json\r\nMcp-Session-Id: %s\r\n",
		       p->session);
	return rig_open_post(p->rig, p->token, headers,
			     "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\","
			     "\"params\":{\"name\":\"put_value\",\"arguments\":" PUT
			     "}}");
}

static struct answer read_answer(int fd)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	char piece[1024];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
		strbuf_add(&all, piece, (size_t)n);
	(void)close(fd);
	return answer_read(&all);
}

/* The call is held at this point while its client takes it back. */
static struct answer cancel_at(struct mock_gate *m, const struct peer *p,
			       const char *point)
{
	char hold[32], held[32];

	(void)snprintf(hold, sizeof hold, "hold-%s", point);
	(void)snprintf(held, sizeof held, "held-%s", point);
	grant_it(m);
	rig_touch(&m->rig, hold);
	int fd = post_put(p);
	rig_wait_for(&m->rig, held);
	_cleanup_answer_ struct answer a = peer_post(p, CANCEL);
	assert_int_equal(a.status, 202);
	rig_remove(&m->rig, hold);
	return read_answer(fd);
}

/* ---- */

static void cancelled_before_the_burn_and_not_after(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_peer_ struct peer p;

	peer_begin(&p, &m->rig, m->rig.alice, "2025-11-25", "{}");
	/* While the plan is made again it can be taken back. */
	_cleanup_answer_ struct answer early = cancel_at(m, &p, "plan");
	assert_int_equal(early.status, 200);
	assert_null(early.body);
	assert_int_equal(rig_runs(&m->rig), 0);
	assert_non_null(strstr(m->outcome, "\"refused\""));
	/* Once it is burned it happens, and that is said. */
	_cleanup_answer_ struct answer late = cancel_at(m, &p, "run");
	assert_string_equal(answer_state(&late), "succeeded");
	assert_int_equal(rig_runs(&m->rig), 1);
	assert_non_null(strstr(m->outcome, "\"succeeded\""));
}

/* S-56 */
static void leaving_takes_nothing_back(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_peer_ struct peer p;

	peer_begin(&p, &m->rig, m->rig.alice, "2025-11-25", "{}");
	grant_it(m);
	rig_touch(&m->rig, "hold-plan");
	int fd = post_put(&p);
	rig_wait_for(&m->rig, "held-plan");
	(void)close(fd);
	rig_touch(&m->rig, "hold-run");
	rig_remove(&m->rig, "hold-plan");
	rig_wait_for(&m->rig, "held-run");
	rig_remove(&m->rig, "hold-run");
	rig_stop(&m->rig); /* waits for it */
	assert_int_equal(rig_runs(&m->rig), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(cancelled_before_the_burn_and_not_after),
		TEST(leaving_takes_nothing_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
