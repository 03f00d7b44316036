#include "console/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t pressed, ending;

static void on_signal(int number)
{
	volatile sig_atomic_t *flag = number == SIGINT ? &pressed : &ending;

	if (*flag) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
	*flag = 1;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	/* Without SA_RESTART: what waits shall notice. */
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaction(signals[i], &action, NULL);
}

void interrupt_forget(void)
{
	pressed = 0;
}

bool interrupt_was_pressed(void)
{
	return pressed || ending;
}

bool interrupt_ends(void)
{
	return ending != 0;
}
