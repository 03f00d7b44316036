/*
 * interrupt -- signals that end a waiting, so that the terminal is left as it was.
 *
 * Ctrl-C gives up what is being waited for; SIGTERM and SIGHUP end the program at
 * the next such place. A second signal that finds the first one unheard ends the
 * program at once. The flags that the handler sets are among the few globals.
 */
#ifndef CONSOLE_INTERRUPT_H
#define CONSOLE_INTERRUPT_H

#include <stdbool.h>

/* From now on the signals set flags, and interrupt poll and read. */
void interrupt_catch(void);
/* Ctrl-C was heard. */
void interrupt_forget(void);
/* Whether Ctrl-C was pressed since, or the program shall end. False where nothing is caught. */
bool interrupt_was_pressed(void);
/* Whether the program shall end. */
bool interrupt_ends(void);

#endif
