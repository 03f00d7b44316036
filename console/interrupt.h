/*
 * interrupt -- Ctrl-C gives up what is being waited for, not the whole console.
 *
 * The flag that the signal handler sets is one of the few globals.
 */
#ifndef CONSOLE_INTERRUPT_H
#define CONSOLE_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT sets the flag and interrupts poll; for the interactive console alone. */
void interrupt_catch(void);
void interrupt_forget(void);
/* Whether Ctrl-C was pressed since interrupt_forget; always false where it is not caught. */
bool interrupt_was_pressed(void);

#endif
