#include "console/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t pressed;

static void on_interrupt(int number)
{
	(void)number;
	pressed = 1;
}

void interrupt_catch(void)
{
	/* Without SA_RESTART: what waits shall notice. */
	struct sigaction action = { .sa_handler = on_interrupt };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
}

void interrupt_forget(void)
{
	pressed = 0;
}

bool interrupt_was_pressed(void)
{
	return pressed != 0;
}
